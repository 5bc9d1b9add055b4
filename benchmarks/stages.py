"""Stages: an event among a thousand, what a batch costs, and what a slow consumer leads to."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Awaitable, Callable
from functools import partial
from itertools import count, islice

import trio
from trio.testing import MockClock

from benchmarks.effort import Effort, Values
from benchmarks.figure import OURS, TRIO, Contender, Figure, Measure, Row, Subject, Target, one_row
from benchmarks.grounds import AsyncMeasure, in_node, on_trio
from benchmarks.isolated import hand_over
from benchmarks.servers import Ping
from runtime import Cast, GenServer, handles, open_node
from runtime.stages import Consumer, Producer, Subscription, subscribe

WINDOW = 1_000
EVENTS = 6_000
FAST, SLOW = 0.001, 1.0  # seconds for an event, of a clock that only jumps
KILOBYTE = 1000


class More(Cast):
    """So many events more may be had."""

    count: int


class Source(Producer[int]):
    """Makes what is wanted, as far as it may."""

    def __init__(self) -> None:
        self._numbers = count()
        self._may = self._owed = 0

    def handle_demand(self, demand: int) -> list[int]:
        made = min(demand, self._may)
        self._may -= made
        self._owed += demand - made
        return list(islice(self._numbers, made))

    @handles(More)
    def more(self, message: More) -> None:
        self._may += message.count
        owed, self._owed = self._owed, 0
        self.emit(self.handle_demand(owed))


class Sink(Consumer[int]):
    """Counts."""

    def __init__(self, got: Callable[[int], None]) -> None:
        self._got = got

    def handle_events(self, events: list[int], subscription: Subscription) -> None:
        self._got(len(events))


class Tally:
    """Waits for so many."""

    def __init__(self) -> None:
        self.left = 0
        self._there = trio.Event()

    def expect(self, events: int) -> None:
        self.left += events
        self._there = trio.Event()

    def got(self, events: int) -> None:
        self.left -= events
        if self.left <= 0:
            self._there.set()

    async def wait(self) -> None:
        await self._there.wait()


async def running(max_demand: int, min_demand: int) -> Callable[[int], Awaitable[None]]:
    """A source and a sink; lets so many events travel."""
    tally = Tally()
    source, sink = await Source.start(), await Sink.start(tally.got)
    await subscribe(sink, source, max_demand=max_demand, min_demand=min_demand)

    async def events(number: int) -> None:
        tally.expect(number)
        source.cast(More(number))
        await tally.wait()

    return events


@in_node
async def event_ours(effort: Effort) -> Values:
    return await effort.per_operation(await running(WINDOW, WINDOW // 2))


async def event_trio(room: int, effort: Effort) -> Values:
    give, take = trio.open_memory_channel[int](room)
    orders, ordered = trio.open_memory_channel[int](1)
    tally = Tally()

    async def source() -> None:
        numbers = count()
        async for number in ordered:
            for event in islice(numbers, number):
                await give.send(event)

    async def sink() -> None:
        async for _ in take:
            tally.got(1)

    async def events(number: int) -> None:
        tally.expect(number)
        await orders.send(number)
        await tally.wait()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(source)
        nursery.start_soon(sink)
        values = await effort.per_operation(events)
        nursery.cancel_scope.cancel()
    return values


# -- a batch -----------------------------------------------------------------------------------


class Echo(GenServer):
    @handles(Ping)
    def ping(self, request: Ping) -> int:
        return 1


class Queued(Echo):
    """Its calls go by the mailbox, to its task and back, as they do to one that is busy."""

    inline = False


async def calls(server: type[Echo], effort: Effort) -> float:
    ref = await server.start()

    async def calls(number: int) -> None:
        for _ in range(number):
            await ref.call(Ping())

    return (await effort.per_operation(calls))[""]


@in_node
async def batch_ours(effort: Effort) -> Values:
    """One event each, and the ask for the next."""
    (batch,) = (await effort.per_operation(await running(2, 1))).values()
    queued, inline = await calls(Queued, effort), await calls(Echo, effort)
    return {
        "": batch,
        "beside a call by the mailbox": batch / queued,
        "beside a call that runs at once": batch / inline,
    }


# -- a consumer a thousand times slower than its source ----------------------------------------


class Ledger:
    """What has been made and handled; how many events at most were made and not handled."""

    def __init__(self, events: int) -> None:
        self.made = self.handled = self.ahead = self.alone = 0
        self._first, self._last = events // 3, events - events // 3
        self._peak = self.growth = 0.0
        self._events = events
        self.over = trio.Event()
        gc.collect()
        tracemalloc.start()

    def make(self) -> bytes:
        self.made += 1
        self.ahead = max(self.ahead, self.made - self.handled)
        return bytes(100)

    def handle(self) -> None:
        """In its first third memory may rise to its level, in the last one it is compared."""
        self.handled += 1
        if self.handled == self._first:
            self._peak = peak()
        elif self.handled == self._last:
            tracemalloc.reset_peak()
        if self.handled == self._events:
            self.growth = max((peak() - self._peak) / KILOBYTE, 0.0)
            self.over.set()

    async def values(self, alone: int) -> Values:
        """When all have been handled."""
        await self.over.wait()
        tracemalloc.stop()
        return hand_over(
            {"made for nobody": alone, "made ahead": self.ahead, "memory": self.growth}
        )


def peak() -> float:
    return tracemalloc.get_traced_memory()[1]


class Fast(Producer[bytes]):
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def handle_demand(self, demand: int) -> list[bytes]:
        events: list[bytes] = []
        for _ in range(demand):
            await trio.sleep(FAST)
            events.append(self._ledger.make())
        return events


class Slow(Consumer[bytes]):
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def handle_events(self, events: list[bytes], subscription: Subscription) -> None:
        for _ in events:
            await trio.sleep(SLOW)
            self._ledger.handle()


def jumping(measure: AsyncMeasure) -> Measure:
    """Time costs nothing."""

    def run(effort: Effort) -> Values:
        return trio.run(measure, effort, clock=MockClock(autojump_threshold=0))

    return run


@jumping
async def slow_ours(effort: Effort) -> Values:
    async with open_node(instruments=[]):
        ledger = Ledger(effort.number(EVENTS))
        source = await Fast.start(ledger)
        await trio.sleep(10 * WINDOW * FAST)
        alone = ledger.made
        sink = await Slow.start(ledger)
        await subscribe(sink, source, max_demand=WINDOW)
        return await ledger.values(alone)
    raise AssertionError("a node swallows nothing")


@jumping
async def slow_trio(effort: Effort) -> Values:
    ledger = Ledger(effort.number(EVENTS))
    give, take = trio.open_memory_channel[bytes](WINDOW)

    async def source() -> None:
        while True:
            await trio.sleep(FAST)
            await give.send(ledger.make())

    async def sink() -> None:
        async for _ in take:
            await trio.sleep(SLOW)
            ledger.handle()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(source)
        await trio.sleep(10 * WINDOW * FAST)
        alone = ledger.made
        nursery.start_soon(sink)
        values = await ledger.values(alone)
        nursery.cancel_scope.cancel()
    return values


SUBJECT = Subject(
    "stages",
    "Stages",
    (
        Figure(
            "stage-event",
            "event, `max_demand=1000`",
            "an event from a source to a sink that counts it, of many that are wanted; in Trio one "
            "item through a memory channel",
            (
                Contender(OURS, event_ours),
                Contender(TRIO, on_trio(partial(event_trio, WINDOW)), f"channel of {WINDOW:,}"),
                Contender(TRIO, on_trio(partial(event_trio, 0)), "channel of 0"),
            ),
            one_row(1.0, TRIO),
        ),
        Figure(
            "stage-batch",
            "batch",
            "a batch of one event and the ask for the next, `max_demand=2`; then the same in calls "
            "that take the way by the mailbox, as a batch does, and in calls that run at once",
            (Contender(OURS, batch_ours),),
            (
                Row(),
                Row("beside a call by the mailbox", Target(3.0), "calls"),
                Row("beside a call that runs at once", unit="calls"),
            ),
        ),
        Figure(
            "stage-slow",
            "sink 1,000 times slower",
            f"{EVENTS:,} events of 100 bytes from a source that takes {FAST:g} s for one to a sink "
            f"that takes {SLOW:g} s, `max_demand={WINDOW}`, in virtual time; in Trio by a memory "
            f"channel of {WINDOW:,}. Made for nobody: in the {10 * WINDOW * FAST:g} s before the "
            "sink is there. Made ahead: made and not handled, at most. Memory: what the last third "
            "of the events needed more than the first",
            (
                Contender(OURS, slow_ours, isolated=True),
                Contender(TRIO, slow_trio, isolated=True),
            ),
            (
                Row("made for nobody", Target(0), "events"),
                Row("made ahead", Target(WINDOW), "events"),
                Row("memory", Target(10), "kB"),
            ),
            rounds=1,
        ),
    ),
    ((OURS, TRIO),),
)
