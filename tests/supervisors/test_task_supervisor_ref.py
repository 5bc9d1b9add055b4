from __future__ import annotations

import math
from functools import partial
from typing import Any

import pytest
import trio

from runtime import (
    CallCycle,
    CallExit,
    Crashed,
    Exited,
    GenServer,
    Killed,
    MailboxFull,
    MailboxLimit,
    Node,
    NoProcess,
    Ok,
    Pid,
    Ref,
    Shutdown,
    Task,
    UnhandledMessage,
    kill,
    named,
    ref,
    resume,
    self_,
    start,
    suspend,
    wait_exit,
)
from supervisors import TaskSupervisor, TaskSupervisorRef, open_supervisor
from tests.runtime.tasking import after, forever, give, gone, pid_of
from tests.supervisors.task_parts import tasks_supervised
from tests.support import Ask, Scripted, in_process


def test_a_handle_leads_there_by_name_pid_or_ref() -> None:
    handle = TaskSupervisorRef("tasks")
    assert (handle.name, handle.incarnation) == ("tasks", None)
    assert repr(handle) == "TaskSupervisorRef(named('tasks'))"
    assert handle == TaskSupervisorRef(named("tasks"))
    assert handle != TaskSupervisorRef("others")


@pytest.mark.parametrize("budget", [-1, math.nan, "soon", True, None])
def test_what_is_no_budget_is_refused(budget: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="shutdown: got"):
        TaskSupervisorRef("tasks", shutdown=budget)


async def test_by_name_it_follows_restarts(node: Node) -> None:
    async with open_supervisor([TaskSupervisor.child_spec().replace(name="tasks")]):
        supervisor = TaskSupervisorRef("tasks")
        assert await (await supervisor.start_nolink(give, 1)).result() == 1
        before = supervisor.pid
        kill(supervisor)
        await wait_exit(before)
        await trio.sleep(1)
        assert supervisor.pid is not before
        assert await (await supervisor.start_nolink(give, 2)).result() == 2


@pytest.mark.parametrize("name", ["start", "start_nolink", "start_child"])
async def test_wrong_functions_and_arguments_are_refused_at_the_call(node: Node, name: str) -> None:
    async def owner() -> None:
        async with tasks_supervised() as supervisor:
            begin: Any = getattr(supervisor, name)
            with pytest.raises(TypeError, match="got 5"):
                await begin(5)
            with pytest.raises(TypeError, match="allowed is an async function"):
                await begin(lambda: 5)
            with pytest.raises(TypeError, match="arguments of give: missing"):
                await begin(give)
            with pytest.raises(TypeError, match="arguments of give: got an unexpected"):
                await begin(give, 1, more=2)
            with pytest.raises(TypeError, match="allowed is an async function"):
                await begin(Scripted)
            assert await supervisor.which_children() == []

    await in_process(owner)


async def test_a_child_is_a_function_with_arguments_or_a_spec(node: Node) -> None:
    got: list[object] = []

    async def note(value: object, *, times: int = 1) -> None:
        got.extend([value] * times)

    async with tasks_supervised() as supervisor:
        assert isinstance(await supervisor.start_child(note, "a", times=2), Ref)
        await supervisor.start_child(Task.child_spec(note, "b"))
        await supervisor.start_child(partial(note, "c"), times=1)
        await trio.sleep(1)
        with pytest.raises(TypeError, match="has its arguments already"):
            await supervisor.start_child(Task.child_spec(note, "d"), 5)  # type: ignore[call-overload]
    assert sorted(map(str, got)) == ["a", "a", "b", "c"]


async def test_a_child_may_be_anything_that_a_spec_describes(node: Node) -> None:
    """A server for example, which is then a child like the tasks beside it."""
    async with tasks_supervised() as supervisor:
        server = await supervisor.start_child(Scripted.child_spec())
        assert await server.call(Ask(lambda one, reply_to: "answer")) == "answer"
        (info,) = await supervisor.which_children()
        assert info.behaviour == "Scripted"


async def test_a_child_that_takes_task_status_is_up_when_it_says_so(node: Node) -> None:
    async def served(*, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        await trio.sleep(2)
        task_status.started()
        await trio.sleep_forever()

    async with tasks_supervised() as supervisor:
        await supervisor.start_child(served)
        assert trio.current_time() == 2


async def test_the_budget_is_that_of_the_handle(node: Node) -> None:
    """Of a function; a spec has its own."""
    async with tasks_supervised() as supervisor:
        brutal = TaskSupervisorRef(supervisor, shutdown="brutal_kill")
        spec = Task.child_spec(forever)
        pids = [
            pid_of(await brutal.start_nolink(forever)),
            (await brutal.start_child(forever)).pid,
            (await brutal.start_child(spec)).pid,
            pid_of(await supervisor.start_nolink(forever)),
        ]
        reasons: list[object] = []
        for pid in pids:
            async with trio.open_nursery() as nursery:

                @nursery.start_soon
                async def see(pid: Pid = pid) -> None:
                    reasons.append(await wait_exit(pid))

                await trio.sleep(1)
                await supervisor.terminate_child(pid)
        assert reasons == [Killed(), Killed(), Shutdown(), Shutdown()]


@pytest.mark.parametrize("name", ["start", "start_nolink"])
async def test_a_start_takes_as_long_as_the_supervisor_does(node: Node, name: str) -> None:
    """No time limit, but any the caller likes."""

    async def owner() -> None:
        async with tasks_supervised() as supervisor:
            await suspend(supervisor)
            with trio.move_on_after(1000) as scope:
                await getattr(supervisor, name)(give, 1)
            assert scope.cancelled_caught
            async with trio.open_nursery() as nursery:

                @nursery.start_soon
                async def late() -> None:
                    assert await (await supervisor.start(give, 5)).result() == 5

                await trio.sleep(1000)
                await resume(supervisor)

    await in_process(owner)


async def test_a_start_does_not_wait_for_the_first_step(node: Node) -> None:
    async with tasks_supervised() as supervisor:
        task = await supervisor.start_nolink(forever)
        assert task.pid is not None
        assert await supervisor.children() == [task.pid]


async def test_a_full_mailbox_refuses_the_start(node: Node) -> None:
    spec = TaskSupervisor.child_spec().replace(mailbox=MailboxLimit(1))
    supervisor = TaskSupervisorRef(await start(spec))
    await suspend(supervisor)
    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def in_queue() -> None:
            await supervisor.start_nolink(give, 1)

        await trio.sleep(1)
        with pytest.raises(MailboxFull):
            await supervisor.start_nolink(give, 2)
        await resume(supervisor)
    await supervisor.stop()


async def test_what_is_no_supervisor_refuses(node: Node) -> None:
    """The handle is wrong, and the server none the worse for it."""

    class Deaf(GenServer):
        """Handles nothing."""

    server = await Deaf.start()
    with pytest.raises(UnhandledMessage, match="runs Deaf, which does not know StartTask"):
        await TaskSupervisorRef(server).start_nolink(give, 5)
    await server.stop()
    with pytest.raises(CallExit) as caught:
        await TaskSupervisorRef(server).children()
    assert caught.value.reason == NoProcess()


async def test_a_server_may_wait_for_a_task_that_calls_back_no_longer_than_it_must(
    node: Node,
) -> None:
    """The refusal is the task's, at once: as without a supervisor."""
    async with tasks_supervised() as supervisor:
        server = await start(Scripted.child_spec())

        async def call_back() -> None:
            await server.call(Ask(lambda one, reply_to: None), timeout=math.inf)

        async def handler(one: object, reply_to: object) -> object:
            task = await supervisor.start_nolink(call_back)
            return await task.wait(timeout=math.inf)

        outcome = await server.call(Ask(handler))
        assert isinstance(outcome, Exited)
        assert isinstance(outcome.reason, Crashed)
        assert isinstance(outcome.reason.exception, CallCycle)
        assert trio.current_time() == 0
        await server.stop()


async def test_a_task_may_use_its_own_supervisor(node: Node) -> None:
    async with tasks_supervised() as supervisor:

        async def outer() -> list[int]:
            tasks = [await supervisor.start(after, 1.0, at) for at in range(3)]
            assert len(await supervisor.children()) == 4
            return [await task.result() for task in tasks]

        assert await (await supervisor.start_nolink(outer)).result() == [0, 1, 2]


@pytest.mark.real_clock
async def test_a_thread_of_a_process_starts_tasks_in_its_name(node: Node) -> None:
    async with tasks_supervised() as supervisor:

        async def owner() -> tuple[object, object]:
            def in_thread() -> Task[Pid]:
                return trio.from_thread.run(supervisor.start, identity)

            task = await trio.to_thread.run_sync(in_thread)
            outcome = await task.wait()
            return outcome, Ok(pid_of(task))

        outcome, expected = await in_process(owner)
        assert outcome == expected


async def identity() -> Pid:
    return self_()


async def test_a_ref_of_a_task_leads_to_its_process(node: Node) -> None:
    """A task is no server, but a process like any other."""
    async with tasks_supervised() as supervisor:
        task = await supervisor.start_nolink(forever)
        await ref(pid_of(task)).stop("asked to")
        assert await gone(task) == NoProcess()
        assert await task.wait() == Exited("asked to")
