"""How long one call takes while a thousand processes are busy."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import perf_counter

import trio

from benchmarks.beam import elixir
from benchmarks.effort import MICROSECONDS, Effort, Values
from benchmarks.figure import ASYNCIO, OURS, TRIO, Contender, Figure, Row, Subject
from benchmarks.grounds import in_node, on_asyncio, on_trio
from benchmarks.measuring import distribution
from benchmarks.raw_asyncio import Asked, background
from benchmarks.raw_asyncio import ask as ask_asyncio
from benchmarks.raw_asyncio import echo as echo_asyncio
from benchmarks.raw_trio import Inbox, ask, echo
from benchmarks.servers import Echo, Ping
from runtime import Cast, GenServer, handles, self_, send_after

BUSY = 1_000
PERIOD = 0.05
SECONDS = 1.0


class Tick(Cast):
    """Time to do something."""


class Busy(GenServer):
    """Does a little every ``PERIOD`` seconds, beginning at a moment of its own."""

    def __init__(self, delay: float) -> None:
        self._delay = delay

    def init(self) -> None:
        send_after(self_(), Tick(), self._delay)

    @handles(Tick)
    def tick(self, message: Tick) -> None:
        work()
        send_after(self_(), Tick(), PERIOD)


def work() -> int:
    return sum(range(50))


def delays(effort: Effort) -> list[float]:
    busy = effort.number(BUSY)
    return [PERIOD * number / busy for number in range(busy)]


async def latencies(effort: Effort, call: Callable[[], Awaitable[object]]) -> Values:
    """One call after the other, for a second that follows a short run-up."""
    taken: list[float] = []
    began = perf_counter()
    until = began + effort.lasting(SECONDS) + PERIOD
    before = began
    while before < until:
        await call()
        now = perf_counter()
        if now > began + PERIOD or not taken:
            taken.append((now - before) * MICROSECONDS)
        before = now
    return distribution(taken)


@in_node
async def latency_ours(effort: Effort) -> Values:
    server = await Echo.start()
    for delay in delays(effort):
        await Busy.start(delay)
    return await latencies(effort, lambda: server.call(Ping()))


@on_trio
async def latency_trio(effort: Effort) -> Values:
    inbox: Inbox[object] = Inbox()

    async def busy(delay: float) -> None:
        await trio.sleep(delay)
        while True:
            work()
            await trio.sleep(PERIOD)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(echo, inbox)
        for delay in delays(effort):
            nursery.start_soon(busy, delay)
        values = await latencies(effort, lambda: ask(inbox, 1))
        nursery.cancel_scope.cancel()
    return values


@on_asyncio
async def latency_asyncio(effort: Effort) -> Values:
    queue: asyncio.Queue[Asked] = asyncio.Queue()

    async def busy(delay: float) -> None:
        await asyncio.sleep(delay)
        while True:
            work()
            await asyncio.sleep(PERIOD)

    async def all_busy() -> None:
        await asyncio.gather(*map(busy, delays(effort)))

    async with background(echo_asyncio(queue)), background(all_busy()):
        return await latencies(effort, lambda: ask_asyncio(queue, 1))
    raise AssertionError("the blocks swallow nothing")


SUBJECT = Subject(
    "latency",
    "Latency under load",
    (
        Figure(
            "latency",
            "call beside 1,000 busy processes",
            f"a call to an idle server while {BUSY:,} processes do a little every "
            f"{PERIOD * 1000:g} ms each, one call after the other for {SECONDS:g} s",
            (
                Contender(OURS, latency_ours),
                Contender(TRIO, latency_trio, "deque"),
                Contender(ASYNCIO, latency_asyncio),
                elixir("latency", "latency"),
            ),
            (Row("p50"), Row("p99"), Row("p99.9"), Row("max")),
            rounds=3,
        ),
    ),
)
