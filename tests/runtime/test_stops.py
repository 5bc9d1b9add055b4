"""The ladder that ends a process: signal, wait for the budget, kill, wait and report."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable

import pytest
import trio

from runtime import (
    BudgetExceeded,
    Exit,
    ExitReason,
    Killed,
    Node,
    Normal,
    Shutdown,
    StillAlive,
    is_alive,
    receive,
    spawn,
    start,
    trap_exits,
    wait_exit,
)
from runtime.current import current_table, find_process
from runtime.pid import Pid
from runtime.process import Process
from runtime.stops import begin_to_stop, stop_process
from tests.conftest import Recorder
from tests.support import Scripted, end_of


def process_of(pid: Pid) -> Process:
    process = find_process(pid)
    assert process is not None
    return process


async def stop(pid: Pid, budget: float | str, reason: ExitReason | None = None) -> float:
    """As the node stops it; returns the seconds it took."""
    began = trio.current_time()
    owner = current_table().owner
    if reason is None:
        await stop_process(process_of(pid), owner, budget)
    else:
        await stop_process(process_of(pid), owner, budget, reason)
    return trio.current_time() - began


async def sleeper() -> None:
    await trio.sleep_forever()


async def trapper(seconds: float = math.inf) -> None:
    trap_exits()
    await trio.sleep(seconds)


async def stubborn(seconds: float) -> None:
    with trio.CancelScope(shield=True):
        await trio.sleep(seconds)


async def spawned(fn: Callable[..., Awaitable[object]], *args: object) -> Pid:
    """A process that has made its first step."""
    pid = spawn(fn, *args)
    await trio.testing.wait_all_tasks_blocked()
    return pid


async def test_a_process_gets_shutdown_and_is_gone(node: Node, events: Recorder) -> None:
    pid = await spawned(sleeper)
    assert await stop(pid, 5.0) == 0
    assert not is_alive(pid)
    assert end_of(events, pid) == Shutdown()


async def test_one_that_ended_before_is_fine(node: Node) -> None:
    pid = await spawned(sleeper)
    process = process_of(pid)
    await stop(pid, 5.0)
    await stop_process(process, current_table().owner, 5.0)
    await stop_process(process, current_table().owner, "brutal_kill")


async def test_one_that_has_not_made_its_first_step_never_makes_it(
    node: Node, events: Recorder
) -> None:
    steps: list[str] = []

    async def work() -> None:
        steps.append("first")

    pid = spawn(work)
    assert await stop(pid, 5.0) == 0
    assert steps == []
    assert end_of(events, pid) == Shutdown()


@pytest.mark.parametrize("budget", [0.5, 5, 0, 1e6])
async def test_one_that_goes_on_is_killed_after_exactly_its_budget(
    node: Node, events: Recorder, budget: float
) -> None:
    """SUP-067."""
    pid = await spawned(trapper)
    assert await stop(pid, budget) == budget
    assert end_of(events, pid) == Killed()


async def test_without_a_limit_it_is_waited_for(node: Node, events: Recorder) -> None:
    """SUP-068."""
    pid = await spawned(trapper, 1e6)
    assert await stop(pid, math.inf) == 1e6
    assert end_of(events, pid) == Normal()


async def test_brutal_kill_asks_nobody(node: Node, events: Recorder) -> None:
    """SUP-065."""
    log: list[object] = []
    server = await start(Scripted.child_spec(log))
    pid = server.pid
    assert await stop(pid, "brutal_kill") == 0
    assert end_of(events, pid) == Killed()
    assert log == []


async def test_the_reason_may_be_another(node: Node, events: Recorder) -> None:
    log: list[object] = []
    server = await start(Scripted.child_spec(log))
    pid = server.pid
    await stop(pid, 5.0, "moving house")
    assert log == [("terminate", "moving house")]
    assert end_of(events, pid) == "moving house"


async def test_a_plain_process_that_traps_hears_of_it_as_a_message(node: Node) -> None:
    heard: list[Exit] = []

    async def work() -> None:
        trap_exits()
        heard.append(await receive(Exit))

    pid = await spawned(work)
    await stop(pid, 5.0)
    assert heard == [Exit(current_table().owner, Shutdown())]


async def test_what_ignores_its_kill_is_waited_for_and_told_every_second(
    node: Node, events: Recorder
) -> None:
    """DESIGN 4."""
    pid = await spawned(stubborn, 5.5)
    assert await stop(pid, 2) == 5.5
    assert events.of(StillAlive) == [StillAlive(pid, 1), StillAlive(pid, 2), StillAlive(pid, 3)]


async def test_what_ends_within_a_second_of_its_kill_is_not_told(
    node: Node, events: Recorder
) -> None:
    pid = await spawned(stubborn, 0.9)
    assert await stop(pid, "brutal_kill") == 0.9
    assert events.of(StillAlive) == []


async def test_cancelling_stops_the_waiting_not_the_process(node: Node, events: Recorder) -> None:
    pid = await spawned(stubborn, 5)
    with trio.move_on_after(1) as patience:
        await stop(pid, 10)
    assert patience.cancelled_caught
    assert is_alive(pid)
    assert await wait_exit(pid) == Shutdown()


async def test_asked_again_it_goes_on_with_what_is_left_of_the_budget(
    node: Node, events: Recorder
) -> None:
    pid = await spawned(trapper)
    with trio.move_on_after(4):
        await stop(pid, 10)
    assert await stop(pid, 10) == 6
    assert end_of(events, pid) == Killed()


async def test_asked_again_after_the_budget_it_is_killed_at_once(
    node: Node, events: Recorder
) -> None:
    pid = await spawned(trapper)
    with trio.move_on_after(4):
        await stop(pid, 10)
    await trio.sleep(20)
    assert await stop(pid, 10) == 0
    assert end_of(events, pid) == Killed()


async def test_two_who_stop_the_same_process_are_both_told(node: Node, events: Recorder) -> None:
    pid = await spawned(trapper)
    took: list[float] = []

    async def one(budget: float) -> None:
        took.append(await stop(pid, budget))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(one, 3)
        nursery.start_soon(one, 5)
    assert took == [3, 3]
    assert end_of(events, pid) == Killed()


async def test_what_does_not_stop_within_its_budget_is_told_before_it_is_killed(
    node: Node, events: Recorder
) -> None:
    async def stubborn(_server: object, _reason: object) -> None:
        await trio.sleep(100)

    pid = (await start(Scripted.child_spec(terminate=stubborn))).pid
    await stop(pid, 2.0)
    assert events.of(BudgetExceeded) == [BudgetExceeded(pid, 2.0)]


@pytest.mark.parametrize("budget", [2.0, math.inf, "brutal_kill"])
async def test_nothing_is_told_of_what_stops_in_time_or_has_no_budget(
    node: Node, events: Recorder, budget: float | str
) -> None:
    await stop((await start(Scripted.child_spec())).pid, budget)
    assert events.of(BudgetExceeded) == []


@pytest.mark.parametrize("has_ended", [False, True])
async def test_a_stop_without_a_task_says_once_when_it_is_gone(node: Node, has_ended: bool) -> None:
    pid, said = spawn(trio.sleep_forever), list[bool]()
    process = process_of(pid)
    if has_ended:
        await stop(pid, 1)
    begin_to_stop(process, current_table().owner, 1, lambda: said.append(is_alive(pid)))
    assert said == [False] * has_ended
    await trio.sleep(2)
    assert said == [False]
