"""Rows of TSUP about starting tasks: linked or not, who hears of the end, who asked for whom."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

import pytest
import trio

from runtime import (
    CallExit,
    Crashed,
    Exited,
    NoProcess,
    Pid,
    ProcessExit,
    ProcessStarted,
    Shutdown,
    Task,
    TaskDone,
    TaskExit,
    callers,
    exit,
    is_alive,
    resume,
    self_,
    spawn,
    suspend,
)
from supervisors import TaskSupervisorRef
from tests.conformance.scenarios import row
from tests.conformance.task.parts import by_an_owner, info_of
from tests.conftest import Recorder
from tests.runtime.tasking import Boom, after, crash, drained, end_as, forever, give, pid_of
from tests.supervisors.task_parts import tasks_supervised
from tests.support import end_of, reason_of


@row("TSUP-001")
@by_an_owner
async def a_task_is_a_child_of_the_supervisor_and_linked_to_its_owner() -> None:
    async with tasks_supervised() as supervisor:
        task = await supervisor.start(after, 1.0, "value")
        assert await supervisor.children() == [task.pid]
        its = info_of(pid_of(task))
        assert (its.parent, its.links) == (supervisor.pid, (self_(),))
        assert info_of(self_()).links == (task.pid,)
        assert await task.result() == "value"
        assert trio.current_time() == 1
        assert (await supervisor.children(), await drained()) == ([], [])


@row("TSUP-002")
async def the_end_of_a_linked_task_ends_its_owner() -> None:
    tasks: list[Task[None]] = []
    async with tasks_supervised() as supervisor:

        async def owner(body: Callable[[], Awaitable[None]]) -> None:
            tasks.append(await supervisor.start(body))
            await trio.sleep_forever()

        reason = await reason_of(partial(owner, crash))
        assert isinstance(reason, Crashed)
        assert isinstance(reason.exception, Boom)
        assert await tasks[0].wait() == Exited(reason)
        assert await reason_of(partial(owner, partial(end_as, Shutdown()))) == Shutdown()
        assert await tasks[1].wait() == Exited(Shutdown())


@row("TSUP-003")
@by_an_owner
async def the_end_of_an_unlinked_task_is_only_told() -> None:
    async with tasks_supervised() as supervisor:
        task = await supervisor.start_nolink(end_as, "bad")
        assert await task.wait() == Exited("bad")
        task = await supervisor.start_nolink(end_as, "bad")
        with pytest.raises(TaskExit) as caught:
            await task.result()
        assert (caught.value.reason, caught.value.task) == ("bad", task)
        await trio.sleep(1)
        assert await drained() == []


@row("TSUP-004")
@by_an_owner
async def an_owner_that_never_asks_is_told() -> None:
    """differs: by the value alone, no ``Down`` follows it."""
    async with tasks_supervised() as supervisor:
        task = await supervisor.start_nolink(give, 5)
        await trio.sleep(1)
        assert await drained() == [TaskDone(task, 5)]


@row("TSUP-005")
async def an_unlinked_task_outlives_its_owner() -> None:
    tasks: list[Task[int]] = []
    async with tasks_supervised() as supervisor:

        async def owner() -> None:
            tasks.append(await supervisor.start_nolink(after, 2.0, 5))
            await trio.sleep(1)
            raise ProcessExit("gone")

        assert await reason_of(owner) == "gone"
        assert is_alive(pid_of(tasks[0]))
        assert await tasks[0].result() == 5
        assert trio.current_time() == 2


@row("TSUP-006")
async def a_linked_task_ends_with_its_owner() -> None:
    tasks: list[Task[None]] = []
    async with tasks_supervised() as supervisor:

        async def owner() -> None:
            tasks.append(await supervisor.start(forever))
            await trio.sleep(1)
            raise ProcessExit("gone")

        assert await reason_of(owner) == "gone"
        assert await tasks[0].wait() == Exited("gone")
        assert await supervisor.children() == []
        assert trio.current_time() == 1


@row("TSUP-009")
async def without_a_supervisor_the_caller_ends_for_want_of_it() -> None:
    async def owner() -> None:
        await TaskSupervisorRef("nobody").start(forever)

    reason = await reason_of(owner)
    assert isinstance(reason, Crashed)
    assert isinstance(reason.exception, CallExit)
    assert reason.exception.reason == NoProcess()


@row("TSUP-020")
@by_an_owner
async def callers_are_those_who_asked_and_ancestors_begin_with_the_supervisor() -> None:
    async def look() -> tuple[tuple[Pid, ...], tuple[Pid | str, ...]]:
        return callers(), info_of(self_()).ancestors

    async with tasks_supervised() as supervisor:

        async def outer() -> tuple[Pid, tuple[Pid, ...], tuple[Pid | str, ...]]:
            return self_(), *await (await supervisor.start(look)).result()

        outer_pid, chain, above = await (await supervisor.start(outer)).result()
        assert chain == (outer_pid, self_())
        assert above == (supervisor.pid, self_()), "and who started that"


@row("TSUP-022")
async def a_task_whose_owner_ends_before_it_has_its_function_never_runs(events: Recorder) -> None:
    """differs: there is no hand-over; of an owner that has ended no task is started at all."""
    async with tasks_supervised() as supervisor:
        await suspend(supervisor)
        owners = [spawn(begin, forever) for begin in (supervisor.start, supervisor.start_nolink)]
        await trio.sleep(1)
        for owner in owners:
            exit(owner, "gone")
        await trio.sleep(1)
        assert [end_of(events, owner) for owner in owners] == ["gone", "gone"]
        started = events.of(ProcessStarted)
        await resume(supervisor)
        await trio.sleep(1)
        assert await supervisor.which_children() == []
        assert events.of(ProcessStarted) == started
