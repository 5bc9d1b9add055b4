"""How late others are while one client calls in a tight loop."""

from __future__ import annotations

import sys
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

EVERY = 0.01
SECONDS = 1.5
QUICK_SWITCHES = 0.0005
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


def with_quick_switches(measure: Measure) -> Measure:
    """With the interpreter asked to change threads ten times as often as by default."""

    def run(effort: Effort) -> Values:
        before = sys.getswitchinterval()
        sys.setswitchinterval(QUICK_SWITCHES)
        try:
            return measure(effort)
        finally:
            sys.setswitchinterval(before)

    return run


def rows() -> tuple[Row, ...]:
    return tuple(
        Row(f"{who}, {quantile}", target, "ms")
        for who in (TASK, CLIENT, THREAD)
        for quantile, target in (("p50", None), ("p99", Target(5.0)), ("max", None))
    )


SUBJECT = Subject(
    "fairness",
    "Fairness: how late beside a client that calls in a tight loop, ms",
    (
        Figure(
            "fairness",
            "",
            f"every {EVERY * MILLISECONDS:g} ms for {SECONDS:g} s: a Trio task is woken, another "
            "client has its reply, a worker thread (to_thread) is woken",
            (
                Contender(OURS, fairness_ours),
                Contender("switch 0.5 ms", with_quick_switches(fairness_ours)),
                Contender(TRIO, fairness_trio, "deque"),
                elixir("fairness", "fairness"),
            ),
            rows(),
            rounds=3,
        ),
    ),
)
