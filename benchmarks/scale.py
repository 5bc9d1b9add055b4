"""The cost of an operation beside more and more idle processes.

What counts is the growth from 100 to 100,000. A full pass of the garbage collector comes before the
measurements beside each number, so that none falls into them; what a pass costs is the business of
``collector``.
"""

from __future__ import annotations

import gc
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import TypeAlias

import trio
from trio.testing import wait_all_tasks_blocked

from benchmarks.beam import elixir
from benchmarks.effort import Effort, Values
from benchmarks.figure import OURS, TRIO, Contender, Figure, Row, Subject, Target
from benchmarks.grounds import in_node, on_trio
from benchmarks.isolated import hand_over
from benchmarks.raw_trio import Countdown, Inbox, ask, echo
from benchmarks.servers import Add, Echo, Ping
from runtime import Pid, Registry, RegistryRef, receive, send_after, spawn
from supervisors import DynamicSupervisor, DynamicSupervisorRef

SIZES = (100, 1_000, 10_000, 100_000)
BATCH = 100
A_DAY = 86_400.0
CALL, CAST, CHILD, LOOKUP = "call", "cast", "start and stop", "lookup"
WITH_TIMERS = "call beside timers"
OPERATIONS = (CALL, CAST, CHILD, LOOKUP, WITH_TIMERS)

Operation: TypeAlias = Callable[[int], Awaitable[object]]


def row(operation: str, size: int) -> str:
    return f"{operation}, {size:,}"


def growth(operation: str) -> str:
    return f"{operation}, growth"


def with_growth(values: Mapping[str, float]) -> Values:
    """The most processes against the fewest, for each operation that was measured."""
    grown = {
        growth(operation): values[row(operation, SIZES[-1])] / values[row(operation, SIZES[0])]
        for operation in OPERATIONS
        if row(operation, SIZES[0]) in values
    }
    return {**values, **grown}


async def measure(
    effort: Effort,
    operations: Mapping[str, Operation],
    grow_to: Callable[[int], Awaitable[object]],
) -> dict[str, float]:
    """Every operation beside each number of processes."""
    values: dict[str, float] = {}
    settled = replace(effort, collects=False)
    for size in SIZES:
        gc.disable()
        await grow_to(effort.number(size))
        gc.enable()
        effort.settle()
        for name, operation in operations.items():
            values[row(name, size)] = (await settled.per_operation(operation, exactly=BATCH))[""]
    return values


@in_node
async def scale_ours(effort: Effort) -> Values:
    server = await Echo.start()
    supervisor = DynamicSupervisorRef(await DynamicSupervisor.start())
    spec = Echo.child_spec()
    names: RegistryRef[str, None] = RegistryRef(await Registry.start("unique"))
    idle: list[Pid] = []

    async def registered() -> None:
        names.register("name")
        await receive()

    async def wait() -> None:
        await receive()

    async def grow_to(size: int) -> None:
        idle.extend(spawn(wait) for _ in range(size - len(idle)))
        await wait_all_tasks_blocked()

    async def calls(count: int) -> None:
        for _ in range(count):
            await server.call(Ping())

    async def casts(count: int) -> None:
        for _ in range(count):
            server.cast(Add())
        await server.call(Ping())

    async def children(count: int) -> None:
        for _ in range(count):
            await supervisor.terminate_child(await supervisor.start_child(spec))

    async def lookups(count: int) -> None:
        for _ in range(count):
            names.lookup("name")

    spawn(registered)
    operations = {CALL: calls, CAST: casts, CHILD: children, LOOKUP: lookups}
    values = await measure(effort, operations, grow_to)
    settled = replace(effort, collects=False)
    for size in SIZES:
        for pid in idle[: effort.number(size)]:
            send_after(pid, None, A_DAY)
        values[row(WITH_TIMERS, size)] = (await settled.per_operation(calls, exactly=BATCH))[""]
    return hand_over(with_growth(values))


@on_trio
async def scale_trio(effort: Effort) -> Values:
    inbox: Inbox[object] = Inbox()
    names = {"name": [(inbox, None)]}

    async def calls(count: int) -> None:
        for _ in range(count):
            await ask(inbox, 1)

    async def calls_in_time(count: int) -> None:
        for _ in range(count):
            with trio.fail_after(5):
                await ask(inbox, 1)

    async def casts(count: int) -> None:
        for _ in range(count):
            inbox.put(1)
        await ask(inbox, 1)

    async def children(count: int) -> None:
        for _ in range(count):
            async with trio.open_nursery() as nursery:
                up = Countdown(1)

                async def child(up: Countdown = up) -> None:
                    up.down()
                    await trio.sleep_forever()

                nursery.start_soon(child)
                await up.zero()
                nursery.cancel_scope.cancel()

    async def lookups(count: int) -> None:
        for _ in range(count):
            list(names["name"])

    async def beside(
        wait: Callable[[], Awaitable[object]], operations: Mapping[str, Operation]
    ) -> Values:
        idle = 0
        async with trio.open_nursery() as nursery:

            async def grow_to(size: int) -> None:
                nonlocal idle
                for _ in range(size - idle):
                    nursery.start_soon(wait)
                idle = max(size, idle)
                await wait_all_tasks_blocked()

            nursery.start_soon(echo, inbox)
            values = await measure(effort, operations, grow_to)
            nursery.cancel_scope.cancel()
        return values

    async def sleep_a_day() -> None:
        await trio.sleep(A_DAY)

    parked = await beside(
        trio.sleep_forever,
        {CALL: calls, CAST: casts, CHILD: children, LOOKUP: lookups},
    )
    asleep = await beside(sleep_a_day, {WITH_TIMERS: calls_in_time})
    return hand_over(with_growth({**parked, **asleep}))


def figures() -> tuple[Figure, ...]:
    rows: list[Row] = []
    for operation in OPERATIONS:
        rows += [Row(row(operation, size)) for size in SIZES]
        rows.append(Row(growth(operation), Target(1.3, TRIO), "x"))
    return (
        Figure(
            "scale",
            "",
            "an operation beside so many idle processes, or tasks; growth is the last by the first",
            (
                Contender(OURS, scale_ours, isolated=True),
                Contender(TRIO, scale_trio, isolated=True),
                elixir("scale", "scale"),
            ),
            tuple(rows),
            rounds=2,
        ),
    )


SUBJECT = Subject("scale", "Scale: beside 100 to 100,000 idle processes", figures())
