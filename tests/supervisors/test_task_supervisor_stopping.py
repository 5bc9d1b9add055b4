from __future__ import annotations

from typing import Any

import pytest
import trio

from runtime import (
    CallCycle,
    CallExit,
    Crashed,
    Down,
    Exit,
    Exited,
    Killed,
    Node,
    Normal,
    Ok,
    Shutdown,
    Task,
    kill,
    link,
    spawn,
    trap_exits,
    wait_exit,
)
from supervisors import ChildNotFound, TaskSupervisor, TaskSupervisorRef, open_supervisor
from tests.runtime.tasking import (
    after,
    drained,
    forever,
    last_words,
    pid_of,
    stubborn,
)
from tests.supervisors.task_parts import start_tasks, tasks_supervised
from tests.support import in_process, reason_of


async def rest() -> str:
    await trio.sleep(2)
    return "in time"


async def test_a_terminated_task_is_an_exit_of_whoever_waits_for_it(node: Node) -> None:
    """TSUP-014. differs: ``ChildNotFound`` is raised the second time."""

    async def owner() -> None:
        async with tasks_supervised() as supervisor:
            task = await supervisor.start_nolink(forever)
            waiter = await Task.start_nolink(task.wait)
            await supervisor.terminate_child(pid_of(task))
            assert await waiter.result() == await task.wait() == Exited(Shutdown())
            with pytest.raises(ChildNotFound):
                await supervisor.terminate_child(pid_of(task))
            assert await drained() == []

    await in_process(owner)


async def test_terminating_a_linked_task_ends_its_owner(node: Node) -> None:
    """TSUP-014, TSUP-002."""
    tasks: list[Task[None]] = []
    async with tasks_supervised() as supervisor:

        async def owner() -> None:
            tasks.append(await supervisor.start(forever))
            await tasks[0].result()

        pid = spawn(owner)
        await trio.sleep(1)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(supervisor.terminate_child, pid_of(tasks[0]))
            assert await wait_exit(pid) == Shutdown()


async def test_a_terminated_task_has_its_budget(node: Node) -> None:
    async with tasks_supervised(shutdown=3.0) as supervisor:
        good = await supervisor.start_nolink(last_words, rest)
        bad = await supervisor.start_nolink(stubborn)
        await trio.sleep(1)
        await supervisor.terminate_child(pid_of(good))
        assert (await good.wait(), trio.current_time()) == (Ok("in time"), 3)
        await supervisor.terminate_child(pid_of(bad))
        assert (await bad.wait(), trio.current_time()) == (Exited(Killed()), 6)


async def test_stopping_the_supervisor_shuts_its_tasks_down(node: Node) -> None:
    """TSUP-015. differs: whoever waits gets the outcome as always, if it is not linked."""

    async def owner() -> None:
        supervisor = await start_tasks()
        task = await supervisor.start_nolink(forever)
        other = await supervisor.start_nolink(forever)
        waiter = await Task.start_nolink(task.wait)
        await supervisor.stop()
        assert await waiter.result() == await task.wait() == Exited(Shutdown())
        assert await drained() == [Down(other.ref, other.pid, Shutdown())]

    await in_process(owner)


async def test_a_linked_trapping_owner_gets_the_exits_of_both(node: Node) -> None:
    """TSUP-019."""

    async def owner() -> None:
        supervisor = await start_tasks()
        link(supervisor)
        task = await supervisor.start(forever)
        await trio.sleep(1)
        await supervisor.stop()
        assert await drained() == [
            Exit(task.pid, Shutdown()),
            Down(task.ref, task.pid, Shutdown()),
            Exit(supervisor.pid, Normal()),
        ]

    await in_process(owner, trap=True)


async def test_tasks_stop_all_at_once_each_within_its_own_budget(node: Node) -> None:
    supervisor = await start_tasks(shutdown=2.0)
    patient = TaskSupervisorRef(supervisor, shutdown=4.0)
    tasks = [await supervisor.start_nolink(stubborn), await patient.start_nolink(stubborn)]
    child = await patient.start_child(stubborn)
    ends: list[float] = []

    async def see(pid: Any) -> None:
        await wait_exit(pid)
        ends.append(trio.current_time())

    async with trio.open_nursery() as nursery:
        for pid in (*map(pid_of, tasks), child):
            nursery.start_soon(see, pid)
        await trio.sleep(1)
        await supervisor.stop()
    assert ends == [3, 5, 5]


async def test_a_killed_supervisor_takes_its_tasks_with_it(node: Node) -> None:
    """TSUP-015. Those that trap exits have their budget still."""
    supervisor = await start_tasks()
    plain = await supervisor.start_nolink(forever)
    trapping = await supervisor.start_nolink(last_words, rest)
    await trio.sleep(1)
    kill(supervisor)
    assert await plain.wait() == Exited(Killed())
    assert await trapping.wait() == Ok("in time")
    await wait_exit(supervisor)
    assert trio.current_time() == 3


async def test_a_start_after_the_stop_is_refused(node: Node) -> None:
    supervisor = await start_tasks()
    task = await supervisor.start_nolink(last_words, rest)
    await trio.sleep(1)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(supervisor.stop)
        await trio.sleep(1)
        with pytest.raises(CallExit):
            await supervisor.start_nolink(forever)
    assert await task.wait() == Ok("in time")


async def test_a_task_that_starts_another_while_it_is_stopped_is_refused_at_once(
    node: Node,
) -> None:
    """The supervisor waits for it, so it cannot wait for the supervisor."""
    supervisor = await start_tasks()

    async def another() -> None:
        await supervisor.start_nolink(forever)

    task = await supervisor.start_nolink(last_words, another)
    await trio.sleep(1)
    await supervisor.stop()
    assert trio.current_time() == 1
    outcome = await task.wait()
    assert isinstance(outcome, Exited)
    assert isinstance(outcome.reason, Crashed)
    assert isinstance(outcome.reason.exception, CallCycle)


async def test_a_task_shut_down_by_its_owner_and_the_supervisor_at_once(node: Node) -> None:
    supervisor = await start_tasks(shutdown=1.0)

    async def owner() -> None:
        task = await supervisor.start(stubborn)
        await trio.sleep(1)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(supervisor.stop)
            assert await task.shutdown(3) == Exited(Killed())
        assert trio.current_time() == 2
        assert await drained() == []

    assert await reason_of(owner) == Normal()


@pytest.mark.parametrize("way", ["shutdown", "ignore"])
async def test_what_was_let_go_of_is_still_the_supervisors(node: Node, way: str) -> None:
    async def owner() -> None:
        async with tasks_supervised() as supervisor:
            task = await supervisor.start(forever)
            if way == "ignore":
                assert task.ignore() is None
                assert await supervisor.children() == [task.pid]
            else:
                assert await task.shutdown() is None
                assert await supervisor.children() == []
        assert await drained() == []

    await in_process(owner)


async def test_a_tree_is_left_only_when_its_tasks_are_gone(node: Node) -> None:
    words: list[str] = []

    async def say() -> None:
        await trio.sleep(1)
        words.append("bye")

    async with open_supervisor([TaskSupervisor.child_spec().replace(name="tasks")]):
        supervisor = TaskSupervisorRef("tasks")
        await supervisor.start_nolink(last_words, say)
        await supervisor.start_nolink(after, 100.0, None)
        await trio.sleep(1)
    assert words == ["bye"]


async def test_a_supervisor_that_was_restarted_has_no_tasks_and_takes_new_ones(
    node: Node,
) -> None:
    async with open_supervisor([TaskSupervisor.child_spec().replace(name="tasks")]):
        supervisor = TaskSupervisorRef("tasks")
        task = await supervisor.start_nolink(forever)
        kill(supervisor)
        assert await task.wait() == Exited(Killed())
        await trio.sleep(1)
        assert await supervisor.children() == []
        assert await (await supervisor.start_nolink(after, 1.0, 5)).result() == 5


async def test_an_owner_may_stop_the_supervisor_of_its_linked_tasks(node: Node) -> None:
    """They end by ``Shutdown``, which the owner feels, unless it traps exits."""

    async def owner() -> None:
        supervisor = await start_tasks()
        await supervisor.start(forever)
        await trio.sleep(1)
        await supervisor.stop()
        await trio.sleep_forever()

    assert await reason_of(owner) == Shutdown()

    async def trapping() -> None:
        trap_exits()
        supervisor = await start_tasks()
        await supervisor.start(forever)
        await supervisor.stop()

    assert await reason_of(trapping) == Normal()
