from __future__ import annotations

import math
from functools import partial
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
    Normal,
    Ok,
    OutsideProcess,
    ProcessExit,
    Task,
    TaskDone,
    TaskExit,
    TaskTimeout,
    is_alive,
    kill,
    self_,
    send,
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
    gone,
    pid_of,
)
from tests.support import in_process


async def test_a_failure_is_one_down_with_the_ref_of_the_task(node: Node) -> None:
    """TASK-002."""

    async def owner() -> None:
        task = await Task.start_nolink(end_as, "bad")
        await trio.sleep(1)
        assert await drained() == [Down(task.ref, task.pid, "bad")]

    await in_process(owner)


async def test_what_was_asked_for_is_not_told_as_well(node: Node) -> None:
    """TASK-001, TASK-011."""

    async def owner() -> None:
        task = await Task.start_nolink(after, 1.0, 5)
        assert await task.result() == 5
        failing = await Task.start_nolink(end_as, "bad")
        assert await failing.wait() == Exited("bad")
        await trio.sleep(1)
        assert await drained() == []

    await in_process(owner)


async def test_asking_takes_the_unread_message_back_out(node: Node) -> None:
    """And nothing else: TASK-015."""

    async def owner() -> None:
        send(self_(), "before")
        task = await Task.start_nolink(give, 5)
        failing = await Task.start_nolink(end_as, "bad")
        other = await Task.start_nolink(give, 6)
        await trio.sleep(1)
        send(self_(), "after")
        assert await task.result() == 5
        with pytest.raises(TaskExit):
            await failing.result()
        assert await drained() == ["before", TaskDone(other, 6), "after"]
        assert await other.result() == 6, "also when the message was read"

    await in_process(owner)


async def test_an_end_without_a_value_is_an_error_even_if_it_is_normal(node: Node) -> None:
    """TASK-005. differs: ``TaskExit`` is raised, which the caller may catch."""

    async def owner() -> None:
        task = await Task.start(end_as, Normal())
        with pytest.raises(TaskExit) as caught:
            await task.result()
        assert caught.value.reason == Normal()
        assert caught.value.task is task
        assert caught.value.__cause__ is None
        assert str(caught.value) == f"{task!r} ended: Normal()"

    await in_process(owner)


async def test_a_crash_is_raised_in_an_owner_that_traps_exits(node: Node) -> None:
    """TASK-007. Its exception is the cause."""

    async def owner() -> None:
        task = await Task.start(crash, 1.0)
        with pytest.raises(TaskExit) as caught:
            await task.result()
        reason = caught.value.reason
        assert isinstance(reason, Crashed)
        assert isinstance(reason.exception, Boom)
        assert caught.value.__cause__ is reason.exception
        assert await drained() == [Exit(task.pid, reason)]

    await in_process(owner, trap=True)


async def test_a_killed_task_is_an_error(node: Node) -> None:
    """TASK-008."""
    task = await Task.start_nolink(forever)
    kill(pid_of(task))
    with pytest.raises(TaskExit) as caught:
        await task.result()
    assert caught.value.reason == Killed()


async def test_a_timeout_leaves_the_task_running(node: Node) -> None:
    """TASK-009."""

    async def owner() -> None:
        task = await Task.start(after, 10.0, "late")
        with pytest.raises(TaskTimeout) as caught:
            await task.result(timeout=3)
        assert trio.current_time() == 3
        assert (caught.value.task, caught.value.timeout) == (task, 3)
        assert isinstance(caught.value, TimeoutError)
        assert str(caught.value) == f"{task!r}: no result within 3 s"
        assert is_alive(pid_of(task))
        assert await gone(task) == Normal()

    await in_process(owner)


@pytest.mark.parametrize("late", [partial(after, 10.0, "late"), partial(end_as, "late", 10.0)])
async def test_a_late_end_after_a_timeout_arrives_nowhere(node: Node, late: Any) -> None:
    """TASK-011."""

    async def owner() -> None:
        task = await Task.start_nolink(late)
        with pytest.raises(TaskTimeout):
            await task.result(timeout=1)
        await gone(task)
        assert await drained() == []

    await in_process(owner)


async def test_a_result_can_be_asked_for_again(node: Node) -> None:
    """TASK-012. differs: the handle keeps the outcome, so asking twice gives the same."""

    async def owner() -> None:
        task = await Task.start_nolink(give, 5)
        assert [await task.result() for _ in range(3)] == [5, 5, 5]
        assert await task.wait() == Ok(5)
        late = await Task.start_nolink(after, 10.0, 6)
        with pytest.raises(TaskTimeout):
            await late.result(timeout=1)
        assert await late.result(timeout=100) == 6
        failing = await Task.start_nolink(crash)
        raised = []
        for _ in range(2):
            with pytest.raises(TaskExit) as caught:
                await failing.result()
            raised.append(caught.value)
        assert raised[0] is not raised[1]
        assert raised[0].reason is raised[1].reason

    await in_process(owner)


async def test_anybody_may_ask_and_the_owner_is_told_all_the_same(node: Node) -> None:
    """TASK-013. differs: OTP refuses all but the owner; nothing is taken from it here."""
    tasks: list[Task[int]] = []

    async def owner() -> None:
        tasks.append(await Task.start_nolink(after, 2.0, 5))
        await trio.sleep(4)
        assert await drained() == [TaskDone(tasks[0], 5)]

    pid = spawn(owner)
    await trio.sleep(1)
    assert await in_process(tasks[0].result) == 5
    assert await tasks[0].result() == 5
    with pytest.raises(TaskTimeout):
        await (await Task.start_nolink(forever)).result(timeout=1)
    assert await wait_exit(pid) == Normal()


async def test_a_stranger_that_runs_out_of_time_mutes_nothing(node: Node) -> None:
    tasks: list[Task[int]] = []

    async def owner() -> None:
        tasks.append(await Task.start_nolink(after, 10.0, 5))
        await trio.sleep(20)
        assert await drained() == [TaskDone(tasks[0], 5)]

    pid = spawn(owner)
    await trio.sleep(1)
    with pytest.raises(TaskTimeout):
        await tasks[0].result(timeout=1)
    assert await wait_exit(pid) == Normal()


async def test_a_completed_task_has_its_value_and_no_process(node: Node) -> None:
    """TASK-045."""

    async def owner() -> None:
        task = Task.completed([1, 2])
        assert task.pid is None
        assert await task.result() == [1, 2]
        assert await task.wait(timeout=0) == Ok([1, 2])
        assert task.ignore() == Ok([1, 2])
        assert repr(task) == "<Task completed>"
        assert await drained() == []

    await in_process(owner)


async def test_a_task_shows_its_number_and_its_function(node: Node) -> None:
    task = await Task.start_nolink(partial(after, 1.0), None)
    assert repr(task) == f"<Task {pid_of(task).number} after>"
    await task.result()


async def test_a_linked_task_needs_a_process(node: Node) -> None:
    with pytest.raises(OutsideProcess, match=r"Task\.start"):
        await Task.start(give, 5)


async def test_a_task_needs_a_node() -> None:
    with pytest.raises(NoNode):
        await Task.start_nolink(give, 5)


async def test_a_plain_trio_task_may_start_and_ask(node: Node) -> None:
    task = await Task.start_nolink(after, 1.0, 5)
    assert await task.wait(timeout=0) is None
    assert await task.result() == 5
    assert task.ignore() == Ok(5)


@pytest.mark.parametrize("start", [Task.start, Task.start_nolink])
async def test_wrong_functions_and_arguments_are_refused_at_the_call(
    node: Node, start: Any
) -> None:
    async def served(task_status: object) -> None: ...

    async def owner() -> None:
        with pytest.raises(TypeError, match="fn: got 5, allowed is an async function"):
            await start(5)
        with pytest.raises(TypeError, match="fn: got <function"):
            await start(lambda: 5)
        with pytest.raises(TypeError, match="arguments of give: missing a required argument"):
            await start(give)
        with pytest.raises(TypeError, match="arguments of give: too many positional arguments"):
            await start(give, 1, 2)
        with pytest.raises(TypeError, match="arguments of give: got an unexpected keyword"):
            await start(give, 1, more=2)
        with pytest.raises(TypeError, match="missing a required argument: 'task_status'"):
            await start(served)
        assert await drained() == []

    await in_process(owner)


@pytest.mark.parametrize("ask", ["result", "wait"])
async def test_wrong_timeouts_are_refused(node: Node, ask: str) -> None:
    task = Task.completed(5)
    with pytest.raises(ValueError, match="timeout: got -1"):
        await getattr(task, ask)(timeout=-1)
    with pytest.raises(ValueError, match="timeout: got nan"):
        await getattr(task, ask)(timeout=math.nan)
    with pytest.raises(TypeError, match="timeout: got True"):
        await getattr(task, ask)(timeout=True)


async def test_the_function_may_have_a_task_status_of_its_own(node: Node) -> None:
    """As with ``nursery.start_soon``: nobody is told."""

    async def served(task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED) -> str:
        task_status.started(1)
        return "served"

    assert await (await Task.start_nolink(served)).result() == "served"


async def test_none_and_exceptions_are_values_like_others(node: Node) -> None:
    error = Boom()
    assert await (await Task.start_nolink(give, None)).wait() == Ok(None)
    assert await (await Task.start_nolink(give, error)).result() is error


async def test_a_task_that_catches_its_own_exit_goes_on(node: Node) -> None:
    async def body() -> str:
        try:
            raise ProcessExit("bad")
        except ProcessExit:
            return "caught"

    assert await (await Task.start_nolink(body)).result() == "caught"
