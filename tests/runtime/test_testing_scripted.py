"""A server that the test plays."""

from __future__ import annotations

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
    with pytest.raises(AssertionError, match=r"^Put was to come next, but nothing came in 1 s$"):
        await script.expect(Put)
    server.cast(Put("x"))
    with pytest.raises(AssertionError, match=r"^nothing was to come, but this did: Put\("):
        await script.expect_nothing()


async def test_some_calls_can_always_be_answered(node: Node) -> None:
    script, server = await a_server()
    script.always(Get, lambda request: len(request.key))
    assert await server.call(Get("abc")) == 3
    await script.expect_nothing()


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
