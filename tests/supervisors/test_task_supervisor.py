from __future__ import annotations

from typing import Any

import pytest
import trio

from runtime import (
    CallExit,
    Crashed,
    Down,
    Exit,
    Exited,
    Node,
    NoProcess,
    Normal,
    Ok,
    OutsideProcess,
    Pid,
    TaskDone,
    TaskExit,
    callers,
    is_alive,
    kill,
    process_info,
    resume,
    self_,
    spawn,
    suspend,
    wait_exit,
)
from supervisors import (
    MaxChildren,
    TaskSupervisor,
    TaskSupervisorRef,
    open_supervisor,
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
from tests.supervisors.task_parts import tasks_supervised
from tests.support import in_process


async def test_a_crash_of_an_unlinked_task_is_only_told(node: Node) -> None:
    """TSUP-003."""

    async def owner() -> None:
        async with tasks_supervised() as supervisor:
            task = await supervisor.start_nolink(end_as, "bad")
            assert await task.wait() == Exited("bad")
            task = await supervisor.start_nolink(crash)
            with pytest.raises(TaskExit) as caught:
                await task.result()
            assert isinstance(caught.value.reason, Crashed)
            assert isinstance(caught.value.__cause__, Boom)
            assert await drained() == []

    await in_process(owner)


async def test_a_success_that_nobody_asked_for_is_one_message(node: Node) -> None:
    """TSUP-004. differs: OTP sends a ``DOWN`` as well."""

    async def owner() -> None:
        async with tasks_supervised() as supervisor:
            task = await supervisor.start_nolink(give, 5)
            failing = await supervisor.start_nolink(end_as, "bad", 0.5)
            await trio.sleep(1)
            assert await drained() == [TaskDone(task, 5), Down(failing.ref, failing.pid, "bad")]

    await in_process(owner)


async def test_one_task_too_many_is_refused_before_anything_starts(node: Node) -> None:
    """TSUP-007, TSUP-008. differs: ``MaxChildren`` is raised by all of them."""
    ran: list[str] = []

    async def mark(name: str) -> None:
        ran.append(name)

    async def owner() -> None:
        async with tasks_supervised(max_children=1) as supervisor:
            task = await supervisor.start(after, 1.0, 5)
            for begin in (supervisor.start, supervisor.start_nolink, supervisor.start_child):
                with pytest.raises(MaxChildren, match="1") as caught:
                    await begin(mark, begin.__name__)
                assert caught.value.limit == 1
            assert await drained() == []
            assert await task.result() == 5
            assert await (await supervisor.start(give, 6)).result() == 6, "there is room again"
            await supervisor.start_child(mark, "room")
            await trio.sleep(1)

    await in_process(owner)
    assert ran == ["room"]


async def test_a_slot_is_free_as_soon_as_the_result_is_there(node: Node) -> None:
    """However the task ended: whoever was told may start the next one."""
    async with tasks_supervised(max_children=1) as supervisor:
        for _ in range(10):
            await (await supervisor.start_nolink(give, "end")).wait()
            await (await supervisor.start_nolink(end_as, "end")).wait()
        for _ in range(5):
            await (await supervisor.start_nolink(forever)).shutdown()


async def test_nobody_there_is_an_exit_of_the_call(node: Node) -> None:
    """TSUP-009. differs: the caller may catch it."""
    supervisor = TaskSupervisorRef("nobody")

    async def owner() -> None:
        for begin in (supervisor.start, supervisor.start_nolink, supervisor.start_child):
            with pytest.raises(CallExit) as caught:
                await begin(give, 5)
            assert caught.value.reason == NoProcess()
        assert await drained() == []

    await in_process(owner)


async def test_callers_are_who_asked_and_ancestors_are_the_supervisors(node: Node) -> None:
    """TSUP-020."""

    async def look() -> tuple[tuple[Pid, ...], tuple[Pid | str, ...]]:
        info = process_info(self_())
        assert info is not None
        return callers(), info.ancestors

    async def outer(supervisor: TaskSupervisorRef, inner_of: list[Pid]) -> Any:
        inner_of.append(self_())
        return await (await supervisor.start(look)).result()

    async def owner() -> None:
        spec = TaskSupervisor.child_spec().replace(name="tasks")
        async with open_supervisor([spec]):
            supervisor = TaskSupervisorRef("tasks")
            pids: list[Pid] = []
            who, above = await (await supervisor.start(outer, supervisor, pids)).result()
            assert who == (*pids, self_())
            assert above[0] == "tasks"

    await in_process(owner)


async def test_a_linked_task_needs_a_process_to_be_linked_to(node: Node) -> None:
    async with tasks_supervised() as supervisor:
        with pytest.raises(OutsideProcess, match=r"TaskSupervisorRef\.start"):
            await supervisor.start(give, 5)
        assert await (await supervisor.start_nolink(give, 5)).result() == 5


async def test_whoever_gives_up_a_start_in_the_queue_starts_nothing(node: Node) -> None:
    """TSUP-022: cancelled, or ended, before the supervisor has come to it."""
    ran: list[str] = []

    async def mark() -> None:
        ran.append("ran")

    async with tasks_supervised() as supervisor:

        async def owner() -> None:
            await supervisor.start(mark)

        await suspend(supervisor)
        with trio.move_on_after(1):
            await supervisor.start_nolink(mark)
        pid = spawn(owner)
        await trio.sleep(1)
        kill(pid)
        await wait_exit(pid)
        await resume(supervisor)
        await trio.sleep(1)
        assert await supervisor.which_children() == []
    assert ran == []


async def test_the_supervisor_hears_of_ends_that_come_before_the_first_step(node: Node) -> None:
    async with tasks_supervised() as supervisor:
        task = await supervisor.start_nolink(give, 5)
        kill(pid_of(task))
        await gone(task)
        assert await supervisor.which_children() == []
        assert is_alive(supervisor)


async def test_crashing_tasks_never_use_up_the_restarts(node: Node) -> None:
    async with tasks_supervised(max_restarts=0) as supervisor:
        for _ in range(20):
            task = await supervisor.start_nolink(crash)
            assert isinstance(await task.wait(), Exited)
        assert is_alive(supervisor)


async def test_an_owner_that_traps_exits_keeps_the_exit_of_a_linked_task(node: Node) -> None:
    async def owner() -> None:
        async with tasks_supervised() as supervisor:
            task = await supervisor.start(give, 5)
            assert await task.wait() == Ok(5)
            assert await drained() == [Exit(task.pid, Normal())]

    await in_process(owner, trap=True)
