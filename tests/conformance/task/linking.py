"""Rows of TASK about whom a task is linked to, and whom one without a result harms."""

from __future__ import annotations

import trio

from runtime import (
    Crashed,
    Exited,
    Normal,
    Pid,
    ProcessExit,
    Task,
    self_,
    spawn,
    spawn_link,
    wait_exit,
)
from tests.conformance.scenarios import row
from tests.conformance.task.parts import by_an_owner, info_of
from tests.conftest import Recorder
from tests.runtime.tasking import Boom, after, crash, drained, forever, pid_of
from tests.support import end_of, reason_of


@row("TASK-003")
@by_an_owner
async def a_task_is_linked_to_its_owner() -> None:
    """differs: there is no monitor; the task itself tells its owner."""
    task = await Task.start(forever)
    mine, its = info_of(self_()), info_of(pid_of(task))
    assert (mine.links, its.links) == ((task.pid,), (self_(),))
    assert (mine.monitors, its.monitored_by) == ((), ())
    assert (its.parent, its.ancestors) == (self_(), (self_(),))
    await task.shutdown()


@row("TASK-016")
async def an_abnormal_end_of_the_owner_ends_its_task() -> None:
    tasks: list[Task[None]] = []

    async def owner() -> None:
        tasks.append(await Task.start(forever))
        await trio.sleep(1)
        raise ProcessExit("gone")

    assert await reason_of(owner) == "gone"
    assert await tasks[0].wait() == Exited("gone")
    assert trio.current_time() == 1


@row("TASK-017")
async def a_normal_end_of_the_owner_ends_no_task() -> None:
    tasks: list[Task[int]] = []

    async def owner() -> None:
        tasks.append(await Task.start(after, 5.0, 6))

    assert await reason_of(owner) == Normal()
    assert trio.current_time() == 0
    assert await tasks[0].result(timeout=10) == 6
    assert trio.current_time() == 5


@row("TASK-046")
async def a_linked_process_without_a_result_ends_its_parent(events: Recorder) -> None:
    children: list[Pid] = []

    async def parent() -> None:
        children.append(spawn_link(crash, 1.0))
        await trio.sleep_forever()

    reason = await reason_of(parent)
    assert isinstance(reason, Crashed)
    assert isinstance(reason.exception, Boom)
    assert end_of(events, children[0]) == reason


@row("TASK-047")
@by_an_owner
async def an_unlinked_process_without_a_result_harms_nobody() -> None:
    reason = await wait_exit(spawn(crash, 1.0))
    assert isinstance(reason, Crashed)
    assert isinstance(reason.exception, Boom)
    await trio.sleep(1)
    assert await drained() == []
