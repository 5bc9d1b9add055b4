"""A task supervisor, an owner or a task that ends at every single step of a start."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
import trio
import trio._core._run as trio_run

from runtime import (
    CallError,
    CallExit,
    Exited,
    Killed,
    Node,
    NoProcess,
    Normal,
    Ok,
    Pid,
    Shutdown,
    Task,
    TaskDone,
    exit,
    is_alive,
    kill,
    open_node,
    processes,
    spawn,
    trap_exits,
    wait_exit,
)
from supervisors import ChildNotFound, TaskSupervisorRef
from tests.runtime.tasking import after, drained, forever, pid_of
from tests.soak.tasks import churn
from tests.supervisors.task_parts import start_tasks, tasks_supervised
from tests.support import in_process

STEPS = range(20)

WAYS = pytest.mark.parametrize("linked", [True, False])


def begin(
    supervisor: TaskSupervisorRef, linked: bool
) -> Callable[[Callable[[], Awaitable[None]]], Awaitable[Task[None]]]:
    return supervisor.start if linked else supervisor.start_nolink


async def steps(count: int) -> None:
    for _ in range(count):
        await trio.lowlevel.checkpoint()


@WAYS
async def test_a_start_cancelled_at_any_step_starts_nothing_or_returns_the_task(
    node: Node, linked: bool
) -> None:
    seen: set[str] = set()

    async def owner() -> None:
        async with tasks_supervised() as supervisor:
            for count in STEPS:
                tasks: list[Task[None]] = []
                with trio.CancelScope() as scope:
                    async with trio.open_nursery() as nursery:

                        async def ask(tasks: list[Task[None]] = tasks) -> None:
                            tasks.append(await begin(supervisor, linked)(forever))

                        nursery.start_soon(ask)
                        await steps(count)
                        scope.cancel()
                assert await supervisor.children() == [task.pid for task in tasks]
                seen.add("started" if tasks else "nothing")
                for task in tasks:
                    assert await task.shutdown() is None
            assert await drained() == []

    await in_process(owner)
    assert seen == {"started", "nothing"}


@WAYS
@pytest.mark.parametrize("end", ["stop", "kill", "signal"])
async def test_a_supervisor_that_ends_at_any_step_refuses_or_ends_the_task(
    node: Node, end: str, linked: bool
) -> None:
    reasons: list[object] = []
    for count in STEPS:
        supervisor = await start_tasks()

        async def owner(supervisor: TaskSupervisorRef = supervisor) -> None:
            trap_exits()
            try:
                task = await begin(supervisor, linked)(forever)
            except CallExit as exc:
                reasons.append(exc.reason)
                return
            outcome = await task.wait()
            assert outcome in (Exited(Shutdown()), Exited(Killed()))
            reasons.append("ended")

        begun = trio.current_time()
        pid = spawn(owner)
        await steps(count)
        if end == "stop":
            await supervisor.stop()
        elif end == "kill":
            kill(supervisor)
        else:
            exit(supervisor, Shutdown("now"))
            kill(supervisor)
        await wait_exit(supervisor)
        assert await wait_exit(pid) in (Normal(), NoProcess())
        assert trio.current_time() == begun
        assert processes() == []
    assert "ended" in reasons
    refused = [one for one in reasons if one != "ended"]
    assert refused
    assert [one for one in refused if one not in (Normal(), Killed(), NoProcess())] == []


@WAYS
@pytest.mark.parametrize("end", ["kill", "signal"])
async def test_an_owner_that_ends_at_any_step_leaves_no_linked_task(
    node: Node, end: str, linked: bool
) -> None:
    """TSUP-022. An unlinked one runs to its end."""
    seen: set[str] = set()
    async with tasks_supervised() as supervisor:
        for count in STEPS:
            ran: list[str] = []

            async def body(ran: list[str] = ran) -> None:
                ran.append("ran")
                await trio.sleep(1)
                ran.append("done")

            async def owner(body: Callable[[], Awaitable[None]] = body) -> None:
                await begin(supervisor, linked)(body)
                await trio.sleep_forever()

            pid = spawn(owner)
            await steps(count)
            if end == "kill":
                kill(pid)
            else:
                exit(pid, "ended")
            await wait_exit(pid)
            if linked:
                await steps(5)
                assert await supervisor.children() == []
                assert "done" not in ran
            await trio.sleep(2)
            assert ran in (([], ["ran"]) if linked else ([], ["ran", "done"]))
            seen.update(ran[:1] or ["nothing"])
            assert await supervisor.which_children() == []
    assert seen == {"ran", "nothing"}


async def test_a_terminate_at_any_step_of_the_task(node: Node) -> None:
    async def body() -> str:
        await steps(6)
        return "value"

    async def owner() -> None:
        async with tasks_supervised() as supervisor:
            for count in STEPS:
                task = await supervisor.start_nolink(body)
                await steps(count)
                try:
                    await supervisor.terminate_child(pid_of(task))
                except ChildNotFound:
                    assert await task.wait() == Ok("value")
                else:
                    assert await task.wait() in (Exited(Shutdown()), Ok("value"))
                assert await drained() == []

    await in_process(owner)


async def test_the_message_of_a_task_that_the_supervisor_ends_is_not_lost(node: Node) -> None:
    """An owner that gave up its wait in the very tick of the stop."""

    async def owner() -> None:
        for count in STEPS:
            supervisor = await start_tasks()
            task = await supervisor.start_nolink(forever)
            told: list[object] = []
            with trio.CancelScope() as scope:
                async with trio.open_nursery() as nursery:

                    async def ask(task: Task[None] = task, told: list[object] = told) -> None:
                        told.append(await task.wait())

                    nursery.start_soon(ask)
                    nursery.start_soon(supervisor.stop)
                    await steps(count)
                    scope.cancel()
            if is_alive(supervisor):
                await supervisor.stop()
            assert len(told) + len(await drained()) == 1

    await in_process(owner)


async def test_many_owners_share_one_supervisor(node: Node) -> None:
    pids: set[Pid] = set()
    async with tasks_supervised() as supervisor:

        async def owner() -> None:
            tasks = [await supervisor.start(after, 0.1 * at, at) for at in range(10)]
            pids.update(map(pid_of, tasks))
            asked, left = tasks[::2], tasks[1::2]
            assert [await task.result() for task in asked] == [0, 2, 4, 6, 8]
            await trio.sleep(1)
            assert await drained() == [
                TaskDone(task, at) for task, at in zip(left, range(1, 10, 2), strict=True)
            ]

        async with trio.open_nursery() as nursery:
            for _ in range(20):
                nursery.start_soon(in_process, owner)
        assert await supervisor.which_children() == []
    assert len(pids) == 200


@pytest.mark.parametrize("seed", range(10, 14))
async def test_under_random_load_the_supervisor_forgets_nobody_and_keeps_nobody(seed: int) -> None:
    trio_run._r.seed(seed)
    async with open_node(instruments=[]):
        await churn(500, seed)


async def test_a_task_that_asks_its_supervisor_for_itself(node: Node) -> None:
    """A child may call its supervisor while that runs, also to be ended by it."""
    async with tasks_supervised() as supervisor:
        pids: list[Pid] = []

        async def body() -> None:
            pids.extend(await supervisor.children())
            try:
                await supervisor.terminate_child(pids[0])
            except CallError:
                pids.clear()

        task = await supervisor.start_nolink(body)
        outcome = await task.wait()
        assert outcome in (Exited(Shutdown()), Ok(None))
        assert trio.current_time() == 0
