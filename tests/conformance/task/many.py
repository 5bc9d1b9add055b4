"""Rows of TASK about several tasks at once: await_many and yield_many."""

from __future__ import annotations

import pytest
import trio

from runtime import (
    AfterTimeout,
    Crashed,
    Exit,
    Exited,
    Normal,
    Ok,
    Task,
    TaskDone,
    TaskExit,
    TaskTimeout,
    is_alive,
    result_many,
    self_,
    send,
    wait_many,
)
from tests.conformance.scenarios import row
from tests.conformance.task.parts import by_an_owner, by_an_owner_that_traps_exits, info_of
from tests.runtime.tasking import Boom, after, crash, drained, end_as, forever, give, gone, pid_of


@row("TASK-034")
@by_an_owner
async def results_come_in_the_order_of_the_tasks() -> None:
    tasks = [await Task.start(after, seconds, seconds) for seconds in (3.0, 1.0, 2.0)]
    assert await result_many(tasks) == [3.0, 1.0, 2.0]
    assert trio.current_time() == 3
    assert await drained() == []


@row("TASK-035")
@by_an_owner
async def no_tasks_have_no_results_at_once() -> None:
    assert await result_many([]) == []
    assert trio.current_time() == 0


@row("TASK-036")
@by_an_owner_that_traps_exits
async def a_crash_among_many_is_raised_at_once_and_the_others_run_on() -> None:
    tasks: list[Task[object]] = [
        await Task.start(after, 3.0, 5),
        await Task.start(crash, 1.0),
        await Task.start(end_as, "bad", 4.0),
        await Task.start(forever),
    ]
    with pytest.raises(TaskExit) as caught:
        await result_many(tasks)
    assert trio.current_time() == 1
    reason = caught.value.reason
    assert isinstance(reason, Crashed)
    assert isinstance(reason.exception, Boom)
    assert caught.value.task is tasks[1]
    assert [is_alive(pid_of(task)) for task in tasks] == [True, False, True, True]
    await trio.sleep(5)
    assert await drained() == [
        Exit(tasks[1].pid, reason),
        Exit(tasks[0].pid, Normal()),
        Exit(tasks[2].pid, "bad"),
    ], "by the links alone"
    await tasks[3].shutdown()


@row("TASK-037")
@by_an_owner
async def many_that_take_too_long_are_one_timeout_and_no_messages() -> None:
    tasks = [await Task.start(after, seconds, seconds) for seconds in (2.0, 6.0, 8.0)]
    with pytest.raises(TaskTimeout) as caught:
        await result_many(tasks, timeout=3)
    assert trio.current_time() == 3
    assert caught.value.timeout == 3
    assert [await gone(task) for task in tasks[1:]] == [Normal(), Normal()]
    await trio.sleep(1)
    assert await drained() == []


@row("TASK-038")
@by_an_owner
async def the_same_task_twice_has_its_value_twice() -> None:
    task = await Task.start(after, 1.0, 5)
    assert await result_many([task, task]) == [5, 5]
    assert trio.current_time() == 1


@row("TASK-039")
@by_an_owner
async def what_is_foreign_or_a_second_message_of_a_task_stays() -> None:
    send(self_(), "before")
    tasks = [await Task.start(give, value) for value in range(3)]
    other = await Task.start(give, "other")
    await trio.sleep(1)
    again = TaskDone(tasks[0], 7)
    send(self_(), again)
    assert await result_many(tasks) == [0, 1, 2]
    assert await drained() == ["before", TaskDone(other, "other"), again]


@row("TASK-040")
@by_an_owner
async def a_yield_of_many_tells_of_each_in_its_place() -> None:
    tasks: list[Task[object]] = [
        await Task.start(after, 2.0, "value"),
        await Task.start(forever),
        await Task.start_nolink(end_as, "bad", 1.0),
    ]
    assert await wait_many(tasks, timeout=3) == [Ok("value"), None, Exited("bad")]
    assert trio.current_time() == 3
    assert is_alive(pid_of(tasks[1]))
    assert await drained() == []
    await tasks[1].shutdown()


@row("TASK-041")
@by_an_owner
async def a_yield_of_many_without_time_has_what_has_ended() -> None:
    tasks = [await Task.start(give, 5), await Task.start(after, 5.0, 6)]
    await trio.sleep(1)
    assert await wait_many(tasks, timeout=0) == [Ok(5), None]
    assert trio.current_time() == 1


@row("TASK-042")
@by_an_owner
async def a_limit_that_is_reached_is_no_timeout() -> None:
    late: tuple[AfterTimeout, ...] = ("kill_task", "ignore")
    for on_timeout in late:
        began = trio.current_time()
        tasks = [await Task.start(after, seconds, seconds) for seconds in (3.0, 1.0, 9.0)]
        outcomes = await wait_many(tasks, timeout=4, limit=1, on_timeout=on_timeout)
        assert outcomes == [None, Ok(1.0), None]
        assert trio.current_time() == began + 1
        assert set(info_of(self_()).links) == {tasks[0].pid, tasks[2].pid}
        assert [await tasks[at].result(timeout=10) for at in (0, 2)] == [3.0, 9.0]


@row("TASK-043")
@by_an_owner
async def what_still_runs_at_the_timeout_is_killed_or_released() -> None:
    killed = [await Task.start(give, 5), await Task.start(forever)]
    assert await wait_many(killed, timeout=1, on_timeout="kill_task") == [Ok(5), None]
    assert not is_alive(pid_of(killed[1]))
    assert trio.current_time() == 1
    released = [
        await Task.start(give, 5),
        await Task.start(crash, 3.0),
        await Task.start(after, 3.0, 6),
    ]
    assert await wait_many(released, timeout=1, on_timeout="ignore") == [Ok(5), None, None]
    assert [is_alive(pid_of(task)) for task in released] == [False, True, True]
    assert info_of(self_()).links == ()
    await trio.sleep(5)
    assert not any(is_alive(pid_of(task)) for task in released)
    assert await drained() == []
