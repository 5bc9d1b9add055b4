"""Rows of TASK about one await: the value, the errors, the time-out, who may ask."""

from __future__ import annotations

from functools import partial

import pytest
import trio

from runtime import (
    Crashed,
    Exit,
    Exited,
    Killed,
    Normal,
    Task,
    TaskDone,
    TaskExit,
    TaskTimeout,
    is_alive,
    kill,
    self_,
    send,
    send_after,
    unlink,
)
from tests.conformance.scenarios import row
from tests.conformance.task.parts import (
    Thrown,
    by_an_owner,
    by_an_owner_that_traps_exits,
    throw,
)
from tests.runtime.tasking import Boom, after, crash, drained, end_as, forever, give, gone, pid_of
from tests.support import in_process, reason_of


@row("TASK-001")
@by_an_owner
async def a_result_is_what_the_function_returned() -> None:
    task = await Task.start(after, 2.0, "value")
    assert await task.result() == "value"
    assert trio.current_time() == 2


@row("TASK-002")
@by_an_owner
async def an_owner_that_never_asks_is_told() -> None:
    """differs: by the value alone, no ``Down`` follows it."""
    task = await Task.start(give, 5)
    await trio.sleep(1)
    assert await drained() == [TaskDone(task, 5)]


@row("TASK-004")
@by_an_owner_that_traps_exits
async def the_exit_of_a_task_that_was_awaited_remains() -> None:
    task = await Task.start(give, 5)
    assert await task.result() == 5
    assert await drained() == [Exit(task.pid, Normal())]


@row("TASK-005")
async def a_normal_end_without_a_value_ends_whoever_awaits_it() -> None:
    tasks: list[Task[None]] = []

    async def owner() -> None:
        tasks.append(await Task.start(end_as, Normal()))
        await tasks[0].result()

    reason = await reason_of(owner)
    assert isinstance(reason, Crashed)
    assert isinstance(reason.exception, TaskExit)
    assert (reason.exception.reason, reason.exception.task) == (Normal(), tasks[0])


@row("TASK-006")
async def a_raise_ends_a_linked_caller_with_the_reason_itself() -> None:
    tasks: list[Task[None]] = []

    async def owner() -> None:
        tasks.append(await Task.start(crash, 1.0))
        with pytest.raises(TaskExit):
            await tasks[0].result()

    reason = await reason_of(owner)
    assert isinstance(reason, Crashed)
    assert isinstance(reason.exception, Boom), "by the link, not by what the await raised"
    assert await tasks[0].wait() == Exited(reason)


@row("TASK-007")
@by_an_owner_that_traps_exits
async def a_caller_that_traps_exits_has_the_reason_and_the_exit() -> None:
    """differs: only an exception can be thrown, so what is thrown is the reason like any raise."""
    for body, exception in ((crash, Boom), (throw, Thrown), (partial(end_as, "bad"), None)):
        task = await Task.start(body)
        with pytest.raises(TaskExit) as caught:
            await task.result()
        reason = caught.value.reason
        if exception is None:
            assert reason == "bad"
        else:
            assert isinstance(reason, Crashed)
            assert type(reason.exception) is exception
        assert caught.value.task is task
        assert await drained() == [Exit(task.pid, reason)]


@row("TASK-008")
@by_an_owner_that_traps_exits
async def a_killed_task_has_been_killed() -> None:
    task = await Task.start(forever)
    kill(pid_of(task))
    with pytest.raises(TaskExit) as caught:
        await task.result()
    assert (caught.value.reason, caught.value.task) == (Killed(), task)
    assert await drained() == [Exit(task.pid, Killed())]


@row("TASK-009")
@by_an_owner
async def a_task_outlives_the_patience_of_its_caller() -> None:
    task = await Task.start(after, 10.0, "late")
    with pytest.raises(TaskTimeout) as caught:
        await task.result(timeout=3)
    assert trio.current_time() == 3
    assert (caught.value.task, caught.value.timeout) == (task, 3)
    assert is_alive(pid_of(task))
    assert await gone(task) == Normal()
    assert trio.current_time() == 10


@row("TASK-010")
async def a_timeout_that_is_not_caught_is_the_reason_of_the_linked_task_too() -> None:
    tasks: list[Task[None]] = []

    async def owner() -> None:
        tasks.append(await Task.start(forever))
        await tasks[0].result(timeout=1)

    reason = await reason_of(owner)
    assert trio.current_time() == 1
    assert isinstance(reason, Crashed)
    assert isinstance(reason.exception, TaskTimeout)
    assert reason.exception.task is tasks[0]
    assert await tasks[0].wait() == Exited(reason)


@row("TASK-011")
@by_an_owner
async def a_value_after_the_timeout_arrives_nowhere() -> None:
    task = await Task.start(after, 2.0, "late")
    with pytest.raises(TaskTimeout):
        await task.result(timeout=1)
    assert await gone(task) == Normal()
    await trio.sleep(1)
    assert await drained() == []


@row("TASK-012")
@by_an_owner
async def a_second_await_has_the_value_again() -> None:
    """differs: it has it at once; OTP's waits in vain and times out."""
    task = await Task.start(after, 2.0, 5)
    assert await task.result() == 5
    assert await task.result(timeout=1) == 5
    assert trio.current_time() == 2
    assert await drained() == []


@row("TASK-013")
@by_an_owner
async def whoever_is_not_the_owner_may_await() -> None:
    """differs: OTP refuses it; the owner is told all the same."""
    task = await Task.start(after, 2.0, 5)
    assert await in_process(task.result) == 5
    assert await drained() == [TaskDone(task, 5)]


@row("TASK-014")
@by_an_owner
async def an_unlinked_task_is_awaited_as_any_other() -> None:
    task = await Task.start(after, 1.0, 5)
    unlink(pid_of(task))
    assert await task.result() == 5
    failing = await Task.start(end_as, "bad", 1.0)
    unlink(pid_of(failing))
    with pytest.raises(TaskExit) as caught:
        await failing.result()
    assert caught.value.reason == "bad"
    assert await drained() == []


@row("TASK-015")
@by_an_owner
async def what_is_in_the_mailbox_stays_in_its_order() -> None:
    send(self_(), "before")
    task = await Task.start(after, 2.0, 5)
    send(self_(), "behind")
    send_after(self_(), "meanwhile", 1.0)
    assert await task.result() == 5
    send(self_(), "afterwards")
    assert await drained() == ["before", "behind", "meanwhile", "afterwards"]
