from __future__ import annotations

import random
from collections import deque
from collections.abc import Sequence
from typing import Any

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from examples.codesearch import chaos as chaos_module
from examples.codesearch.chaos import Chaos, choose_moments
from examples.codesearch.tally import Tally
from runtime import Node, start
from supervisors.pipeline import (
    Acknowledger,
    Batcher,
    BatchInfo,
    Message,
    Pipeline,
    PipelineRef,
    Producers,
    Source,
)

NAMES = [str(number) for number in range(60)]


class Waiting(Acknowledger):
    """The names that are to be delivered; what is given back is again."""

    def __init__(self) -> None:
        self.names = deque(NAMES)

    def ack(self, reference: object, successful: object, failed: object) -> None: ...

    def give_back(self, reference: object, messages: Sequence[Message[Any]]) -> None:
        self.names.extend(str(message.receipt) for message in messages)


class Names(Source[str]):
    def __init__(self, waiting: Waiting) -> None:
        self.waiting = waiting
        self.unmet = 0

    async def init(self) -> None:
        nursery = await self.enter(trio.open_nursery())
        nursery.start_soon(self.look)

    def handle_demand(self, demand: int) -> None:
        self.unmet += demand

    async def look(self) -> None:
        while True:
            await trio.sleep(0.001)
            while self.unmet and self.waiting.names:
                self.unmet -= 1
                name = self.waiting.names.popleft()
                self.emit([Message(name, self.waiting, receipt=name)])


class Noting(Pipeline[str]):
    def __init__(self, tally: Tally, chaos: Chaos) -> None:
        self.tally = tally
        self.chaos = chaos

    async def handle_message(self, message: Message[str]) -> Message[str]:
        self.tally.note_parsed(message.data)
        await self.chaos.caught_up()
        return message

    def handle_batch(self, messages: list[Message[str]], batch: BatchInfo) -> list[Message[str]]:
        self.tally.note_stored(message.data for message in messages)
        return messages


async def run(times: int, seed: int) -> tuple[Tally, Chaos]:
    """Let the names go through a pipeline with chaos."""
    tally = Tally(NAMES)
    chaos = Chaos(PipelineRef("noting"), tally, times, seed)
    waiting = Waiting()
    spec = Noting(tally, chaos).child_spec(
        name="noting",
        producers=Producers(make=lambda index: Names(waiting)),
        batchers={"default": Batcher(size=5, timeout=0.1)},
        max_restarts=times,
    )
    await start(spec)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(chaos.cause)
        await tally.finished()
    return tally, chaos


@pytest.mark.parametrize("seed", range(3))
async def test_so_many_are_killed_and_nothing_is_lost(
    node: Node, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chaos_module, "worker_processes", list)
    tally, chaos = await run(times=25, seed=seed)
    assert chaos.killed.total() == 25
    assert chaos.killed.keys() == {"source", "processor", "batcher", "batch processor"}
    assert tally.stored == len(NAMES)


async def test_no_chaos_is_no_kill(node: Node) -> None:
    tally, chaos = await run(times=0, seed=0)
    assert (chaos.killed.total(), tally.stored) == (0, len(NAMES))


async def test_nobody_waits_for_kills_that_do_not_come(node: Node) -> None:
    tally = Tally(NAMES)
    chaos = Chaos(PipelineRef("not there"), tally, times=3, seed=0)
    for name in NAMES:
        tally.note_parsed(name)
    async with trio.open_nursery() as outer:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(chaos.cause)
            outer.start_soon(chaos.caught_up)
            await trio.sleep(5)
            assert len(outer.child_tasks) == 1
            nursery.cancel_scope.cancel()
    assert chaos.killed.total() == 0


@given(st.integers(0, 100), st.integers(1, 1000), st.integers())
def test_every_moment_comes_before_the_last_file(times: int, total: int, seed: int) -> None:
    moments = choose_moments(times, total, random.Random(seed))
    assert len(moments) == times
    assert moments == sorted(moments)
    assert all(0 <= moment < total for moment in moments)


def test_without_files_there_is_no_chaos() -> None:
    assert choose_moments(5, 0, random.Random(0)) == []
