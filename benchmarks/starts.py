"""Starting and stopping: raw processes, and servers under a supervisor."""

from __future__ import annotations

import asyncio
from functools import partial
from time import thread_time

import trio

from benchmarks.beam import elixir
from benchmarks.effort import Effort, Values
from benchmarks.figure import ASYNCIO, OURS, TRIO, Contender, Figure, Row, Subject, Target
from benchmarks.grounds import in_node, in_process, on_asyncio, on_trio
from benchmarks.raw_trio import Countdown
from benchmarks.servers import SERVERS
from runtime import spawn, start
from supervisors import DynamicSupervisor, DynamicSupervisorRef, Supervisor, SupervisorRef

BATCH = 100
"""Children of a supervisor."""


# -- raw processes -----------------------------------------------------------------------------


@in_process
async def spawn_ours(effort: Effort) -> Values:
    async def spawns(count: int) -> None:
        ended = Countdown(count)

        async def body() -> None:
            ended.down()

        for _ in range(count):
            spawn(body)
        await ended.zero()

    return await effort.per_operation(spawns, exactly=BATCH)


@on_trio
async def spawn_trio(effort: Effort) -> Values:
    async def spawns(count: int) -> None:
        async def body() -> None:
            pass

        async with trio.open_nursery() as nursery:
            for _ in range(count):
                nursery.start_soon(body)

    return await effort.per_operation(spawns, exactly=BATCH)


@on_asyncio
async def spawn_asyncio(effort: Effort) -> Values:
    async def spawns(count: int) -> None:
        async def body() -> None:
            pass

        async with asyncio.TaskGroup() as group:
            for _ in range(count):
                group.create_task(body())

    return await effort.per_operation(spawns, exactly=BATCH)


# -- children ----------------------------------------------------------------------------------


async def dynamic_ours(init: str, effort: Effort) -> Values:
    supervisor = DynamicSupervisorRef(await DynamicSupervisor.start())
    spec = SERVERS[init].child_spec()

    async def lap(count: int) -> Values:
        began = thread_time()
        children = [await supervisor.start_child(spec) for _ in range(count)]
        up = thread_time()
        for child in children:
            await supervisor.terminate_child(child)
        return {"start": up - began, "stop": thread_time() - up}

    return await effort.laps(lap, exactly=BATCH)


async def static_ours(init: str, effort: Effort) -> Values:
    spec = SERVERS[init].child_spec()

    async def lap(count: int) -> Values:
        tree = Supervisor.child_spec([spec.replace(id=number) for number in range(count)])
        began = thread_time()
        supervisor = SupervisorRef(await start(tree))
        up = thread_time()
        await supervisor.stop()
        return {"start": up - began, "stop": thread_time() - up}

    return await effort.laps(lap, exactly=BATCH)


@on_trio
async def children_trio(effort: Effort) -> Values:
    """``start_soon`` of tasks that park, until all do; then their nursery is cancelled."""

    async def lap(count: int) -> Values:
        began = thread_time()
        up = began
        all_up = Countdown(count)

        async def child() -> None:
            all_up.down()
            await trio.sleep_forever()

        async with trio.open_nursery() as nursery:
            for _ in range(count):
                nursery.start_soon(child)
            await all_up.zero()
            up = thread_time()
            nursery.cancel_scope.cancel()
        return {"start": up - began, "stop": thread_time() - up}

    return await effort.laps(lap, exactly=BATCH)


@on_trio
async def children_trio_one_by_one(effort: Effort) -> Values:
    """``nursery.start`` of tasks with a scope of their own, by which they are stopped."""

    async def child(task_status: trio.TaskStatus[tuple[trio.CancelScope, trio.Event]]) -> None:
        ended = trio.Event()
        with trio.CancelScope() as scope:
            task_status.started((scope, ended))
            await trio.sleep_forever()
        ended.set()

    async def lap(count: int) -> Values:
        async with trio.open_nursery() as nursery:
            began = thread_time()
            children = [await nursery.start(child) for _ in range(count)]
            up = thread_time()
            for scope, ended in children:
                scope.cancel()
                await ended.wait()
            down = thread_time()
        return {"start": up - began, "stop": down - up}

    return await effort.laps(lap, exactly=BATCH)


@on_asyncio
async def children_asyncio(effort: Effort) -> Values:
    async def lap(count: int) -> Values:
        began = thread_time()
        left = count
        all_up = asyncio.Event()

        async def child() -> None:
            nonlocal left
            left -= 1
            if left == 0:
                all_up.set()
            await asyncio.Future()

        children = [asyncio.create_task(child()) for _ in range(count)]
        await all_up.wait()
        up = thread_time()
        for task in children:
            task.cancel()
        await asyncio.wait(children)
        return {"start": up - began, "stop": thread_time() - up}

    return await effort.laps(lap, exactly=BATCH)


RAW_CHILDREN = (
    Contender(TRIO, children_trio, "start_soon, cancel the nursery"),
    Contender(ASYNCIO, children_asyncio),
)
ONE_BY_ONE = Contender(TRIO, children_trio_one_by_one, "nursery.start, cancel each")
WITH_TARGET = (Row("start", Target(2.5, TRIO)), Row("stop"))
WITHOUT = (Row("start"), Row("stop"))

SUBJECT = Subject(
    "starts",
    "Starting and stopping",
    (
        Figure(
            "spawn",
            "spawn",
            "a raw process that ends at once is started, and has run",
            (
                Contender(OURS, spawn_ours),
                Contender(TRIO, spawn_trio, "start_soon"),
                Contender(ASYNCIO, spawn_asyncio),
                elixir("starts", "spawn"),
            ),
        ),
        Figure(
            "start",
            "child of a DynamicSupervisor, def init",
            "start_child returns when init has run; terminate_child when the child is gone",
            (
                Contender(OURS, in_node(partial(dynamic_ours, "def"))),
                *RAW_CHILDREN,
                ONE_BY_ONE,
                elixir("starts", "start"),
            ),
            WITH_TARGET,
        ),
        Figure(
            "start-async",
            "child of a DynamicSupervisor, async def init",
            "the same with an async def init",
            (
                Contender(OURS, in_node(partial(dynamic_ours, "async def"))),
                *RAW_CHILDREN,
                elixir("starts", "start"),
            ),
            WITHOUT,
        ),
        Figure(
            "start-tree",
            "child of a Supervisor, def init",
            f"a supervisor with {BATCH} children is started, and stopped; per child",
            (
                Contender(OURS, in_node(partial(static_ours, "def"))),
                *RAW_CHILDREN,
                elixir("starts", "start-tree"),
            ),
            WITH_TARGET,
        ),
        Figure(
            "start-tree-async",
            "child of a Supervisor, async def init",
            "the same with an async def init",
            (
                Contender(OURS, in_node(partial(static_ours, "async def"))),
                *RAW_CHILDREN,
                elixir("starts", "start-tree"),
            ),
            WITHOUT,
        ),
    ),
)
