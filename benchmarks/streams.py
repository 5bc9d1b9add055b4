"""Streams: a function over many items, so many at a time."""

from __future__ import annotations

import asyncio
from functools import partial

import trio
from trio.lowlevel import Abort, Task, current_task, reschedule, wait_task_rescheduled

from benchmarks.beam import elixir
from benchmarks.effort import Effort, Values
from benchmarks.figure import ASYNCIO, OURS, TRIO, Contender, Figure, Row, Subject, one_row
from benchmarks.grounds import in_process, on_asyncio, on_trio
from runtime import Ok, async_stream

ITEMS = 500


async def same(item: int) -> int:
    return item


async def stream_ours(concurrency: int, effort: Effort) -> Values:
    async def items(count: int) -> None:
        total = 0
        async with async_stream(range(count), same, max_concurrency=concurrency) as results:
            async for result in results:
                assert isinstance(result, Ok)
                total += result.value
        assert total == sum(range(count))

    return await effort.per_operation(items, exactly=ITEMS)


async def tasks_within_bounds(concurrency: int, effort: Effort) -> Values:
    """A task for each item, at most so many at a time."""

    async def items(count: int) -> None:
        results: dict[int, int] = {}
        free = concurrency
        waiter: Task | None = None

        async def run(item: int) -> None:
            nonlocal free, waiter
            results[item] = await same(item)
            free += 1
            woken, waiter = waiter, None
            if woken is not None:
                reschedule(woken)

        async with trio.open_nursery() as nursery:
            for item in range(count):
                if not free:
                    waiter = current_task()
                    await wait_task_rescheduled(lambda _: Abort.FAILED)
                free -= 1
                nursery.start_soon(run, item)
        assert sum(results.values()) == sum(range(count))

    return await effort.per_operation(items, exactly=ITEMS)


@on_trio
async def tasks_at_once(effort: Effort) -> Values:
    """``start_soon`` and nothing else."""

    async def items(count: int) -> None:
        results: list[int] = []

        async def run(item: int) -> None:
            results.append(await same(item))

        async with trio.open_nursery() as nursery:
            for item in range(count):
                nursery.start_soon(run, item)
        assert sum(results) == sum(range(count))

    return await effort.per_operation(items, exactly=ITEMS)


async def tasks_asyncio(concurrency: int, effort: Effort) -> Values:
    async def items(count: int) -> None:
        bound = asyncio.Semaphore(concurrency)

        async def run(item: int) -> int:
            async with bound:
                return await same(item)

        results = await asyncio.gather(*map(run, range(count)))
        assert sum(results) == sum(range(count))

    return await effort.per_operation(items, exactly=ITEMS)


def stream(concurrency: int) -> Figure:
    return Figure(
        f"stream-{concurrency}",
        f"async_stream at concurrency {concurrency}",
        "an item of a stream whose function returns it at once",
        (
            Contender(OURS, in_process(partial(stream_ours, concurrency))),
            Contender(
                TRIO, on_trio(partial(tasks_within_bounds, concurrency)), "bounded start_soon"
            ),
            *([Contender(TRIO, tasks_at_once, "start_soon")] if concurrency == 100 else []),
            Contender(ASYNCIO, on_asyncio(partial(tasks_asyncio, concurrency))),
            elixir("streams", f"stream-{concurrency}"),
        ),
        one_row(1.5, TRIO) if concurrency == 100 else (Row(),),
    )


SUBJECT = Subject("streams", "Tasks and streams", (stream(1), stream(10), stream(100)))
