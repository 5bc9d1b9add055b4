"""Rows of TASK about where a task stands: in a list of children, in a task, in a server."""

from __future__ import annotations

import trio

from runtime import (
    Down,
    Pid,
    ReplyTo,
    Task,
    TaskDone,
    callers,
    self_,
    start,
)
from supervisors import Supervisor, SupervisorRef
from tests.conformance.scenarios import row
from tests.conformance.task.parts import by_an_owner
from tests.runtime.tasking import crash, end_as, forever, give
from tests.support import Ask, Scripted


@row("TASK-048")
async def a_static_child_is_removed_when_it_ends() -> None:
    runs: list[str] = []

    async def ends() -> None:
        runs.append("ends")
        await trio.sleep(1)

    async def crashes() -> None:
        runs.append("crashes")
        await crash(1.0)

    specs = [Task.child_spec(fn) for fn in (ends, crashes, forever)]
    assert [spec.restart for spec in specs] == ["temporary"] * 3
    supervisor = SupervisorRef(await start(Supervisor.child_spec(specs)))
    before = [child.id for child in await supervisor.which_children()]
    assert before == ["forever", "crashes", "ends"]
    await trio.sleep(2)
    assert [child.id for child in await supervisor.which_children()] == ["forever"]
    assert (await supervisor.count_children()).specs == 1
    assert sorted(runs) == ["crashes", "ends"]
    await supervisor.stop()


@row("TASK-049")
@by_an_owner
async def a_task_inside_a_task_knows_the_chain() -> None:
    async def who() -> tuple[Pid, ...]:
        return callers()

    async def parent() -> tuple[Pid, tuple[Pid, ...]]:
        return self_(), await (await Task.start(who)).result()

    parent_pid, chain = await (await Task.start(parent)).result()
    assert chain == (parent_pid, self_())


@row("TASK-050")
async def a_server_is_told_of_its_tasks() -> None:
    """differs: of one that finishes by the value alone, no ``Down`` follows it."""
    log: list[object] = []
    server = await start(Scripted.child_spec(log))

    async def finishing(one: Scripted, reply_to: ReplyTo[Task[int]]) -> Task[int]:
        return await Task.start_nolink(give, 5)

    async def failing(one: Scripted, reply_to: ReplyTo[Task[None]]) -> Task[None]:
        return await Task.start_nolink(end_as, "bad")

    done = await server.call(Ask(finishing))
    await trio.sleep(1)
    failed = await server.call(Ask(failing))
    await trio.sleep(1)
    assert log == [
        ("info", TaskDone(done, 5)),
        ("info", Down(failed.ref, failed.pid, "bad")),
    ]
    await server.stop()


@row("TASK-051")
async def the_spec_of_a_task_is_temporary() -> None:
    """differs: it is called by its function's name, not ``Task``."""
    spec = Task.child_spec(give, 5)
    assert (spec.id, spec.restart) == ("give", "temporary")
