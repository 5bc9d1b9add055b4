from __future__ import annotations

from typing import Any

import pytest
import trio

from runtime import (
    Crashed,
    Down,
    Exit,
    Exited,
    Killed,
    Node,
    NoNode,
    NoProcess,
    Normal,
    Ok,
    Pid,
    Shutdown,
    StillAlive,
    Task,
    TaskDone,
    is_alive,
    kill,
    spawn,
    trap_exits,
    wait_exit,
)
from tests.conftest import Recorder
from tests.runtime.tasking import (
    Boom,
    after,
    crash,
    drained,
    end_as,
    forever,
    give,
    gone,
    last_words,
    pid_of,
    stubborn,
)
from tests.support import in_process, reason_of


async def test_shutting_down_a_running_task_leaves_nothing_of_it(node: Node) -> None:
    """TASK-021. No ``Exit`` and no ``Down`` either: it is unlinked first."""

    async def owner() -> None:
        task = await Task.start(forever)
        await trio.sleep(1)
        assert await task.shutdown() is None
        assert not is_alive(pid_of(task))
        await trio.sleep(1)
        assert await drained() == []

    await in_process(owner, trap=True)


async def test_shutting_down_a_task_that_ended_normally_without_a_value(node: Node) -> None:
    """TASK-024."""
    task = await Task.start_nolink(end_as, Normal())
    await gone(task)
    assert await task.shutdown() == Exited(Normal())


async def test_a_trapping_task_may_return_in_time(node: Node) -> None:
    """TASK-025."""

    async def owner() -> None:
        async def rest() -> str:
            await trio.sleep(2)
            return "graceful"

        task = await Task.start_nolink(last_words, rest)
        await trio.sleep(1)
        assert await task.shutdown(5) == Ok("graceful")
        assert trio.current_time() == 3
        assert await task.result() == "graceful"
        assert await drained() == []

    await in_process(owner)


async def test_a_trapping_task_may_end_with_a_reason_of_its_own(node: Node) -> None:
    """TASK-026."""

    async def other() -> None:
        await end_as("other")

    task = await Task.start_nolink(last_words, other)
    await trio.sleep(1)
    assert await task.shutdown() == Exited("other")


@pytest.mark.parametrize("body", [forever, stubborn])
async def test_a_brutal_kill_asks_nobody(node: Node, body: Any) -> None:
    """TASK-028."""

    async def owner() -> None:
        task = await Task.start(body)
        await trio.sleep(1)
        assert await task.shutdown("brutal_kill") is None
        assert trio.current_time() == 1
        assert await task.wait() == Exited(Killed())

    await in_process(owner)


@pytest.mark.parametrize("budget", [5.0, "brutal_kill"])
async def test_a_task_that_was_down_already_tells_why(node: Node, budget: Any) -> None:
    """TASK-029."""
    task = await Task.start_nolink(end_as, Shutdown())
    await gone(task)
    assert await task.shutdown(budget) == Exited(Shutdown())


async def test_a_second_shutdown_finds_no_process(node: Node) -> None:
    """TASK-030. A ``wait`` still tells how it ended."""
    task = await Task.start_nolink(forever)
    assert await task.shutdown() is None
    assert await task.shutdown() == Exited(NoProcess())
    assert await task.wait() == Exited(Shutdown())


async def test_anybody_may_shut_it_down_and_its_owner_hears_of_it(node: Node) -> None:
    """TASK-032. differs: OTP refuses all but the owner, whom the others cannot speak for here."""
    tasks: list[Task[None]] = []

    async def owner() -> None:
        tasks.append(await Task.start(forever))
        await trio.sleep(10)
        (task,) = tasks
        assert await drained() == [
            Exit(task.pid, Shutdown()),
            Down(task.ref, task.pid, Shutdown()),
        ]
        assert await task.wait() == Exited(Shutdown())

    pid = spawn(in_process_that_traps, owner)
    await trio.sleep(1)
    assert await tasks[0].shutdown() is None
    assert await wait_exit(pid) == Normal()


async def in_process_that_traps(fn: Any) -> None:
    trap_exits()
    await fn()


async def test_what_is_no_budget_is_refused(node: Node) -> None:
    task = Task.completed(5)
    with pytest.raises(ValueError, match="timeout: got 'soon'"):
        await task.shutdown("soon")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="timeout: got -1"):
        await task.shutdown(-1)


async def test_two_helpers_may_shut_it_down_at_once(node: Node) -> None:
    got: list[object] = []

    async def owner() -> None:
        task = await Task.start(forever)

        async def end() -> None:
            got.append(await task.shutdown())

        await trio.sleep(1)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(end)
            nursery.start_soon(end)
        assert await drained() == []

    await in_process(owner)
    assert got == [None, None]


async def test_cancelling_gives_up_the_wait_but_not_the_shutdown(node: Node) -> None:
    async def owner() -> None:
        async def slowly() -> str:
            await trio.sleep(3)
            return "late"

        task = await Task.start(last_words, slowly)
        await trio.sleep(1)
        with trio.move_on_after(1) as scope:
            await task.shutdown(10)
        assert scope.cancelled_caught
        assert is_alive(pid_of(task))
        await gone(task)
        assert trio.current_time() == 4
        assert await task.wait() == Ok("late")
        assert await drained() == []

    await in_process(owner)


async def test_a_cancelled_shutdown_does_nothing(node: Node) -> None:
    async def owner() -> None:
        task = await Task.start(after, 1.0, 5)
        with trio.CancelScope() as scope:
            scope.cancel()
            await task.shutdown()
        assert scope.cancelled_caught
        await trio.sleep(2)
        assert await drained() == [TaskDone(task, 5)]
        with trio.CancelScope() as scope:
            scope.cancel()
            await task.shutdown()
        assert scope.cancelled_caught

    await in_process(owner)


async def test_what_shields_itself_is_waited_for(node: Node, events: Recorder) -> None:
    async def shielded() -> None:
        with trio.CancelScope(shield=True):
            await trio.sleep(10.5)

    task = await Task.start_nolink(shielded)
    await trio.sleep(1)
    assert await task.shutdown(2) == Exited(Killed())
    assert trio.current_time() == 10.5
    assert [one.seconds for one in events.of(StillAlive)] == [1, 2, 3, 4, 5, 6, 7]


# ---------------------------------------------------------------------- ignore


async def test_ignoring_tells_how_it_ended_or_that_it_runs(node: Node) -> None:
    """TASK-044."""

    async def owner() -> None:
        done = await Task.start_nolink(give, 5)
        failed = await Task.start_nolink(end_as, "bad")
        running = await Task.start(crash, 2.0)
        await trio.sleep(1)
        assert done.ignore() == Ok(5)
        assert failed.ignore() == Exited("bad")
        assert running.ignore() is None
        await trio.sleep(2)
        assert not is_alive(pid_of(running))
        assert await drained() == []

    await in_process(owner)


async def test_a_late_value_of_an_ignored_task_is_dropped_but_kept_in_the_handle(
    node: Node,
) -> None:
    """TASK-044."""

    async def owner() -> None:
        task = await Task.start(after, 2.0, 5)
        task.ignore()
        assert await task.result() == 5
        assert await drained() == []

    await in_process(owner)


async def test_an_ignored_task_outlives_its_owner(node: Node) -> None:
    """TASK-044. Unlinked on both sides."""
    tasks: list[Task[int]] = []

    async def owner() -> None:
        tasks.append(await Task.start(after, 2.0, 5))
        tasks[0].ignore()
        raise Boom

    assert isinstance(await reason_of(owner), Crashed)
    assert await tasks[0].result() == 5


async def test_a_stranger_that_ignores_a_task_changes_nothing(node: Node) -> None:
    """There is nothing of its own that it could let go of."""
    tasks: list[Task[int]] = []

    async def owner() -> None:
        tasks.append(await Task.start_nolink(after, 2.0, 5))
        await trio.sleep(4)
        assert await drained() == [TaskDone(tasks[0], 5)]

    pid = spawn(owner)
    await trio.sleep(1)
    assert tasks[0].ignore() is None
    await trio.sleep(2)
    assert tasks[0].ignore() == Ok(5)
    assert await wait_exit(pid) == Normal()


async def test_an_ignored_task_that_was_unlinked_before_is_ignored_all_the_same(
    node: Node,
) -> None:
    async def owner() -> None:
        task = await Task.start_nolink(end_as, "bad", 1.0)
        assert task.ignore() is None
        assert task.ignore() is None
        await trio.sleep(2)
        assert task.ignore() == Exited("bad")
        assert await drained() == []

    await in_process(owner)


@pytest.mark.real_clock
async def test_letting_go_from_a_foreign_thread_is_refused(node: Node) -> None:
    async def owner() -> None:
        task = await Task.start(forever)
        with pytest.raises(NoNode, match="foreign thread"):
            await trio.to_thread.run_sync(task.ignore)
        await task.shutdown()

    await in_process(owner)


async def test_a_task_may_shut_itself_down(node: Node) -> None:
    pids: list[Pid] = []
    tasks: list[Task[None]] = []

    async def body() -> None:
        await trio.sleep(1)
        pids.append(pid_of(tasks[0]))
        await tasks[0].shutdown()

    tasks.append(await Task.start_nolink(body))
    assert await tasks[0].wait() == Exited(Shutdown())
    assert pids == [tasks[0].pid]
    kill(pids[0])
