"""Rows of TSUP about the end: of one task by request, of all of them with their supervisor."""

from __future__ import annotations

import pytest
import trio

from runtime import (
    Down,
    Exit,
    Exited,
    Killed,
    Normal,
    Ok,
    Shutdown,
    is_alive,
    receive,
    start_link,
    trap_exits,
)
from supervisors import ChildNotFound, TaskSupervisor, TaskSupervisorRef
from tests.conformance.scenarios import row
from tests.conformance.task.parts import by_an_owner, by_an_owner_that_traps_exits
from tests.runtime.tasking import drained, forever, last_words, pid_of, stubborn
from tests.supervisors.task_parts import start_tasks, tasks_supervised


@row("TSUP-014")
@by_an_owner
async def a_task_can_be_terminated_under_whoever_waits_for_it() -> None:
    async with tasks_supervised() as supervisor:
        task = await supervisor.start_nolink(forever)

        async def terminate() -> None:
            await trio.sleep(1)
            await supervisor.terminate_child(pid_of(task))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(terminate)
            assert await task.wait() == Exited(Shutdown())
        assert trio.current_time() == 1
        with pytest.raises(ChildNotFound) as caught:
            await supervisor.terminate_child(pid_of(task))
        assert caught.value.child_id is task.pid


@row("TSUP-015")
@by_an_owner
async def a_stop_shuts_the_tasks_down() -> None:
    async def obeys() -> object:
        trap_exits()
        return await receive()

    supervisor = await start_tasks()
    plain = await supervisor.start_nolink(forever)
    trapping = await supervisor.start_nolink(obeys)
    await trio.sleep(1)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(supervisor.stop)
        assert await plain.wait() == Exited(Shutdown())
        assert await trapping.wait() == Ok(Exit(supervisor.pid, Shutdown()))
    assert trio.current_time() == 1


@row("TSUP-016")
@by_an_owner
async def a_stop_kills_a_task_that_is_to_be_killed() -> None:
    supervisor = await start_tasks(shutdown="brutal_kill")
    tasks = [await supervisor.start_nolink(body) for body in (forever, stubborn)]
    await trio.sleep(1)
    await supervisor.stop()
    assert [await task.wait() for task in tasks] == [Exited(Killed())] * 2
    assert trio.current_time() == 1


@row("TSUP-017")
@by_an_owner
async def a_task_that_traps_exits_and_finishes_in_time_has_its_value() -> None:
    async def finish() -> str:
        await trio.sleep(2)
        return "in time"

    supervisor = await start_tasks()
    task = await supervisor.start_nolink(last_words, finish)
    await trio.sleep(1)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(supervisor.stop)
        assert await task.wait() == Ok("in time")
    assert trio.current_time() == 3


@row("TSUP-018")
@by_an_owner
async def a_task_that_traps_exits_and_is_too_slow_is_killed() -> None:
    supervisor = await start_tasks(shutdown=0.02)
    task = await supervisor.start_nolink(stubborn)
    await trio.sleep(1)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(supervisor.stop)
        assert await task.wait() == Exited(Killed())
    assert trio.current_time() == 1.02


@row("TSUP-019")
@by_an_owner_that_traps_exits
async def an_owner_linked_to_both_finds_the_exits_of_both() -> None:
    supervisor = TaskSupervisorRef(await start_link(TaskSupervisor.child_spec()))
    task = await supervisor.start(forever)
    await trio.sleep(1)
    await supervisor.stop()
    assert not is_alive(supervisor)
    assert await drained() == [
        Exit(task.pid, Shutdown()),
        Down(task.ref, task.pid, Shutdown()),
        Exit(supervisor.pid, Normal()),
    ]
