"""A server that the test plays."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from functools import partial

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from runtime import (
    Call,
    CallExit,
    CallTimeout,
    Cast,
    Crashed,
    Node,
    Ref,
    ReplyDropped,
    named,
    send,
    start,
)
from runtime.testing import Scripted, crash


class Get(Call[int]):
    key: str


class Put(Cast):
    key: str


async def a_server() -> tuple[Scripted, Ref]:
    script = Scripted()
    return script, await start(script.child_spec().replace(name="db"))


async def get(key: str, into: dict[str, object]) -> None:
    try:
        into[key] = await named("db").call(Get(key))
    except (LookupError, CallExit, ReplyDropped) as exc:
        into[key] = exc


async def test_the_test_answers_in_the_order_it_likes(node: Node) -> None:
    script, _ = await a_server()
    got: dict[str, object] = {}
    async with trio.open_nursery() as nursery:
        nursery.start_soon(get, "a", got)
        await wait_all_tasks_blocked()
        nursery.start_soon(get, "b", got)
        first = await script.expect_call(Get)
        second = await script.expect_call(Get)
        assert (first.request, second.request) == (Get("a"), Get("b"))
        assert repr(first) == "the call Get(key='a')"
        second.reply(2)
        await wait_all_tasks_blocked()
        assert got == {"b": 2}
        first.error(LookupError("a"))
    assert repr(got["a"]) == "LookupError('a')"
    await script.expect_nothing()


async def test_what_comes_keeps_its_order_whatever_it_is(node: Node) -> None:
    script, server = await a_server()
    server.cast(Put("x"))
    send(server, "tick")
    assert await script.expect(Put) == Put("x")
    with pytest.raises(AssertionError, match=r"^Put was to come next, but it was 'tick'$"):
        await script.expect(Put)
    await script.expect("tick")


async def test_a_call_is_expected_as_a_call(node: Node) -> None:
    script, server = await a_server()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(get, "a", {})
        with pytest.raises(AssertionError, match=r"^Get was to come next, but it was the call Get"):
            await script.expect(Get)
        (await script.expect_call(Get)).reply(1)
    server.cast(Put("x"))
    with pytest.raises(AssertionError, match=r"^a call of Get was to come next, but it was Put"):
        await script.expect_call(Get)


async def test_nothing_in_time_fails(node: Node) -> None:
    script, server = await a_server()
    with pytest.raises(
        AssertionError, match=r"^Put was to come next, but nothing came before the timeout of 1 s$"
    ):
        await script.expect(Put)
    server.cast(Put("x"))
    with pytest.raises(AssertionError, match=r"^nothing was to come, but this did: Put\("):
        await script.expect_nothing()


async def test_some_calls_can_always_be_answered(node: Node) -> None:
    script, server = await a_server()
    script.always(Get, lambda request: len(request.key))
    assert await server.call(Get("abc")) == 3
    await script.expect_nothing()


async def test_a_class_of_calls_stands_for_its_subclasses(node: Node) -> None:
    class GetFresh(Get):
        """Ask past the cache."""

    script, server = await a_server()
    got: dict[str, object] = {}
    async with trio.open_nursery() as nursery:
        nursery.start_soon(get, "a", got)
        (await script.expect_call(Call)).reply(1)
    script.always(Get, lambda request: 2)
    assert await server.call(GetFresh("a")) == 2
    script.always(GetFresh, lambda request: 3)
    assert await server.call(GetFresh("a")) == 3
    assert await server.call(Get("a")) == 2


async def test_an_answer_may_take_its_time(node: Node) -> None:
    async def answer(request: Get) -> int:
        await trio.sleep(1)
        return len(request.key)

    script, server = await a_server()
    script.always(Get, answer)
    assert await server.call(Get("abc")) == 3


def broken(message: object) -> bool:
    raise LookupError("broken")


@pytest.mark.parametrize("pattern", [None, "tock", broken], ids=["nothing", "another", "broken"])
async def test_what_one_does_not_want_is_for_the_next_who_waits(
    node: Node, pattern: object
) -> None:
    script, server = await a_server()

    async def first() -> None:
        with pytest.raises((AssertionError, LookupError)):
            if pattern is None:
                await script.expect_nothing(timeout=math.inf)
            else:
                await script.expect(pattern, timeout=math.inf)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(first)
        await wait_all_tasks_blocked()
        nursery.start_soon(partial(script.expect, "tick", timeout=math.inf))
        await wait_all_tasks_blocked()
        began = trio.current_time()
        send(server, "tick")
    assert trio.current_time() == began
    await script.expect_nothing()


class Unshowable:
    def __repr__(self) -> str:
        raise RuntimeError("repr")


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        (Unshowable(), "<Unshowable whose repr raises>"),
        ("x" * 100_000, "'" + "x" * 499 + "... (100002 characters)"),
    ],
    ids=["raises", "long"],
)
async def test_a_message_is_shown_in_short(
    node: Node, message: object, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "excepthook", lambda *_: None)
    script, server = await a_server()
    send(server, message)
    with pytest.raises(AssertionError) as failed:
        await script.expect(int)
    assert str(failed.value) == f"int was to come next, but it was {shown}"
    with pytest.raises(AssertionError) as failed:
        await script.expect_nothing()
    assert str(failed.value) == f"nothing was to come, but this did: {shown}"


@pytest.mark.parametrize("request_", [None, Get("a"), (Get, Get), Put, int, len])
async def test_only_a_class_of_calls_is_expected_as_a_call(request_: type[Get]) -> None:
    with pytest.raises(TypeError, match=r"^request: got .+, allowed is a class of calls$"):
        await Scripted().expect_call(request_)
    with pytest.raises(TypeError, match=r"^request: got .+, allowed is a class of calls$"):
        Scripted().always(request_, repr)


@pytest.mark.parametrize("answer", [None, 3, lambda: 1, lambda one, two: 1])
def test_an_answer_is_a_function_of_the_request(answer: Callable[[Get], object]) -> None:
    with pytest.raises(TypeError, match=r"^answer: got .+, allowed is a function of \(request\)$"):
        Scripted().always(Get, answer)


@pytest.mark.parametrize("timeout", [None, "1", True, -1, float("nan")])
async def test_a_timeout_is_seconds(timeout: float) -> None:
    script = Scripted()
    for wait in (
        script.expect_nothing,
        partial(script.expect, 1),
        partial(script.expect_call, Get),
    ):
        with pytest.raises((TypeError, ValueError), match=r"^timeout: got "):
            await wait(timeout=timeout)


async def test_a_caller_that_gives_up_shows(node: Node) -> None:
    script, server = await a_server()
    with pytest.raises(CallTimeout):
        await server.call(Get("a"), timeout=1)
    call = await script.expect_call(Get)
    assert call.answered
    call.reply(1)  # harmless


async def test_dropping_a_call_fails_its_caller(node: Node) -> None:
    script, _ = await a_server()
    got: dict[str, object] = {}
    async with trio.open_nursery() as nursery:
        nursery.start_soon(get, "a", got)
        call = await script.expect_call(Get)
        call.drop()
        assert call.answered
        call.reply(1)  # too late
        call.error(LookupError("a"))
    assert isinstance(got["a"], ReplyDropped)


async def test_a_call_that_nobody_keeps_is_not_dropped(node: Node) -> None:
    script, _ = await a_server()
    got: dict[str, object] = {}
    async with trio.open_nursery() as nursery:
        nursery.start_soon(get, "a", got)
        await script.expect_call(Get)
        await trio.sleep(1)
        assert got == {}
        nursery.start_soon(get, "b", got)
        (await script.expect_call(Get)).reply(2)
        await wait_all_tasks_blocked()
        assert got == {"b": 2}
        nursery.cancel_scope.cancel()


async def test_it_can_crash_between_two_messages(node: Node) -> None:
    script, server = await a_server()
    got: dict[str, object] = {}
    oops = OSError("disk")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(get, "a", got)
        call = await script.expect_call(Get)
        await crash(server, oops)
        assert call.answered
    failed = got["a"]
    assert isinstance(failed, CallExit)
    assert failed.reason == Crashed(oops)
    again = await start(script.child_spec())
    again.cast(Put("x"))
    assert await script.expect(Put) == Put("x")


async def test_cancelling_takes_nothing(node: Node) -> None:
    script, server = await a_server()
    with trio.CancelScope() as scope:
        scope.cancel()
        await script.expect(Put)
    server.cast(Put("x"))
    with trio.CancelScope() as scope:
        scope.cancel()
        await script.expect(Put)
    assert await script.expect(Put) == Put("x")
