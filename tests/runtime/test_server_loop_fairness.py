"""A busy server lets others run and can be ended; counted in checkpoints, not in time."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import trio
import trio.lowlevel

from runtime import (
    Cast,
    Continue,
    Crashed,
    GenServer,
    Idle,
    Killed,
    MailboxFull,
    MailboxLimit,
    Node,
    Stop,
    is_alive,
    kill,
    ref,
    self_,
    send,
    start,
    wait_exit,
)
from runtime.turn import MESSAGES
from tests.support import Ask, Note, Scripted, in_process


class Flood(Cast):
    left: int


class Flooded(GenServer):
    """It casts to itself, or continues, or idles for no time, again and again."""

    def __init__(self, how: str, steps: list[int]) -> None:
        self.how = how
        self.steps = steps

    def again(self, left: int) -> Any:
        self.steps.append(left)
        if left == 0:
            return Stop("starved the others")
        match self.how:
            case "cast" | "async cast":
                ref(self_()).cast(Flood(left=left - 1))
                return None
            case "continue":
                return Continue(left - 1)
            case _:
                self.left = left - 1
                return Idle(0)

    def handle_cast(self, message: Flood) -> Any:
        return self.again(message.left)

    def handle_continue(self, arg: int) -> Any:
        return self.again(arg)

    def handle_info(self, message: object) -> Any:
        return self.again(self.left)


class FloodedAsync(Flooded):
    """``async def`` without a checkpoint in it yields no more than ``def``."""

    async def handle_cast(self, message: Flood) -> Any:
        return self.again(message.left)


@pytest.mark.parametrize("how", ["cast", "async cast", "continue", "idle"])
async def test_a_server_that_floods_itself_lets_others_run(node: Node, how: str) -> None:
    """Counted in checkpoints of another task: at most a turn of messages lies between two."""
    make = FloodedAsync if how == "async cast" else Flooded
    steps: list[int] = []
    server = await start(make.child_spec(how, steps))
    server.cast(Flood(left=20_000))
    await trio.lowlevel.checkpoint()
    seen = [0]
    for _ in range(20):
        await trio.lowlevel.checkpoint()
        seen.append(len(steps))
    kill(server)
    assert await wait_exit(server) == Killed(), "and it can be ended"
    assert max(after - before for before, after in pairwise(seen)) <= 2 * MESSAGES
    assert seen[-1] > 64


async def test_a_busy_server_is_not_stopped_by_those_who_wait(node: Node) -> None:
    """Two servers that never stop casting to each other, a third that is called meanwhile."""
    one, two = await Flooded.start("cast", []), await Flooded.start("cast", [])
    for server in (one, two):
        server.cast(Flood(left=20_000))
    third = await start(Scripted.child_spec())
    for _ in range(20):
        assert await third.call(Ask(lambda server, reply_to: "here")) == "here"
    assert is_alive(one)
    assert is_alive(two)
    kill(one)
    kill(two)


async def test_what_is_queued_does_not_run_after_a_kill(node: Node) -> None:
    log: list[Any] = []
    server = await start(Scripted.child_spec(log))
    for number in range(1000):
        server.send(number)
    kill(server)
    assert await wait_exit(server) == Killed()
    assert log == []


async def test_a_server_that_sends_to_its_own_full_mailbox_crashes_like_any_sender(
    node: Node,
) -> None:
    server = await start(Scripted.child_spec().replace(mailbox=MailboxLimit(1)))

    def overfill(one: object) -> None:
        send(self_(), "first")
        send(self_(), "second")

    async def watch() -> None:
        server.send(Note(overfill))
        reason = await wait_exit(server)
        assert isinstance(reason, Crashed)
        assert isinstance(reason.exception, MailboxFull)

    await in_process(watch)
