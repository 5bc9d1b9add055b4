from __future__ import annotations

from typing import Any

import pytest
import trio

from runtime import (
    Crashed,
    Exit,
    Exited,
    Killed,
    Node,
    Normal,
    Ok,
    Shutdown,
    Task,
    TaskDone,
    TaskExit,
    TaskTimeout,
    is_alive,
    processes,
    race,
    spawn,
    wait_exit,
)
from tests.runtime.tasking import (
    Boom,
    after,
    crash,
    drained,
    end_as,
    forever,
    give,
    last_words,
    pid_of,
    stubborn,
)
from tests.support import in_process, reason_of


async def test_the_first_success_wins_and_the_others_are_gone_when_it_returns(node: Node) -> None:
    async def owner() -> None:
        tasks = [await Task.start_nolink(after, at, at) for at in (3.0, 1.0, 2.0)]
        assert await race(tasks) == 1.0
        assert trio.current_time() == 1
        assert not any(is_alive(pid_of(task)) for task in tasks)
        assert [await task.wait() for task in tasks] == [
            Exited(Shutdown()), Ok(1.0), Exited(Shutdown()),
        ]  # fmt: skip
        await trio.sleep(5)
        assert await drained() == []

    await in_process(owner)


async def test_a_failure_only_means_that_the_others_go_on(node: Node) -> None:
    tasks: list[Task[Any]] = [
        await Task.start_nolink(crash, 1.0),
        await Task.start_nolink(after, 3.0, "winner"),
        await Task.start_nolink(end_as, "bad", 2.0),
    ]
    assert await race(tasks) == "winner"
    assert trio.current_time() == 3


async def test_when_none_succeeds_all_failures_are_raised_together(node: Node) -> None:
    """In the order of the tasks, each with its cause."""

    async def owner() -> None:
        tasks = [
            await Task.start_nolink(crash, 2.0),
            await Task.start_nolink(end_as, "bad", 1.0),
            await Task.start_nolink(end_as, Normal()),
        ]
        with pytest.raises(ExceptionGroup, match="none of 3 tasks succeeded") as caught:
            await race(tasks)
        assert trio.current_time() == 2
        failures = caught.value.exceptions
        assert [type(one) for one in failures] == [TaskExit] * 3
        assert [one.task for one in failures if isinstance(one, TaskExit)] == tasks
        first, second, third = [one.reason for one in failures if isinstance(one, TaskExit)]
        assert isinstance(first, Crashed)
        assert (second, third) == ("bad", Normal())
        assert isinstance(failures[0].__cause__, Boom)
        assert await drained() == []

    await in_process(owner)


async def test_a_task_given_twice_fails_once(node: Node) -> None:
    task = await Task.start_nolink(crash)
    with pytest.raises(ExceptionGroup, match="none of 1 tasks succeeded") as caught:
        await race([task, task])
    assert len(caught.value.exceptions) == 1


async def test_after_the_timeout_all_are_ended(node: Node) -> None:
    async def owner() -> None:
        tasks = [await Task.start_nolink(forever), await Task.start_nolink(end_as, "bad")]
        with pytest.raises(TaskTimeout) as caught:
            await race(tasks, timeout=3)
        assert caught.value.timeout == 3
        assert trio.current_time() == 3
        assert not any(is_alive(pid_of(task)) for task in tasks)
        assert await drained() == []

    await in_process(owner)


async def test_the_losers_have_their_budget_each_at_the_same_time(node: Node) -> None:
    tasks: list[Task[Any]] = [
        await Task.start_nolink(after, 1.0, "winner"),
        await Task.start_nolink(stubborn),
        await Task.start_nolink(stubborn),
    ]
    assert await race(tasks, shutdown=2) == "winner"
    assert trio.current_time() == 3
    assert [await task.wait() for task in tasks[1:]] == [Exited(Killed())] * 2


async def test_the_losers_may_be_killed_at_once(node: Node) -> None:
    tasks: list[Task[Any]] = [
        await Task.start_nolink(after, 1.0, "winner"),
        await Task.start_nolink(stubborn),
    ]
    assert await race(tasks, shutdown="brutal_kill") == "winner"
    assert trio.current_time() == 1


async def test_what_a_loser_returns_when_told_to_end_is_no_win(node: Node) -> None:
    async def late() -> str:
        return "late"

    task = await Task.start_nolink(last_words, late)
    with pytest.raises(TaskTimeout):
        await race([task], timeout=1)
    assert await task.wait() == Ok("late")


async def test_one_that_has_won_already_wins(node: Node) -> None:
    async def owner() -> None:
        first = await Task.start_nolink(give, "first")
        await trio.sleep(1)
        other = await Task.start_nolink(give, "other")
        assert await race([other, first]) == "first"
        assert await drained() == []
        assert await race([await Task.start_nolink(after, 1.0, ""), Task.completed("c")]) == "c"

    await in_process(owner)


async def test_linked_losers_do_not_end_their_owner(node: Node) -> None:
    """They are let go of before they are told to end."""

    async def owner() -> None:
        tasks = [await Task.start(after, at, at) for at in (1.0, 9.0)]
        assert await race(tasks) == 1.0

    assert await reason_of(owner) == Normal()


async def test_a_linked_failure_ends_an_owner_that_does_not_trap_exits(node: Node) -> None:
    """Which is why they should not be linked."""

    async def owner() -> None:
        await race([await Task.start(after, 9.0, None), await Task.start(crash)])

    assert isinstance(await reason_of(owner), Crashed)


async def test_an_owner_that_traps_exits_may_let_linked_tasks_race(node: Node) -> None:
    async def owner() -> None:
        failing = await Task.start(crash)
        assert await race([await Task.start(after, 1.0, "winner"), failing]) == "winner"
        found = await drained()
        assert [type(one) for one in found] == [Exit, Exit]

    await in_process(owner, trap=True)


async def test_cancelling_tells_them_to_end(node: Node) -> None:
    """Whether it waits for the first or for the last; the owner hears nothing of them."""

    async def owner() -> None:
        for body, seconds in ((forever, 2), (stubborn, 4)):
            tasks: list[Task[Any]] = [
                await Task.start(after, 3.0, "winner"),
                await Task.start(body),
            ]
            with trio.move_on_after(seconds) as scope:
                await race(tasks, shutdown=100)
            assert scope.cancelled_caught
            for task in tasks:
                await task.shutdown("brutal_kill")
            assert await drained() == []

    assert await reason_of(owner) == Normal()


async def test_cancelling_ends_them_without_further_help(node: Node) -> None:
    with trio.move_on_after(1):
        await race([await Task.start_nolink(forever), await Task.start_nolink(forever)])
    await trio.sleep(0.5)
    assert processes() == []


async def test_a_race_by_somebody_else_takes_nothing_from_the_owner(node: Node) -> None:
    tasks: list[Task[float]] = []
    found: list[object] = []

    async def owner() -> None:
        tasks.extend([await Task.start_nolink(after, at, at) for at in (1.0, 9.0)])
        await trio.sleep(20)
        found.extend(await drained())

    pid = spawn(owner)
    await trio.sleep(0.5)
    assert await race(tasks) == 1.0
    assert not is_alive(pid_of(tasks[1]))
    await wait_exit(pid)
    assert [type(one) for one in found if isinstance(one, TaskDone)] == [TaskDone]
    assert len(found) == 2


async def test_a_race_needs_a_task_and_a_budget(node: Node) -> None:
    with pytest.raises(ValueError, match="tasks: got none, a race needs one at least"):
        await race([])
    with pytest.raises(ValueError, match="shutdown: got 'soon'"):
        await race([Task.completed(5)], shutdown="soon")  # type: ignore[arg-type]


async def test_a_success_in_the_very_tick_of_the_timeout_wins_or_is_late(node: Node) -> None:
    seen: set[str] = set()
    for _ in range(40):
        tasks: list[Task[Any]] = [
            await Task.start_nolink(after, 1.0, "winner"),
            await Task.start_nolink(forever),
        ]
        try:
            seen.add(await race(tasks, timeout=1))
        except TaskTimeout:
            seen.add("timeout")
        assert not any(is_alive(pid_of(task)) for task in tasks)
    assert seen <= {"winner", "timeout"}
    assert seen


@pytest.mark.parametrize("winners", range(1, 5))
async def test_of_several_that_end_in_one_tick_one_wins(node: Node, winners: int) -> None:
    tasks: list[Task[Any]] = [await Task.start_nolink(crash, 1.0) for _ in range(4 - winners)]
    tasks += [await Task.start_nolink(after, 1.0, at) for at in range(winners)]
    assert await race(tasks) in range(winners)
    assert trio.current_time() == 1
