from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import trio

from runtime import (
    AfterTimeout,
    Crashed,
    Down,
    Exit,
    Exited,
    Node,
    Normal,
    Ok,
    Task,
    TaskDone,
    TaskExit,
    TaskTimeout,
    is_alive,
    kill,
    race,
    result_many,
    wait_many,
)
from tests.runtime.tasking import Boom, after, crash, drained, end_as, forever, give, gone, pid_of
from tests.support import in_process, reason_of, stop_all


async def test_nothing_to_wait_for_takes_no_time(node: Node) -> None:
    """TASK-035."""
    assert await result_many([]) == []
    assert await wait_many([]) == []
    assert await wait_many([], timeout=0) == []


@pytest.mark.parametrize("trap", [True, False])
async def test_the_first_failure_is_raised_at_once_and_the_others_run_on(
    node: Node, trap: bool
) -> None:
    """TASK-036. They are not told of any more."""

    async def owner() -> None:
        tasks = [
            await Task.start_nolink(after, 10.0, "late"),
            await Task.start_nolink(crash, 1.0),
            await Task.start_nolink(forever),
        ]
        with pytest.raises(TaskExit) as caught:
            await result_many(tasks, timeout=100)
        assert trio.current_time() == 1
        assert caught.value.task is tasks[1]
        assert isinstance(caught.value.reason, Crashed)
        assert isinstance(caught.value.__cause__, Boom)
        assert [is_alive(pid_of(task)) for task in tasks] == [True, False, True]
        kill(pid_of(tasks[2]))
        await gone(tasks[0])
        assert await drained() == []
        assert await tasks[0].result() == "late", "the handle still knows"

    await in_process(owner, trap=trap)


async def test_a_linked_failure_ends_a_caller_that_does_not_trap_exits(node: Node) -> None:
    """TASK-036."""

    async def owner() -> None:
        await result_many([await Task.start(forever), await Task.start(end_as, "bad", 1.0)])

    assert await reason_of(owner) == "bad"


async def test_a_timeout_is_for_all_together_and_leaves_no_messages(node: Node) -> None:
    """TASK-037."""

    async def owner() -> None:
        tasks = [await Task.start_nolink(after, at, at) for at in (2.0, 6.0, 8.0)]
        with pytest.raises(TaskTimeout) as caught:
            await result_many(tasks, timeout=3)
        assert trio.current_time() == 3
        assert caught.value.task is tasks[1]
        assert caught.value.timeout == 3
        await trio.sleep(10)
        assert await drained() == []
        assert [await task.result() for task in tasks] == [2.0, 6.0, 8.0]

    await in_process(owner)


async def test_the_same_task_twice_gives_its_value_twice(node: Node) -> None:
    """TASK-038."""
    task = await Task.start_nolink(after, 1.0, 5)
    other = await Task.start_nolink(after, 2.0, 6)
    assert await result_many([task, task]) == [5, 5]
    assert await wait_many([task, other, task], limit=2) == [Ok(5), Ok(6), Ok(5)]
    assert await race([other, other]) == 6


async def test_waiting_for_many_tells_of_each_in_the_order_of_the_tasks(node: Node) -> None:
    """TASK-040."""

    async def owner() -> None:
        tasks: list[Task[object]] = [
            await Task.start_nolink(after, 2.0, "value"),
            await Task.start_nolink(forever),
            await Task.start_nolink(end_as, "bad", 1.0),
            Task.completed("at once"),
        ]
        assert await wait_many(tasks, timeout=3) == [
            Ok("value"), None, Exited("bad"), Ok("at once"),
        ]  # fmt: skip
        assert trio.current_time() == 3
        kill(pid_of(tasks[1]))
        await gone(tasks[1])
        (message,) = await drained()
        assert isinstance(message, Down), "who still ran is told of later"
        assert message.ref is tasks[1].ref

    await in_process(owner)


async def test_waiting_ends_when_all_have_ended(node: Node) -> None:
    tasks = [await Task.start_nolink(after, at, at) for at in (1.0, 4.0)]
    assert await wait_many(tasks, timeout=math.inf) == [Ok(1.0), Ok(4.0)]
    assert trio.current_time() == 4


@pytest.mark.parametrize("ended", [True, False])
async def test_without_time_it_only_looks(node: Node, ended: bool) -> None:
    """TASK-041."""
    tasks = [await Task.start_nolink(after, 0.5, 5), await Task.start_nolink(after, 10.0, 6)]
    if ended:
        await trio.sleep(1)
    assert await wait_many(tasks, timeout=0) == [Ok(5) if ended else None, None]
    assert trio.current_time() == ended
    with pytest.raises(TaskTimeout):
        await result_many(tasks, timeout=0)
    with pytest.raises(TaskTimeout):
        await race([tasks[1]], timeout=0)


async def test_a_limit_returns_as_soon_as_so_many_have_ended(node: Node) -> None:
    """TASK-042. What is said for the end of the time is not done then."""

    async def owner() -> None:
        tasks = [await Task.start_nolink(after, at, at) for at in (3.0, 1.0, 2.0, 9.0)]
        outcomes = await wait_many(tasks, limit=2, on_timeout="kill_task")
        assert outcomes == [None, Ok(1.0), Ok(2.0), None]
        assert trio.current_time() == 2
        assert await result_many(tasks, timeout=10) == [3.0, 1.0, 2.0, 9.0]

    await in_process(owner)


async def test_a_limit_of_what_has_ended_takes_no_time(node: Node) -> None:
    tasks = [await Task.start_nolink(give, 5), await Task.start_nolink(forever)]
    await trio.sleep(1)
    assert await wait_many(tasks, limit=1) == [Ok(5), None]
    assert trio.current_time() == 1
    await tasks[1].shutdown()
    assert await wait_many(tasks, limit=100) == [Ok(5), Exited(await gone_reason(tasks[1]))]


async def gone_reason(task: Task[Any]) -> object:
    outcome = await task.wait()
    assert isinstance(outcome, Exited)
    return outcome.reason


async def test_nothing_is_done_to_them_when_all_ended_in_time(node: Node) -> None:
    async def owner() -> None:
        ways: list[AfterTimeout] = ["nothing", "ignore", "kill_task"]
        for what in ways:
            tasks = [await Task.start(after, 1.0, 1)]
            assert await wait_many(tasks, on_timeout=what) == [Ok(1)]

    await in_process(owner)


async def test_a_plain_trio_task_may_wait_for_many(node: Node) -> None:
    tasks = [await Task.start_nolink(after, 1.0, 1), await Task.start_nolink(after, 9.0, 2)]
    assert await wait_many(tasks, timeout=2, on_timeout="kill_task") == [Ok(1), None]
    assert trio.current_time() == 2


async def test_the_owner_is_told_of_what_a_stranger_waited_for(node: Node) -> None:
    async def owner() -> None:
        tasks = [await Task.start_nolink(after, 1.0, at) for at in range(3)]
        assert await in_process(lambda: result_many(tasks)) == [0, 1, 2]
        found = await drained()
        assert {one.task for one in found if isinstance(one, TaskDone)} == set(tasks)
        assert len(found) == 3

    await in_process(owner)


async def test_a_trapping_caller_keeps_the_exits(node: Node) -> None:
    async def owner() -> None:
        tasks = [await Task.start(after, float(at), at) for at in range(3)]
        assert await result_many(tasks) == [0, 1, 2]
        assert await drained() == [Exit(task.pid, Normal()) for task in tasks]

    await in_process(owner, trap=True)


WAITS: list[Callable[..., Any]] = [wait_many, result_many, race]


@pytest.mark.parametrize("wait", WAITS)
async def test_wrong_arguments_are_refused(node: Node, wait: Callable[..., Any]) -> None:
    task = Task.completed(5)
    with pytest.raises(TypeError, match="tasks: got <Task completed>, allowed is a list of tasks"):
        await wait(task)
    with pytest.raises(TypeError, match="tasks: got 5, allowed are tasks"):
        await wait([task, 5])
    with pytest.raises(ValueError, match="timeout: got -1"):
        await wait([task], timeout=-1)


@pytest.mark.parametrize("limit", [True, 1.5, "1"])
async def test_a_limit_that_is_no_number_is_refused(node: Node, limit: Any) -> None:
    with pytest.raises(TypeError, match=r"limit: got .*, allowed are an int of 1 or more and None"):
        await wait_many([Task.completed(5)], limit=limit)


async def test_other_wrong_options_are_refused(node: Node) -> None:
    with pytest.raises(ValueError, match="limit: got 0, allowed are an int of 1 or more and None"):
        await wait_many([Task.completed(5)], limit=0)
    with pytest.raises(ValueError, match="on_timeout: got 'exit', allowed are 'nothing', 'ignore'"):
        await wait_many([Task.completed(5)], on_timeout="exit")  # type: ignore[arg-type]


async def test_an_iterator_will_do(node: Node) -> None:
    tasks = [await Task.start_nolink(give, at) for at in range(3)]
    assert await result_many(iter(tasks)) == [0, 1, 2]
    assert await race(task for task in tasks) == 0
    await stop_all(*map(pid_of, tasks))


@pytest.mark.parametrize("wait", WAITS)
async def test_a_cancelled_wait_for_what_has_ended_is_cancelled(
    node: Node, wait: Callable[..., Any]
) -> None:
    with trio.CancelScope() as scope:
        scope.cancel()
        await wait([Task.completed(5)])
    assert scope.cancelled_caught


async def test_without_time_the_ends_that_count_are_those_that_have_come(node: Node) -> None:
    """Which of the two tasks runs first is a coin toss; the answer fits it either way."""

    async def quick() -> int:
        return 1

    for _ in range(50):
        tasks = [await Task.start_nolink(quick)]
        try:
            assert await result_many(tasks, timeout=0) == [1]
        except TaskTimeout:
            assert await tasks[0].result() == 1
