"""What the checkers know about tasks: their arguments, their values, how they ended."""

from __future__ import annotations

from typing import assert_type

from runtime import (
    ChildSpec,
    Down,
    Exited,
    ExitReason,
    GenServer,
    MonitorRef,
    Ok,
    Outcome,
    Pid,
    Ref,
    Task,
    TaskDone,
    callers,
    child_spec,
    handles,
    race,
    receive,
    result_many,
    wait_many,
)
from supervisors import TaskSupervisor, TaskSupervisorRef


async def load(path: str, *, limit: int = 10) -> list[int]:
    return [limit]


async def ring() -> None: ...


def plain(path: str) -> int:
    return len(path)


async def the_arguments_of_the_function_are_checked(tasks: TaskSupervisorRef) -> None:
    await Task.start(load, "a")
    await Task.start_nolink(load, "a", limit=5)
    await tasks.start(load, "a", limit=5)
    await tasks.start_nolink(load, path="a")
    await tasks.start_nolink(ring)
    assert_type(Task.child_spec(load, "a", limit=5), ChildSpec)
    await Task.start(load)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await Task.start(load, 5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await Task.start(load, "a", most=5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await Task.start_nolink(load, "a", limit="5")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await Task.start_nolink(ring, 1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await Task.start_nolink(plain, "a")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await Task.start_nolink(load("a"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]
    await tasks.start(load)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await tasks.start(plain, "a")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await tasks.start_nolink(load, 5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Task.child_spec(load)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Task.child_spec(plain, "a")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def a_task_knows_its_value(tasks: TaskSupervisorRef) -> None:
    assert_type(await Task.start(load, "a"), Task[list[int]])
    assert_type(await Task.start_nolink(ring), Task[None])
    task = await tasks.start_nolink(load, "a")
    assert_type(task, Task[list[int]])
    assert_type(await task.result(), list[int])
    assert_type(await task.result(timeout=1), list[int])
    assert_type(await task.wait(), Ok[list[int]] | Exited[None] | None)
    assert_type(await task.shutdown("brutal_kill"), Ok[list[int]] | Exited[None] | None)
    assert_type(task.ignore(), Ok[list[int]] | Exited[None] | None)
    assert_type(Task.completed("value"), Task[str])
    assert_type(task.pid, Pid | None)
    assert_type(task.ref, MonitorRef)
    await task.result(1.0)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await task.wait(timeout="1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await task.shutdown("kill")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    text: str = await task.result()  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    print(text)


def a_task_of_something_narrow_is_one_of_something_wide(
    one: Task[list[int]], other: Task[object]
) -> None:
    wide: Task[object] = one
    narrow: Task[list[int]] = other  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    print(wide, narrow)


async def how_it_ended_is_told_apart(task: Task[str]) -> None:
    outcome = await task.wait()
    match outcome:
        case None:
            assert_type(outcome, None)
        case Ok():
            assert_type(outcome.value, str)
        case Exited():
            assert_type(outcome.reason, ExitReason)
    known: Outcome[str] = Ok("value")
    wrong: Outcome[str] = Ok(5)  # type: ignore[arg-type]  # pyright: ignore[reportAssignmentType]
    print(known, wrong)


async def groups_know_their_values(
    numbers: list[Task[int]], texts: list[Task[str]], one: Task[int]
) -> None:
    assert_type(await result_many(numbers), list[int])
    assert_type(await wait_many(texts), list[Ok[str] | Exited[None] | None])
    assert_type(await race(numbers), int)
    assert_type(await race(task for task in texts), str)
    assert_type(
        await wait_many(numbers, limit=1, on_timeout="kill_task", timeout=1),
        list[Ok[int] | Exited[None] | None],
    )
    await result_many(one)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await race([1])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await wait_many(numbers, on_timeout="exit")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await race(numbers, shutdown="kill")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def children_are_functions_or_specs(tasks: TaskSupervisorRef) -> None:
    assert_type(await tasks.start_child(load, "a", limit=5), Ref)
    assert_type(await tasks.start_child(Task.child_spec(load, "a")), Ref)
    assert_type(await tasks.start_child(child_spec(ring)), Ref)
    assert_type(await tasks.children(), list[Pid])
    await tasks.start_child(load)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    await tasks.start_child(plain, "a")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    await tasks.start_child(Task.child_spec(ring), 5)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]


def a_task_supervisor_has_options() -> None:
    assert_type(TaskSupervisor.child_spec(max_children=5), ChildSpec)
    assert_type(TaskSupervisorRef("tasks", shutdown="brutal_kill"), TaskSupervisorRef)
    TaskSupervisor.child_spec(5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    TaskSupervisor.child_spec(max_children="5")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    TaskSupervisor.child_spec(extra_arguments=[1])  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    TaskSupervisorRef("tasks", shutdown="kill")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


class Owner(GenServer):
    """Is told of its tasks by messages."""

    @handles(TaskDone)
    def done(self, message: TaskDone[list[int]]) -> None:
        assert_type(message.task, Task[list[int]])
        assert_type(message.value, list[int])

    @handles(Down)
    def failed(self, message: Down) -> None: ...


async def a_plain_process_receives_them() -> None:
    message = await receive((TaskDone, Down))
    if isinstance(message, Down):
        assert_type(message.ref, MonitorRef)
    assert_type(callers(), tuple[Pid, ...])
