"""The pauses of the garbage collector beside many processes, before and after ``gc.freeze()``."""

from __future__ import annotations

import gc
from collections.abc import Awaitable, Callable
from functools import partial
from time import perf_counter, thread_time
from types import TracebackType
from typing import Self

import trio
from trio.testing import wait_all_tasks_blocked

from benchmarks.effort import Effort, Values
from benchmarks.figure import OURS, TRIO, Contender, Figure, Row, Subject
from benchmarks.grounds import in_node, on_trio
from benchmarks.isolated import hand_over
from benchmarks.raw_trio import Inbox, ask, echo
from benchmarks.servers import Echo, Ping

SIZES = (20_000, 100_000)
SECONDS = 1.0
MILLISECONDS = 1000

STARTING = "longest, while they start"
WORKING = "longest, in a second of work"
FULL = "full pass"
FROZEN = ", frozen"


class Pauses:
    """How long each pass of the collector took in the block, in processor time: it never waits."""

    def __init__(self) -> None:
        self.taken: list[float] = [0.0]
        self._began = 0.0

    def __enter__(self) -> Self:
        gc.callbacks.append(self._told)
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _exc: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        gc.callbacks.remove(self._told)

    def _told(self, phase: str, _info: dict[str, int]) -> None:
        if phase == "start":
            self._began = thread_time()
        else:
            self.taken.append((thread_time() - self._began) * MILLISECONDS)

    @property
    def longest(self) -> float:
        return max(self.taken)


def an_answer() -> int:
    """What a service makes and lets go of: enough for the collector to look at what is young."""
    return len([{"number": number} for number in range(1000)])


def full_pass() -> float:
    with Pauses() as pauses:
        gc.collect()
    return pauses.longest


async def pauses(
    effort: Effort,
    start: Callable[[], Awaitable[object]],
    work: Callable[[], Awaitable[object]],
    size: int,
) -> Values:
    """What the collector costs while so many are started, and beside them once they are there."""

    async def longest_at_work() -> float:
        until = perf_counter() + effort.lasting(SECONDS)
        with Pauses() as told:
            while perf_counter() < until:
                await work()
        return told.longest

    values: dict[str, float] = {}
    with Pauses() as told:
        for _ in range(effort.number(size)):
            await start()
        await wait_all_tasks_blocked()
    values[STARTING] = told.longest
    values[WORKING] = await longest_at_work()
    values[FULL] = full_pass()
    gc.freeze()
    try:
        values[WORKING + FROZEN] = await longest_at_work()
        values[FULL + FROZEN] = full_pass()
    finally:
        gc.unfreeze()
    return hand_over(values)


async def pauses_ours(size: int, effort: Effort) -> Values:
    server = await Echo.start()

    async def work() -> None:
        await (await Echo.start()).stop()
        for _ in range(20):
            await server.call(Ping())
        an_answer()

    return await pauses(effort, Echo.start, work, size)


async def pauses_trio(size: int, effort: Effort) -> Values:
    inbox: Inbox[object] = Inbox()
    async with trio.open_nursery() as nursery:

        async def start() -> None:
            nursery.start_soon(echo, Inbox[object]())

        async def work() -> None:
            for _ in range(20):
                await ask(inbox, 1)
            an_answer()
            async with trio.open_nursery() as child:
                child.start_soon(echo, Inbox[object]())
                await trio.lowlevel.checkpoint()
                child.cancel_scope.cancel()

        nursery.start_soon(echo, inbox)
        values = await pauses(effort, start, work, size)
        nursery.cancel_scope.cancel()
    return values


def figure(size: int) -> Figure:
    rows = (STARTING, WORKING, WORKING + FROZEN, FULL, FULL + FROZEN)
    return Figure(
        f"collector-{size}",
        f"{size:,} idle servers",
        "a pass of the garbage collector, which stops everything: the longest while they start, "
        "the longest in a second of calls, starts and stops and lists of 1,000 dicts, and a full "
        "one; then the same after gc.freeze()",
        (
            Contender(OURS, in_node(partial(pauses_ours, size)), isolated=True),
            Contender(TRIO, on_trio(partial(pauses_trio, size)), "deques", isolated=True),
        ),
        tuple(Row(name, unit="ms") for name in rows),
        rounds=1,
    )


SUBJECT = Subject(
    "collector",
    "Garbage collector: pauses, ms",
    tuple(map(figure, SIZES)),
    ((OURS, TRIO),),
)
