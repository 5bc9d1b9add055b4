"""Many tasks with random ends, under owners that do all kinds of things."""

from __future__ import annotations

import gc
import sys
from functools import partial

import pytest
import trio
import trio._core._run as trio_run

from runtime import Task, open_node
from tests.runtime.tasking import crash, forever, give
from tests.soak.tasks import churn
from tests.support import in_process


@pytest.mark.parametrize("seed", range(6))
async def test_every_owner_hears_of_every_task_exactly_once_and_nothing_is_left(seed: int) -> None:
    """Whatever order Trio runs them in."""
    trio_run._r.seed(seed)
    async with open_node(instruments=[]):
        await churn(800, seed)


async def test_twenty_thousand_tasks_leave_the_memory_flat() -> None:
    """Without an owner, and with one that reads none of its messages before the end."""
    async with open_node(instruments=[]):
        for owner in (some, partial(in_process, some)):
            await owner()
            before = allocated()
            for _ in range(10):
                await owner()
            assert allocated() - before < 5_000


async def some() -> None:
    for at in range(1000):
        task: Task[int | None] = await Task.start_nolink(give, 0)
        if at % 2:
            task = await Task.start_nolink(crash)
        if at % 20 == 0:
            await (await Task.start_nolink(forever)).shutdown()
        if at % 3:
            await task.wait()
    await trio.sleep(1)


def allocated() -> int:
    gc.collect()
    return sys.getallocatedblocks()
