"""``Idle``: a server is told when nothing has arrived for a while."""

from __future__ import annotations

from typing import Any

import trio

from runtime import (
    GenServer,
    Idle,
    IdleTimeout,
    Killed,
    Node,
    get_state,
    kill,
    self_,
    send_after,
    start,
    wait_exit,
)
from tests.support import Note, Scripted


def note(text: str) -> Note:
    return Note(text=text)


def infos(log: list[Any]) -> list[object]:
    return [entry[1] for entry in log if entry[0] == "info"]


async def test_an_idle_time_without_end_never_comes(node: Node) -> None:
    log: list[Any] = []
    await start(Scripted.child_spec(log, init=lambda one: Idle(float("inf"))))
    await trio.sleep(80_000)
    assert log == []


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
