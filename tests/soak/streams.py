"""Streams with every kind of source, task, consumer and end, for as long as asked."""

from __future__ import annotations

import gc
import math
import random
from collections import Counter
from collections.abc import AsyncIterable, Generator, Iterable
from typing import Any, TypeAlias

import trio

from runtime import (
    Crashed,
    Exited,
    Ok,
    ProcessExit,
    Stream,
    TaskTimeout,
    TimedOut,
    async_stream,
    async_stream_nolink,
    kill,
    processes,
    self_,
    spawn,
    start,
    trap_exits,
    wait_exit,
)
from supervisors import TaskSupervisor, TaskSupervisorRef

AT_ONCE = 5  # streams
MOST_KEPT = 3000  # whatever the count: caches, timers that were called off

FATES = ("value", "value", "value", "at once", "exit", "crash", "kill", "slow")
ENDS = ("all", "all", "some", "error", "cancel", "kill")

Items: TypeAlias = Iterable[int] | AsyncIterable[int]


class Boom(Exception):
    """What a task or a consumer raises."""


class Run:
    """One stream, its items' fates, and what has become of them."""

    def __init__(self, seed: int, supervisor: TaskSupervisorRef) -> None:
        self._dice = random.Random(seed)
        self._supervisor = supervisor
        self.count = self._dice.randrange(1, 60)
        self._fates = [self._dice.choice(FATES) for _ in range(self.count)]
        self._seconds = [self._dice.randrange(8) / 8 for _ in range(self.count)]
        self._concurrency = self._dice.randrange(1, 9)
        self._ordered = self._dice.random() < 0.5
        self._end = self._dice.choice(ENDS)
        self._alive = self._most = 0
        self._started: Counter[int] = Counter()
        self._handed_out: list[int] = []
        self._cleaned_up = 0

    async def run(self) -> int:
        """The life of the consumer as a process; returns how many items were worked at."""
        consumer = spawn(self._consume)
        if self._end == "kill":
            await trio.sleep(self._dice.randrange(16) / 8)
            kill(consumer)
        reason = await wait_exit(consumer)
        if isinstance(reason, Crashed):  # it has seen what must not be
            raise reason.exception
        self._check()
        return len(self._started)

    async def _consume(self) -> None:
        trap_exits()
        try:
            with trio.move_on_after(2 if self._end == "cancel" else math.inf):
                await self._iterate()
        except (Boom, TaskTimeout):
            assert self._end == "error", "an error came from nowhere"
        assert self._alive == 0, f"{self._alive} tasks outlive their stream"

    async def _iterate(self) -> None:
        async with self._stream() as results:
            while True:
                impatient = self._dice.random() < 0.3
                with trio.move_on_after(0.125 if impatient else math.inf):
                    try:
                        result = await anext(results)
                    except StopAsyncIteration:
                        assert len(self._handed_out) == self.count, "an item was lost"
                        return
                    self._note(result)
                    if len(self._handed_out) > self.count // 2:
                        if self._end == "error":
                            raise Boom
                        if self._end == "some":
                            return
                await trio.sleep(self._dice.choice((0, 0, 0.125)))

    def _note(self, result: Ok[int] | Exited[int]) -> None:
        if isinstance(result, Ok):
            number, fate = result.value, self._fates[result.value]
            assert fate in ("value", "at once"), f"{fate} has a value"
        else:
            assert result.input is not None, "the input is missing"
            number, fate = result.input, self._fates[result.input]
            late = isinstance(result.reason, TimedOut)
            assert late == (fate == "slow"), f"{fate} ended with {result.reason!r}"
        if self._ordered:
            assert number == len(self._handed_out), "out of order"
        self._handed_out.append(number)

    # -- the parts ----------------------------------------------------------------------------

    def _stream(self) -> Stream[int, int]:
        options: dict[str, Any] = {
            "max_concurrency": self._concurrency,
            "ordered": self._ordered,
            "timeout": 2.0,
            "on_timeout": "kill_task",
            "zip_input_on_exit": True,
        }
        makers = (
            async_stream,
            async_stream_nolink,
            self._supervisor.async_stream,
            self._supervisor.async_stream_nolink,
        )
        return self._dice.choice(makers)(self._source(), self._work, **options)

    def _source(self) -> Items:
        match self._dice.randrange(4):
            case 0:
                return self._generator()
            case 1:
                return _Ticking(self.count)
            case 2:
                return _channel(self.count)
            case _:
                return list(range(self.count))

    def _generator(self) -> Generator[int]:
        try:
            yield from range(self.count)
        finally:
            self._cleaned_up += 1

    async def _work(self, number: int) -> int:
        self._started[number] += 1
        self._alive += 1
        self._most = max(self._most, self._alive)
        try:
            return await self._meet_fate(number)
        finally:
            self._alive -= 1

    async def _meet_fate(self, number: int) -> int:
        fate = self._fates[number]
        if fate != "at once":
            await trio.sleep(self._seconds[number])
        if fate == "exit":
            raise ProcessExit("exit")
        if fate == "crash":
            raise Boom
        if fate == "kill":
            kill(self_())
        if fate in ("kill", "slow"):
            await trio.sleep_forever()
        return number

    def _check(self) -> None:
        assert self._alive == 0, f"{self._alive} tasks are left"
        assert self._most <= self._concurrency, f"{self._most} tasks at once"
        assert max(self._started.values(), default=1) == 1, "an item was worked at twice"
        assert len(set(self._handed_out)) == len(self._handed_out), "a result came twice"
        assert self._cleaned_up <= 1, "the source was cleaned up twice"
        if self._end == "all":
            assert len(self._handed_out) == self.count, "a result was lost"


class _Ticking:
    """An async iterator that waits before each item, and loses none when it is cancelled."""

    def __init__(self, count: int) -> None:
        self._left = iter(range(count))

    def __aiter__(self) -> _Ticking:
        return self

    async def __anext__(self) -> int:
        await trio.sleep(0.0625)
        for number in self._left:
            return number
        raise StopAsyncIteration


def _channel(count: int) -> AsyncIterable[int]:
    """All items at once, then the end."""
    sender, receiver = trio.open_memory_channel[int](count)
    with sender:
        for number in range(count):
            sender.send_nowait(number)
    return receiver


async def churn(count: int, seed: int) -> None:
    """Let streams come and go until ``count`` items were worked at.

    Raises if an item or a result was lost, came twice or out of order, if there were ever more
    tasks than allowed, or if anything is left. Needs an open node without instruments that keep
    what they are told; meant for virtual time.
    """
    before, there = _objects(), set(processes())
    supervisor = TaskSupervisorRef(await start(TaskSupervisor.child_spec()))
    await _run_streams(count, seed, supervisor)
    assert await supervisor.children() == [], "the supervisor has children left"
    await supervisor.stop()
    assert set(processes()) == there, "processes are left"
    kept = _objects() - before
    assert kept < MOST_KEPT, f"{kept} objects were kept"


async def _run_streams(count: int, seed: int, supervisor: TaskSupervisorRef) -> None:
    """Some at once: as tasks of a stream."""
    dice = random.Random(seed)
    done = 0

    def seeds() -> Generator[int]:
        while done < count:
            yield dice.getrandbits(32)

    async def one(seed: int) -> int:
        return await Run(seed, supervisor).run()

    stream = async_stream_nolink(
        seeds(), one, max_concurrency=AT_ONCE, timeout=math.inf, ordered=False
    )
    async with stream as results:
        async for result in results:
            assert isinstance(result, Ok), f"a run has failed: {result}"
            done += result.value


def _objects() -> int:
    gc.collect()
    return len(gc.get_objects())
