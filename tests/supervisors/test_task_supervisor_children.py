from __future__ import annotations

import pytest
import trio
import trio.lowlevel

from runtime import (
    Node,
    Task,
    kill,
    process_info,
    wait_exit,
)
from runtime.current import find_process
from supervisors import (
    Backoff,
    DynamicSupervisor,
    MaxChildren,
    TaskSupervisor,
    TaskSupervisorRef,
)
from tests.runtime.tasking import (
    after,
    crash,
    drained,
    forever,
    give,
)
from tests.supervisors.task_parts import tasks_supervised
from tests.support import in_process


async def test_a_task_started_as_a_child_is_nobodys(node: Node) -> None:
    """TSUP-010: not linked, temporary, and nobody is told."""

    async def owner() -> None:
        async with tasks_supervised() as supervisor:
            child = await supervisor.start_child(crash, 1.0)
            (info,) = await supervisor.which_children()
            assert (info.id, info.pid, info.status) == ("crash", child.pid, "running")
            process = find_process(child)
            assert process is not None
            assert process.links.linked() == ()
            await trio.sleep(2)
            assert await supervisor.which_children() == []
            assert await drained() == []

    await in_process(owner)


async def test_restarts_with_enough_time_between_them_are_not_too_many(node: Node) -> None:
    """TSUP-011: ``max_restarts`` in ``max_seconds``."""
    async with tasks_supervised(max_restarts=1, max_seconds=1.0) as supervisor:
        await supervisor.start_child(Task.child_spec(crash, 2.0).replace(restart="transient"))
        await trio.sleep(21)
        (info,) = await supervisor.which_children()
        assert info.status == "running"


async def test_a_transient_child_that_returns_is_done(node: Node) -> None:
    """TSUP-011."""
    async with tasks_supervised() as supervisor:
        await supervisor.start_child(Task.child_spec(give, 5).replace(restart="transient"))
        await trio.sleep(1)
        assert await supervisor.which_children() == []


async def test_a_restarted_child_counts_and_keeps_its_place(node: Node) -> None:
    """TSUP-012, with a backoff."""
    async with tasks_supervised(
        max_children=1, backoff=Backoff(initial=2.0, jitter=0.0)
    ) as supervisor:
        spec = Task.child_spec(crash, 1.0).replace(restart="permanent")
        await supervisor.start_child(spec)
        await trio.sleep(2)
        (info,) = await supervisor.which_children()
        assert info.status == "restarting"
        with pytest.raises(MaxChildren):
            await supervisor.start_nolink(give, 5)


async def test_the_children_are_the_pids_of_those_that_run(node: Node) -> None:
    """TSUP-013. The last one first."""
    async with tasks_supervised() as supervisor:
        assert await supervisor.children() == []
        first = await supervisor.start_nolink(after, 1.0, 1)
        second = await supervisor.start_child(forever)
        third = await supervisor.start_nolink(after, 3.0, 3)
        assert await supervisor.children() == [third.pid, second.pid, first.pid]
        await first.result()
        kill(second)
        await trio.lowlevel.checkpoint()
        await wait_exit(second)
        assert await supervisor.children() == [third.pid]
        counts = await supervisor.count_children()
        assert (counts.specs, counts.active, counts.workers, counts.supervisors) == (1, 1, 1, 0)


def test_the_id_of_the_spec_is_its_name_or_its_class() -> None:
    """TSUP-021."""

    class Workers(TaskSupervisor):
        """A task supervisor with a name of its own."""

    assert TaskSupervisor.child_spec().id == "TaskSupervisor"
    assert TaskSupervisor.child_spec().replace(name="tasks").id == "tasks"
    assert Workers.child_spec(max_children=5).id == "Workers"
    assert Workers.child_spec().type == "supervisor"


def test_wrong_options_are_refused_when_the_spec_is_made() -> None:
    with pytest.raises(ValueError, match="max_children: got -1"):
        TaskSupervisor.child_spec(max_children=-1)
    with pytest.raises(ValueError, match="max_restarts: got -1"):
        TaskSupervisor.child_spec(max_restarts=-1)
    with pytest.raises(TypeError, match="backoff: got 5"):
        TaskSupervisor.child_spec(backoff=5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="unexpected keyword argument 'extra_arguments'"):
        TaskSupervisor.child_spec(extra_arguments=[1])  # type: ignore[call-arg]


async def test_a_subclass_may_have_a_constructor_of_its_own(node: Node) -> None:
    """Which is then not called to check anything."""
    made: list[int] = []

    class Workers(TaskSupervisor):
        def __init__(self, at_most: int) -> None:
            made.append(at_most)
            super().__init__(max_children=at_most)

    spec = Workers.child_spec(1)
    assert made == []
    supervisor = TaskSupervisorRef(await Workers.start(1))
    assert made == [1]
    await supervisor.start_nolink(forever)
    with pytest.raises(MaxChildren):
        await supervisor.start_nolink(forever)
    await supervisor.stop()
    assert spec.id == "Workers"


async def test_it_is_a_dynamic_supervisor(node: Node) -> None:
    assert issubclass(TaskSupervisor, DynamicSupervisor)
    async with tasks_supervised() as supervisor:
        info = process_info(supervisor.pid)
        assert info is not None
        assert info.links == ()
