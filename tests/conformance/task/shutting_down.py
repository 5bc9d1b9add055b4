"""Rows of TASK about shutdown: of what runs, of what has ended, by force, by a stranger."""

from __future__ import annotations

import trio
import trio.testing

from runtime import (
    Crashed,
    Down,
    Exit,
    Exited,
    Killed,
    NoProcess,
    Normal,
    Ok,
    Shutdown,
    Task,
    is_alive,
    receive,
    self_,
    trap_exits,
)
from tests.conformance.scenarios import row
from tests.conformance.task.parts import by_an_owner, by_an_owner_that_traps_exits, info_of
from tests.runtime.tasking import (
    Boom,
    crash,
    drained,
    end_as,
    forever,
    give,
    gone,
    last_words,
    pid_of,
    stubborn,
)
from tests.support import in_process, reason_of


async def obeys() -> object:
    """Trap exits and return what came."""
    trap_exits()
    return await receive()


@row("TASK-021")
@by_an_owner_that_traps_exits
async def a_running_task_is_ended_and_nothing_is_left_of_it() -> None:
    task = await Task.start(forever)
    await trio.sleep(1)
    assert await task.shutdown() is None
    assert not is_alive(pid_of(task))
    assert info_of(self_()).links == ()
    await trio.sleep(1)
    assert await drained() == []


@row("TASK-022")
@by_an_owner
async def a_finished_task_gives_its_value() -> None:
    task = await Task.start(give, 5)
    await trio.sleep(1)
    assert info_of(self_()).mailbox_length == 1
    assert await task.shutdown() == Ok(5)
    assert await drained() == []


@row("TASK-023")
@by_an_owner_that_traps_exits
async def a_crashed_task_gives_its_reason_and_its_exit_stays() -> None:
    task = await Task.start(crash)
    await trio.sleep(1)
    outcome = await task.shutdown()
    assert isinstance(outcome, Exited)
    assert isinstance(outcome.reason, Crashed)
    assert isinstance(outcome.reason.exception, Boom)
    assert await drained() == [Exit(task.pid, outcome.reason)]


@row("TASK-024")
@by_an_owner
async def a_task_that_ended_normally_without_a_value_says_so() -> None:
    task = await Task.start(end_as, Normal())
    assert await gone(task) == Normal()
    assert await task.shutdown() == Exited(Normal())
    assert await drained() == []


@row("TASK-025")
@by_an_owner
async def a_task_that_traps_exits_may_return_in_time() -> None:
    task = await Task.start(obeys)
    await trio.sleep(1)
    assert await task.shutdown() == Ok(Exit(self_(), Shutdown()))
    assert trio.current_time() == 1
    assert await drained() == []


@row("TASK-026")
@by_an_owner
async def a_task_that_traps_exits_may_end_with_another_reason() -> None:
    async def other() -> None:
        await end_as("other")

    task = await Task.start(last_words, other)
    await trio.sleep(1)
    assert await task.shutdown() == Exited("other")
    assert await drained() == []


@row("TASK-027")
@by_an_owner
async def a_task_that_never_ends_is_killed_after_the_timeout() -> None:
    task = await Task.start(stubborn)
    await trio.sleep(1)
    assert await task.shutdown(3) == Exited(Killed())
    assert trio.current_time() == 4
    assert not is_alive(pid_of(task))
    assert await drained() == []


@row("TASK-028")
@by_an_owner_that_traps_exits
async def a_brutal_kill_ends_what_runs_at_once() -> None:
    for body in (forever, stubborn):
        task = await Task.start(body)
        await trio.testing.wait_all_tasks_blocked()
        assert await task.shutdown("brutal_kill") is None
        assert not is_alive(pid_of(task))
    assert trio.current_time() == 0
    assert await drained() == []


@row("TASK-029")
@by_an_owner
async def a_brutal_kill_of_what_was_shut_down_before_tells_that() -> None:
    task = await Task.start_nolink(end_as, Shutdown())
    assert await gone(task) == Shutdown()
    assert await task.shutdown("brutal_kill") == Exited(Shutdown())
    assert await drained() == []


@row("TASK-030")
@by_an_owner
async def a_second_shutdown_finds_no_process() -> None:
    task = await Task.start(forever)
    assert await task.shutdown() is None
    assert await task.shutdown() == Exited(NoProcess())
    assert await task.shutdown("brutal_kill") == Exited(NoProcess())


@row("TASK-031")
async def a_caller_that_does_not_trap_exits_survives() -> None:
    async def owner() -> None:
        plain, slow, killed = [await Task.start(body) for body in (forever, stubborn, forever)]
        await trio.sleep(1)
        assert await plain.shutdown() is None
        assert await slow.shutdown(1) == Exited(Killed())
        assert await killed.shutdown("brutal_kill") is None
        await trio.sleep(1)

    assert await reason_of(owner) == Normal()
    assert trio.current_time() == 3


@row("TASK-032")
@by_an_owner_that_traps_exits
async def whoever_is_not_the_owner_may_shut_it_down() -> None:
    """differs: OTP refuses it; the owner hears of it, since nobody else can let go for it."""
    task = await Task.start(forever)
    assert await in_process(task.shutdown) is None
    assert not is_alive(pid_of(task))
    assert await drained() == [
        Exit(task.pid, Shutdown()),
        Down(task.ref, task.pid, Shutdown()),
    ]


@row("TASK-033")
@by_an_owner
async def a_completed_task_gives_its_value() -> None:
    assert await Task.completed(5).shutdown() == Ok(5)
    assert await Task.completed(5).shutdown("brutal_kill") == Ok(5)
    assert trio.current_time() == 0
