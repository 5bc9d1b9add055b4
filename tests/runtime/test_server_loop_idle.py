"""``Idle``: a server is told when nothing has arrived for a while."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import trio
import trio.testing

from runtime import (
    Continue,
    GenServer,
    Idle,
    IdleTimeout,
    Killed,
    Node,
    NoReply,
    Ref,
    Reply,
    get_state,
    kill,
    self_,
    send,
    send_after,
    start,
    wait_exit,
)
from tests.support import Ask, Do, Note, Scripted


def note(text: str) -> Note:
    return Note(text=text)


def infos(log: list[Any]) -> list[object]:
    return [entry[1] for entry in log if entry[0] == "info"]


@pytest.mark.parametrize(
    "arm",
    [
        pytest.param(lambda one: one.cast(Do(lambda server: Idle(2))), id="cast"),
        pytest.param(lambda one: one.send(Note(lambda server: Idle(2))), id="info"),
        pytest.param(lambda one: one.send(Note(lambda server: NoReply(then=Idle(2)))), id="then"),
        pytest.param(
            lambda one: one.cast(Do(lambda server: Continue(lambda again: Idle(2)))), id="continue"
        ),
    ],
)
async def test_an_idle_server_is_told_after_that_long(
    node: Node, arm: Callable[[Ref], None]
) -> None:
    """GEN-072."""
    log: list[Any] = []
    server = await start(Scripted.child_spec(log))
    arm(server)
    await trio.sleep(1.9)
    assert log == []
    await trio.sleep(0.2)
    assert infos(log) == [IdleTimeout()]
    await trio.sleep(10)
    assert infos(log) == [IdleTimeout()], "once"


async def test_the_idle_time_runs_after_the_reply(node: Node) -> None:
    """GEN-077."""
    log: list[Any] = []
    server = await start(Scripted.child_spec(log))
    assert await server.call(Ask(lambda one, reply_to: Reply("reply", then=Idle(2)))) == "reply"
    await trio.sleep(1)
    assert log == []
    await trio.sleep(2)
    assert infos(log) == [IdleTimeout()]


@pytest.mark.parametrize("kind", ["info", "cast", "call"])
async def test_any_message_calls_it_off(node: Node, kind: str) -> None:
    """GEN-073: also one that the callback ignores; it is not armed again by itself."""
    log: list[Any] = []
    server = await start(Scripted.child_spec(log, init=lambda one: Idle(2)))
    await trio.sleep(1)
    match kind:
        case "info":
            server.send("ignored")
        case "cast":
            server.cast(Do(lambda one: None))
        case _:
            await server.call(Ask(lambda one, reply_to: 1))
    await trio.sleep(20)
    assert infos(log) == (["ignored"] if kind == "info" else [])


async def test_an_idle_time_of_zero_lets_queued_messages_go_first(node: Node) -> None:
    """GEN-074: then it is called off."""
    log: list[Any] = []

    def init(server: object) -> Idle:
        send(self_(), note("queued"))
        return Idle(0)

    await start(Scripted.child_spec(log, init=init))
    await trio.sleep(1)
    assert infos(log) == [note("queued")]


async def test_an_idle_time_of_zero_is_over_at_once_when_nothing_waits(node: Node) -> None:
    """GEN-075."""
    log: list[Any] = []
    server = await start(Scripted.child_spec(log, init=lambda one: Idle(0)))
    begun = trio.current_time()
    await get_state(server)
    await trio.testing.wait_all_tasks_blocked()
    assert (infos(log), trio.current_time()) == ([IdleTimeout()], begun)


async def test_an_idle_time_without_end_never_comes(node: Node) -> None:
    log: list[Any] = []
    await start(Scripted.child_spec(log, init=lambda one: Idle(float("inf"))))
    await trio.sleep(80_000)
    assert log == []


async def test_somebody_elses_idle_timeout_looks_the_same(node: Node) -> None:
    """GEN-076."""
    log: list[Any] = []
    server = await start(Scripted.child_spec(log))
    server.send(IdleTimeout())
    await get_state(server)
    assert infos(log) == [IdleTimeout()]


async def test_an_idle_timeout_can_be_returned_again_and_again(node: Node) -> None:
    class Ticker(GenServer):
        def __init__(self) -> None:
            self.ticks: list[float] = []

        def init(self) -> Idle:
            return Idle(1)

        def handle_info(self, message: object) -> Idle:
            self.ticks.append(trio.current_time())
            return Idle(1)

    begun = trio.current_time()
    server = await Ticker.start()
    await trio.sleep(3.5)
    assert (await get_state(server))["ticks"] == [begun + 1, begun + 2, begun + 3]


async def test_an_exit_signal_does_not_wait_for_the_idle_time(node: Node) -> None:
    server = await start(Scripted.child_spec(init=lambda one: Idle(100)))
    begun = trio.current_time()
    kill(server)
    assert await wait_exit(server) == Killed()
    assert trio.current_time() == begun


async def test_a_message_and_the_idle_time_in_one_tick_are_both_handled_once(node: Node) -> None:
    """The message may come first and call the idle timeout off, or come after it."""
    for _ in range(50):
        log: list[Any] = []
        server = await start(Scripted.child_spec(log, init=lambda one: Idle(1)))
        send_after(server, note("tick"), 1)
        await trio.sleep(5)
        assert infos(log) in ([note("tick")], [IdleTimeout(), note("tick")])
        await server.stop()


async def test_a_message_just_before_the_idle_time_is_over_calls_it_off(node: Node) -> None:
    """In the same run of the clock, but first."""
    log: list[Any] = []

    def init(server: object) -> Idle:
        send_after(self_(), note("first"), 1)
        return Idle(1)

    await start(Scripted.child_spec(log, init=init))
    await trio.sleep(5)
    assert infos(log) == [note("first")]
