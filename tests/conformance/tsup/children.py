"""Rows of TSUP about the children: limits, those nobody waits for, restarts, the list, the spec."""

from __future__ import annotations

import pytest
import trio

from runtime import Shutdown, Task, self_, wait_exit
from supervisors import GaveUp, MaxChildren, TaskSupervisor
from tests.conformance.scenarios import row
from tests.conformance.task.parts import by_an_owner, info_of
from tests.runtime.tasking import Boom, after, crash, drained, forever, gone
from tests.supervisors.task_parts import start_tasks, tasks_supervised


@row("TSUP-007")
@by_an_owner
async def one_task_too_many_raises_in_its_caller() -> None:
    async with tasks_supervised(max_children=1) as supervisor:
        task = await supervisor.start_nolink(forever)
        for begin in (supervisor.start, supervisor.start_nolink):
            with pytest.raises(MaxChildren) as caught:
                await begin(forever)
            assert caught.value.limit == 1
        assert await supervisor.children() == [task.pid]
        await task.shutdown()
        assert await drained() == []


@row("TSUP-008")
@by_an_owner
async def one_child_too_many_is_refused() -> None:
    async with tasks_supervised(max_children=1) as supervisor:
        child = await supervisor.start_child(forever)
        with pytest.raises(MaxChildren) as caught:
            await supervisor.start_child(forever)
        assert caught.value.limit == 1
        assert await supervisor.children() == [child.pid]


@row("TSUP-010")
@by_an_owner
async def a_child_is_temporary_and_not_linked_to_whoever_started_it() -> None:
    async with tasks_supervised() as supervisor:
        runs: list[float] = []

        async def crashes() -> None:
            runs.append(trio.current_time())
            await crash(1.0)

        child = await supervisor.start_child(crashes)
        assert await supervisor.children() == [child.pid]
        assert child.pid is not None
        info = info_of(child.pid)
        assert (info.links, info.monitored_by, info_of(self_()).links) == ((), (), ())
        await trio.sleep(2)
        assert (await supervisor.which_children(), runs) == ([], [0.0])
        assert await drained() == []


@row("TSUP-011")
async def a_transient_child_that_crashes_is_restarted_until_that_is_too_much() -> None:
    """differs: the reason is a Shutdown with the history as its detail."""
    supervisor = await start_tasks()
    runs: list[float] = []

    async def crashes() -> None:
        runs.append(trio.current_time())
        await crash(1.0)

    await supervisor.start_child(Task.child_spec(crashes).replace(restart="transient"))
    reason = await wait_exit(supervisor)
    assert runs == [0.0, 1.0, 2.0, 3.0]
    assert isinstance(reason, Shutdown)
    assert isinstance(reason.detail, GaveUp)
    assert isinstance(reason.detail.exception, Boom)


@row("TSUP-012")
async def a_permanent_child_that_returns_is_restarted_until_that_is_too_much() -> None:
    """differs: the reason is a Shutdown with the history as its detail."""
    supervisor = await start_tasks()
    runs: list[float] = []

    async def returns() -> None:
        runs.append(trio.current_time())
        await trio.sleep(1)

    await supervisor.start_child(Task.child_spec(returns).replace(restart="permanent"))
    reason = await wait_exit(supervisor)
    assert runs == [0.0, 1.0, 2.0, 3.0]
    assert isinstance(reason, Shutdown)
    assert isinstance(reason.detail, GaveUp)


@row("TSUP-013")
async def the_children_are_the_pids_of_those_that_run() -> None:
    async with tasks_supervised() as supervisor:
        assert await supervisor.children() == []
        ended = await supervisor.start_nolink(after, 1.0, 1)
        running = await supervisor.start_nolink(forever)
        child = await supervisor.start_child(forever)
        assert set(await supervisor.children()) == {ended.pid, running.pid, child.pid}
        await gone(ended)
        left = await supervisor.children()
        assert (len(left), set(left)) == (2, {running.pid, child.pid})


@row("TSUP-021")
async def the_id_of_the_spec_is_the_name_or_the_class() -> None:
    spec = TaskSupervisor.child_spec()
    assert (spec.id, spec.type) == ("TaskSupervisor", "supervisor")
    assert spec.replace(name="tasks").id == "tasks"
