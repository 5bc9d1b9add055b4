"""How late others are while one client calls in a tight loop.

Once with what Python does by itself, as under ``trio.run``, and once with what ``run`` sets for a
service: threads that switch soon, and what has started frozen for the collector. Raw Trio gets the
same both times; the BEAM has nothing of the kind to set.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import trio

from benchmarks.beam import elixir
from benchmarks.effort import Effort, Values
from benchmarks.figure import OURS, TRIO, Contender, Figure, Measure, Row, Subject, Target
from benchmarks.grounds import in_node, on_trio
from benchmarks.measuring import distribution
from benchmarks.raw_trio import Inbox, ask, echo
from benchmarks.servers import Echo, Ping
from runtime import spawn
from supervisors.interpreter import frozen, quick_switches

EVERY = 0.01
SECONDS = 1.5
MILLISECONDS = 1000

TASK = "task"
CLIENT = "client"
THREAD = "thread"

Call = Callable[[], Awaitable[object]]


async def every_ten_milliseconds(
    effort: Effort, then: Callable[[], Awaitable[object]]
) -> list[float]:
    """How late it was each time, in milliseconds, when it had been woken and had done it."""
    late: list[float] = []
    due = trio.current_time()
    until = due + effort.lasting(SECONDS)
    while due < until:
        due = max(due, trio.current_time()) + EVERY
        await trio.sleep_until(due)
        await then()
        late.append((trio.current_time() - due) * MILLISECONDS)
    return late


def every_ten_milliseconds_in_a_thread(effort: Effort) -> list[float]:
    late: list[float] = []
    until = time.perf_counter() + effort.lasting(SECONDS)
    while (began := time.perf_counter()) < until:
        time.sleep(EVERY)
        late.append((time.perf_counter() - began - EVERY) * MILLISECONDS)
    return late


async def nothing() -> None:
    """It was only woken."""


async def lateness(effort: Effort, call: Call) -> Values:
    """Of a task, another client and a thread, by row."""
    late: dict[str, list[float]] = {}

    async def task() -> None:
        late[TASK] = await every_ten_milliseconds(effort, nothing)

    async def client() -> None:
        late[CLIENT] = await every_ten_milliseconds(effort, call)

    async def thread() -> None:
        late[THREAD] = await trio.to_thread.run_sync(every_ten_milliseconds_in_a_thread, effort)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(task)
        nursery.start_soon(client)
        nursery.start_soon(thread)
    return {
        f"{who}, {quantile}": value
        for who, values in late.items()
        for quantile, value in distribution(values).items()
    }


@asynccontextmanager
async def busy_ours() -> AsyncGenerator[Call]:
    server = await Echo.start()
    stopped = False

    async def caller() -> None:
        while not stopped:
            await server.call(Ping())

    spawn(caller)
    try:
        yield lambda: server.call(Ping())
    finally:
        stopped = True


@in_node
async def fairness_ours(effort: Effort) -> Values:
    async with busy_ours() as call:
        return await lateness(effort, call)
    raise AssertionError("the block swallows nothing")


@on_trio
async def fairness_trio(effort: Effort) -> Values:
    inbox: Inbox[object] = Inbox()

    async def caller() -> None:
        while True:
            await ask(inbox, 1)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(echo, inbox)
        nursery.start_soon(caller)
        values = await lateness(effort, lambda: ask(inbox, 1))
        nursery.cancel_scope.cancel()
    return values


def as_it_is(measure: Measure) -> Measure:
    """Nothing is set."""
    return measure


def as_run_sets_it(measure: Measure) -> Measure:
    """With what ``run`` asks of the interpreter."""

    def measured(effort: Effort) -> Values:
        with quick_switches(), frozen():
            return measure(effort)

    return measured


QUANTILES = {"p50": None, "p90": None, "p99": Target(5.0), "max": None}


def rows() -> tuple[Row, ...]:
    return tuple(
        Row(f"{who}, {quantile}", target, "ms")
        for who in (TASK, CLIENT, THREAD)
        for quantile, target in QUANTILES.items()
    )


def figure(name: str, title: str, under: Callable[[Measure], Measure]) -> Figure:
    return Figure(
        name,
        title,
        f"every {EVERY * MILLISECONDS:g} ms for {SECONDS:g} s: a Trio task is woken, another "
        "client has its reply, a worker thread (to_thread) is woken",
        (
            Contender(OURS, under(fairness_ours), isolated=True),
            Contender(TRIO, under(fairness_trio), "deque", isolated=True),
            elixir("fairness", "fairness"),
        ),
        rows(),
        rounds=2,
    )


SUBJECT = Subject(
    "fairness",
    "Fairness: how late beside a client that calls in a tight loop, ms",
    (
        figure("fairness", "lateness under trio.run", as_it_is),
        figure("fairness-run", "lateness under run", as_run_sets_it),
    ),
)
