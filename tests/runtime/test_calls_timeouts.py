"""Calls that are given up: timeouts, cancellations, late replies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import trio

from runtime import (
    CallError,
    CallTimeout,
    Node,
    NoReply,
    Ref,
    ReplyTo,
    get_state,
    is_alive,
    named,
    receive,
    start,
)
from runtime.current import find_process
from tests.support import Ask, Do, Scripted, in_process


def sleeper(seconds: float) -> Ask:
    """A request whose handler takes ``seconds``."""

    async def handler(server: Any, reply_to: object) -> str:
        await trio.sleep(seconds)
        server.log.append("handled")
        return "reply"

    return Ask(handler)


async def timed_out(server: Ref, request: Ask, seconds: float) -> CallTimeout:
    begun = trio.current_time()
    with pytest.raises(CallTimeout) as caught:
        await server.call(request, timeout=seconds)
    assert trio.current_time() - begun == seconds
    return caught.value


async def test_a_slow_server_times_out_its_caller_and_finishes_the_work(node: Node) -> None:
    """GEN-051."""
    log: list[Any] = []
    server = await start(Scripted.child_spec(log))
    request = sleeper(3)
    error = await timed_out(server, request, 1)
    assert (error.target, error.request, error.timeout) == (server, request, 1)
    assert isinstance(error, CallError)
    assert isinstance(error, TimeoutError)
    assert str(error) == f"Ask to {server!r}: no reply within 1 s"
    assert log == []
    await trio.sleep(5)
    assert log == ["handled"]
    assert is_alive(server)


async def test_five_seconds_is_the_default(node: Node) -> None:
    server = await start(Scripted.child_spec())
    begun = trio.current_time()
    with pytest.raises(CallTimeout):
        await server.call(sleeper(10))
    assert trio.current_time() - begun == 5


async def test_the_timeout_covers_the_wait_in_the_queue(node: Node) -> None:
    """DESIGN 3.3. And a request whose caller has given up is handled all the same, as in OTP."""
    log: list[Any] = []
    server = await start(Scripted.child_spec(log))

    async def busy(one: object) -> None:
        await trio.sleep(3)

    server.cast(Do(busy))
    await timed_out(server, sleeper(0), 2)
    assert log == []
    server.cast(Do(busy))
    begun = trio.current_time()
    assert await server.call(sleeper(1), timeout=6) == "reply"
    assert trio.current_time() - begun == 5
    assert log == ["handled", "handled"]


@pytest.mark.parametrize("parked", [True, False])
async def test_a_timeout_of_zero_times_out_at_once(node: Node, parked: bool) -> None:
    """GEN-053: also when the server could answer at once, and it still handles the request."""
    log: list[Any] = []
    for _ in range(20):
        server = await start(Scripted.child_spec(log))
        if parked:
            await trio.sleep(1)
        await timed_out(server, Ask(lambda one, reply_to: one.log.append("handled")), 0)
        await server.stop()
    assert log.count("handled") == 20


@pytest.mark.parametrize("seconds", [-1, -0.001, float("nan"), None, "5", True, 1j])
async def test_a_wrong_timeout_is_refused_and_nothing_is_sent(node: Node, seconds: Any) -> None:
    """GEN-054."""
    log: list[Any] = []
    server = await start(Scripted.child_spec(log))
    with pytest.raises((TypeError, ValueError), match=r"timeout: got .*, allowed is"):
        await server.call(sleeper(0), timeout=seconds)
    await trio.sleep(1)
    assert log == []


def return_late(one: Any, reply_to: ReplyTo[Any]) -> object:
    return "late"


def reply_late(one: Any, reply_to: ReplyTo[Any]) -> object:
    reply_to.reply("late")
    return NoReply()


def error_late(one: Any, reply_to: ReplyTo[Any]) -> object:
    reply_to.error(ValueError("late"))
    return NoReply()


@pytest.mark.parametrize("answer", [return_late, reply_late, error_late])
@pytest.mark.parametrize("how", ["timeout", "cancelled"])
async def test_a_late_reply_appears_nowhere(
    node: Node, answer: Callable[[Any, ReplyTo[Any]], object], how: str
) -> None:
    """GEN-052, DESIGN 3.3: not in the mailbox and not in the next call."""

    async def handler(one: Any, reply_to: ReplyTo[Any]) -> object:
        await trio.sleep(2)
        assert reply_to.answered
        return answer(one, reply_to)

    async def client() -> None:
        server = await start(Scripted.child_spec())
        if how == "timeout":
            await timed_out(server, Ask(handler), 1)
        else:
            with trio.move_on_after(1) as scope:
                await server.call(Ask(handler))
            assert scope.cancelled_caught
        assert await server.call(Ask(lambda one, reply_to: "next")) == "next"
        with trio.move_on_after(10) as scope:
            await receive()
        assert scope.cancelled_caught
        assert is_alive(server)

    await in_process(client)


async def test_a_late_reply_to_a_put_off_call_appears_nowhere(node: Node) -> None:
    """GEN-052, with the ``ReplyTo`` kept beyond the handler."""
    kept: list[ReplyTo[str]] = []

    def defer(one: Any, reply_to: ReplyTo[str]) -> NoReply:
        kept.append(reply_to)
        return NoReply()

    server = await start(Scripted.child_spec())
    await timed_out(server, Ask(defer), 1)
    assert kept[0].answered
    kept[0].reply("late")
    assert await server.call(Ask(lambda one, reply_to: "next")) == "next"


async def test_a_reply_and_a_timeout_in_the_same_tick_end_in_one_of_the_two(node: Node) -> None:
    """DESIGN 3.3. Trio runs the two in random order; whichever is first, the other is nothing."""
    server = await start(Scripted.child_spec())
    outcomes: list[str] = []
    for _ in range(100):
        try:
            outcomes.append(await server.call(sleeper(1), timeout=1))
        except CallTimeout:
            outcomes.append("timeout")
        assert await server.call(Ask(lambda one, reply_to: "next")) == "next"
    assert set(outcomes) <= {"reply", "timeout"}
    assert len(outcomes) == 100


async def test_a_caller_cancelled_in_the_tick_of_the_reply_gets_one_of_the_two(
    node: Node,
) -> None:
    """DESIGN 3.3. The server is not harmed, and the next call gets its own reply."""
    server = await start(Scripted.child_spec())
    outcomes: list[object] = []
    for _ in range(100):
        with trio.move_on_after(1) as scope:
            outcomes.append(await server.call(sleeper(1)))
        if scope.cancelled_caught:
            outcomes.append("cancelled")
        assert await server.call(Ask(lambda one, reply_to: "next")) == "next"
    assert set(outcomes) <= {"reply", "cancelled"}
    assert len(outcomes) == 100


async def test_a_reply_before_a_cancellation_in_one_step_wins(node: Node) -> None:
    """And a cancellation before the reply wins too: the order is that of the two writes."""
    kept: list[ReplyTo[str]] = []

    def defer(one: Any, reply_to: ReplyTo[str]) -> NoReply:
        kept.append(reply_to)
        return NoReply()

    server = await start(Scripted.child_spec())
    for first in ("reply", "cancel"):
        got: list[str] = []
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:

                async def client(got: list[str] = got) -> None:
                    got.append(await server.call(Ask(defer)))

                nursery.start_soon(client)
                await trio.sleep(1)
                if first == "reply":
                    kept[-1].reply("reply")
                    scope.cancel()
                else:
                    scope.cancel()
                    kept[-1].reply("reply")
        assert got == (["reply"] if first == "reply" else [])


async def test_calls_that_were_given_up_leave_nothing_at_the_server(node: Node) -> None:
    server = await start(Scripted.child_spec())
    kept: list[ReplyTo[str]] = []

    def defer(one: Any, reply_to: ReplyTo[str]) -> NoReply:
        kept.append(reply_to)
        return NoReply()

    for _ in range(200):
        with pytest.raises(CallTimeout):
            await server.call(Ask(defer), timeout=0.001)
    process = find_process(server)
    assert process is not None
    assert len(process.pending) == 0
    assert await get_state(server)


async def test_by_name_it_is_the_name_that_the_error_holds(node: Node) -> None:
    await start(Scripted.child_spec().replace(name="slow"))
    error = await timed_out(named("slow"), sleeper(2), 1)
    assert error.target == named("slow")
    assert "named('slow')" in str(error)
