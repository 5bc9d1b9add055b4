"""What the tests of task supervisors share: starting one, and stopping it when a test is done."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from runtime import CallExit, ShutdownBudget, start
from supervisors import TaskSupervisor, TaskSupervisorRef


async def start_tasks(*, shutdown: ShutdownBudget = 5.0, **options: Any) -> TaskSupervisorRef:
    """A task supervisor in the node's root, and a handle whose tasks have this budget."""
    supervisor = await start(TaskSupervisor.child_spec(**options))
    return TaskSupervisorRef(supervisor, shutdown=shutdown)


@asynccontextmanager
async def tasks_supervised(**options: Any) -> AsyncGenerator[TaskSupervisorRef]:
    """One for the length of a block."""
    supervisor = await start_tasks(**options)
    yield supervisor
    try:
        await supervisor.stop()
    except CallExit as exc:
        raise AssertionError("it ended before") from exc
