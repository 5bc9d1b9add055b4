"""Streams under a task supervisor, ended or cancelled at every single step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import trio
import trio._core._run as trio_run

from runtime import (
    Killed,
    Node,
    Ok,
    kill,
    open_node,
    processes,
    spawn,
    wait_exit,
)
from supervisors import TaskSupervisorRef
from tests.runtime.streaming import (
    channel_of,
    collect,
    for_ever,
    mixed,
    nap,
    take,
)
from tests.supervisors.task_parts import start_tasks, tasks_supervised
from tests.support import reason_of

BOTH = pytest.mark.parametrize(
    "make", [TaskSupervisorRef.async_stream, TaskSupervisorRef.async_stream_nolink]
)


@BOTH
@pytest.mark.parametrize("steps", range(25))
async def test_a_consumer_killed_at_any_step_leaves_nothing(
    node: Node, make: Callable[..., Any], steps: int
) -> None:
    """Also while the supervisor has its request in hand."""
    async with tasks_supervised() as supervisor:
        stream = make(supervisor, [1, 1, 1], nap, max_concurrency=2)
        consumer = spawn(collect, stream)
        for _ in range(steps):
            await trio.lowlevel.checkpoint()
        kill(consumer)
        assert await wait_exit(consumer) == Killed()
        assert await supervisor.children() == []
        assert processes() == [supervisor.pid]


@pytest.mark.parametrize("steps", range(25))
async def test_a_supervisor_killed_at_any_step_leaves_nothing(node: Node, steps: int) -> None:
    supervisor = await start_tasks()
    consumer = spawn(collect, supervisor.async_stream_nolink([1, 1, 1], nap, max_concurrency=2))
    for _ in range(steps):
        await trio.lowlevel.checkpoint()
    kill(supervisor)
    reason = await wait_exit(consumer)
    await wait_exit(supervisor)
    assert str(getattr(reason, "exception", "")).startswith("StartTask")
    assert processes() == []


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("steps", range(12))
@pytest.mark.parametrize("source", [list, channel_of])
async def test_steps_cancelled_at_every_tick_lose_no_item_and_start_none_twice(
    source: Callable[[list[int]], Any], steps: int, seed: int
) -> None:
    """An item whose start is cancelled is kept for the next step."""
    trio_run._r.seed(seed)
    begun: list[int] = []

    async def work(number: int) -> int:
        begun.append(number)
        for _ in range(number % 3):
            await trio.lowlevel.checkpoint()
        return number

    async with open_node(instruments=[]):
        supervisor = await start_tasks()
        stream = supervisor.async_stream_nolink(source(list(range(8))), work, max_concurrency=3)
        seen: list[Any] = []
        async with stream as results:
            over, patience = False, steps
            while not over:
                with trio.CancelScope() as scope:
                    async with trio.open_nursery() as nursery:
                        nursery.start_soon(cancel_after, patience, scope)
                        one = await take(1, results)
                        seen += one
                        over = not one
                        nursery.cancel_scope.cancel()
                patience = steps if len(begun) > len(seen) else patience + 1  # a start takes some
        assert sorted(begun) == list(range(8))
        assert seen == [Ok(number) for number in range(8)]
        assert await supervisor.children() == []
        await supervisor.stop()


async def cancel_after(steps: int, scope: trio.CancelScope) -> None:
    for _ in range(steps):
        await trio.lowlevel.checkpoint()
    scope.cancel()


async def test_leaving_the_block_while_another_task_starts_one_leaves_nothing(node: Node) -> None:
    for steps in range(12):
        async with tasks_supervised() as supervisor:
            async with trio.open_nursery() as nursery:
                async with supervisor.async_stream_nolink([1, 2, 3], for_ever) as results:
                    nursery.start_soon(refused_step, results)
                    for _ in range(steps):
                        await trio.lowlevel.checkpoint()
                assert await supervisor.children() == []


async def refused_step(results: Any) -> None:
    """A step that is cut short, or comes too late."""
    with pytest.raises(trio.ClosedResourceError):
        await anext(results)


@pytest.mark.parametrize("seed", range(20))
async def test_a_crash_that_is_there_before_its_start_is_known_gives_no_result(seed: int) -> None:
    """STRM-015. The task may have ended before the consumer runs again."""
    trio_run._r.seed(seed)
    seen: list[Any] = []
    async with open_node(instruments=[]):
        supervisor = await start_tasks()

        async def consume() -> None:
            async with supervisor.async_stream(["exit"], mixed) as results:
                seen.append(await anext(results))

        assert await reason_of(consume) == "boom"
        assert seen == []
        await supervisor.stop()
