"""Rows of TASK about yield, ignore and completed tasks: asking how it stands, and letting go."""

from __future__ import annotations

import trio

from runtime import (
    Crashed,
    Down,
    Exit,
    Exited,
    Normal,
    Ok,
    Task,
    TaskDone,
    is_alive,
    self_,
)
from tests.conformance.scenarios import row
from tests.conformance.task.parts import by_an_owner, by_an_owner_that_traps_exits, info_of
from tests.runtime.tasking import Boom, after, crash, drained, end_as, forever, give, pid_of


@row("TASK-018")
@by_an_owner_that_traps_exits
async def a_yield_tells_how_it_ended_or_that_it_has_not() -> None:
    assert await (await Task.start(give, 5)).wait(timeout=1) == Ok(5)
    running = await Task.start(forever)
    before = trio.current_time()
    assert await running.wait(timeout=2) is None
    assert trio.current_time() == before + 2
    await running.shutdown()
    assert await (await Task.start(end_as, Normal())).wait(timeout=1) == Exited(Normal())
    assert await (await Task.start(end_as, "bad")).wait(timeout=1) == Exited("bad")
    crashed = await (await Task.start(crash)).wait(timeout=1)
    assert isinstance(crashed, Exited)
    assert isinstance(crashed.reason, Crashed)
    assert isinstance(crashed.reason.exception, Boom)


@row("TASK-019")
@by_an_owner
async def a_yield_after_one_in_vain_has_the_value() -> None:
    """differs: so has a third, at once; OTP's is nil after its time-out."""
    task = await Task.start(after, 5.0, "late")
    assert await task.wait(timeout=1) is None
    assert await task.wait(timeout=10) == Ok("late")
    assert await task.wait(timeout=1) == Ok("late")
    assert trio.current_time() == 5
    assert await drained() == []


@row("TASK-020")
@by_an_owner
async def a_yield_takes_what_was_told_of_the_task_out_of_the_mailbox() -> None:
    others = [await Task.start(give, 6), await Task.start_nolink(end_as, "worse")]
    await trio.sleep(1)
    task = await Task.start(give, 5)
    failing = await Task.start_nolink(end_as, "bad")
    await trio.sleep(1)
    assert info_of(self_()).mailbox_length == 4
    assert await task.wait() == Ok(5)
    assert await failing.wait(timeout=0) == Exited("bad")
    left = await drained()
    assert len(left) == 2
    assert TaskDone(others[0], 6) in left
    assert Down(others[1].ref, others[1].pid, "worse") in left


@row("TASK-044")
@by_an_owner_that_traps_exits
async def an_ignored_task_is_let_go_of() -> None:
    done = await Task.start(give, 5)
    crashed = await Task.start(end_as, "bad", 1.0)
    crashes_later = await Task.start(crash, 3.0)
    has_a_value_later = await Task.start(after, 3.0, 6)
    await trio.sleep(2)
    tasks: list[Task[object]] = [done, crashed, crashes_later, has_a_value_later]
    assert [task.ignore() for task in tasks] == [Ok(5), Exited("bad"), None, None]
    assert [is_alive(pid_of(task)) for task in tasks] == [False, False, True, True]
    assert info_of(self_()).links == ()
    await trio.sleep(2)
    assert not any(is_alive(pid_of(task)) for task in tasks)
    assert await drained() == [Exit(done.pid, Normal()), Exit(crashed.pid, "bad")]


@row("TASK-045")
@by_an_owner
async def a_completed_task_is_a_value_without_a_process() -> None:
    task = Task.completed(5)
    assert task.pid is None
    assert await task.result() == 5
    assert await Task.completed(6).wait() == Ok(6)
    assert trio.current_time() == 0
    assert await drained() == []
