"""Tasks: one function run as a process, and its result."""

from __future__ import annotations

import asyncio

import trio
from trio.lowlevel import Abort, current_task, reschedule, wait_task_rescheduled

from benchmarks.beam import elixir
from benchmarks.effort import Effort, Values
from benchmarks.figure import ASYNCIO, OURS, TRIO, Contender, Figure, Subject
from benchmarks.grounds import in_process, on_asyncio, on_trio
from runtime import Task
from supervisors import TaskSupervisor, TaskSupervisorRef


async def answer() -> int:
    return 42


@in_process
async def alone_ours(effort: Effort) -> Values:
    async def tasks(count: int) -> None:
        for _ in range(count):
            task = await Task.start(answer)
            await task.result()

    return await effort.per_operation(tasks)


@in_process
async def supervised_ours(effort: Effort) -> Values:
    supervisor = TaskSupervisorRef(await TaskSupervisor.start())

    async def tasks(count: int) -> None:
        for _ in range(count):
            task = await supervisor.start(answer)
            await task.result()

    return await effort.per_operation(tasks)


@on_trio
async def task_in_nursery(effort: Effort) -> Values:
    results: list[int] = []

    async with trio.open_nursery() as nursery:

        async def tasks(count: int) -> None:
            for _ in range(count):
                waiter = current_task()

                async def child(waiter: trio.lowlevel.Task = waiter) -> None:
                    results.append(await answer())
                    reschedule(waiter)

                nursery.start_soon(child)
                await wait_task_rescheduled(lambda _: Abort.FAILED)
                results.pop()

        return await effort.per_operation(tasks)
    raise AssertionError("a nursery swallows nothing")


@on_trio
async def task_in_a_nursery_each(effort: Effort) -> Values:
    results: list[int] = []

    async def child() -> None:
        results.append(await answer())

    async def tasks(count: int) -> None:
        for _ in range(count):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(child)
            results.pop()

    return await effort.per_operation(tasks)


@on_asyncio
async def task_asyncio(effort: Effort) -> Values:
    async def tasks(count: int) -> None:
        for _ in range(count):
            await asyncio.create_task(answer())

    return await effort.per_operation(tasks)


RAW_TASKS = (
    Contender(TRIO, task_in_nursery, "start_soon and reschedule"),
    Contender(TRIO, task_in_a_nursery_each, "a nursery for each"),
    Contender(ASYNCIO, task_asyncio),
)

SUBJECT = Subject(
    "tasks",
    "Tasks and streams",
    (
        Figure(
            "task",
            "Task, start and result",
            "a process starts a linked task, whose function returns at once, and has its result",
            (Contender(OURS, alone_ours), *RAW_TASKS, elixir("tasks", "task")),
        ),
        Figure(
            "task-supervised",
            "Task under a TaskSupervisor",
            "the same under a task supervisor",
            (Contender(OURS, supervised_ours), *RAW_TASKS, elixir("tasks", "task-supervised")),
        ),
    ),
)
