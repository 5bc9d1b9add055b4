"""The ladder for several processes at once, in one task, each within its own budget."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from runtime import (
    BudgetExceeded,
    ExitReason,
    Killed,
    Node,
    Normal,
    Shutdown,
    StillAlive,
    kill,
    processes,
    spawn,
    trap_exits,
    wait_exit,
)
from runtime.current import current_table, find_process
from runtime.pid import Pid
from runtime.process import Process
from runtime.stops import stop_process, stop_processes
from tests.conftest import Recorder
from tests.support import end_of


async def sleeper() -> None:
    await trio.sleep_forever()


async def trapper(seconds: float) -> None:
    trap_exits()
    await trio.sleep(seconds)


async def stubborn(seconds: float) -> None:
    with trio.CancelScope(shield=True):
        await trio.sleep(seconds)


async def spawned(
    *lives: tuple[Callable[..., Awaitable[object]], *tuple[object, ...]],
) -> list[Pid]:
    """Processes that have made their first step."""
    pids = [spawn(fn, *args) for fn, *args in lives]
    await wait_all_tasks_blocked()
    return pids


async def stop(*budgets: tuple[Pid, float | str], reason: ExitReason = Shutdown()) -> float:
    """Stop them as the node would; the seconds it took."""
    began = trio.current_time()
    await stop_processes(
        [(process_of(pid), budget) for pid, budget in budgets], current_table().owner, reason
    )
    return trio.current_time() - began


def process_of(pid: Pid) -> Process:
    process = find_process(pid)
    assert process is not None
    return process


async def test_no_process_is_stopped_at_once(node: Node) -> None:
    assert await stop() == 0


async def test_they_are_asked_at_the_same_time_and_the_slowest_decides(
    node: Node, events: Recorder
) -> None:
    pids = await spawned((trapper, 3.0), (sleeper,), (trapper, 1.0), (trapper, 2.0))
    assert await stop(*((pid, 5.0) for pid in pids)) == 3
    assert [end_of(events, pid) for pid in pids] == [Normal(), Shutdown(), Normal(), Normal()]


async def test_each_is_killed_at_the_end_of_its_own_budget(node: Node, events: Recorder) -> None:
    """In any order of budgets."""
    pids = await spawned(*[(trapper, math.inf)] * 4)
    budgets = [4.0, 1.0, 3.0, 2.0]
    ends: dict[Pid, float] = {}
    began = trio.current_time()

    async def watch(pid: Pid) -> None:
        await wait_exit(pid)
        ends[pid] = trio.current_time() - began

    async with trio.open_nursery() as nursery:
        for pid in pids:
            nursery.start_soon(watch, pid)
        assert await stop(*zip(pids, budgets, strict=True)) == 4
    assert [ends[pid] for pid in pids] == budgets
    assert {end_of(events, pid) == Killed() for pid in pids} == {True}
    assert events.of(BudgetExceeded) == [
        BudgetExceeded(pids[index], budget) for index, budget in ((1, 1), (3, 2), (2, 3), (0, 4))
    ]


async def test_one_without_a_limit_does_not_hold_up_the_others_kill(
    node: Node, events: Recorder
) -> None:
    """Nor the reports of one that is still there in spite of it."""
    pids = await spawned((trapper, 100.0), (stubborn, 5.5))
    assert await stop((pids[0], math.inf), (pids[1], 2.0)) == 100
    assert events.of(BudgetExceeded) == [BudgetExceeded(pids[1], 2)]
    assert events.of(StillAlive) == [StillAlive(pids[1], seconds) for seconds in (1, 2, 3)]
    assert [end_of(events, pid) for pid in pids] == [Normal(), Killed()]


async def test_those_that_are_killed_at_once_are_reported_while_others_have_time(
    node: Node, events: Recorder
) -> None:
    pids = await spawned((stubborn, 2.5), (trapper, 10.0))
    assert await stop((pids[0], "brutal_kill"), (pids[1], 60.0)) == 10
    assert events.of(BudgetExceeded) == []
    assert events.of(StillAlive) == [StillAlive(pids[0], 1), StillAlive(pids[0], 2)]


async def test_one_that_was_killed_meanwhile_has_not_exceeded_its_budget(
    node: Node, events: Recorder
) -> None:
    (pid,) = await spawned((stubborn, 4.5))
    async with trio.open_nursery() as nursery:

        async def stop_it() -> None:
            await stop((pid, 3.0))

        nursery.start_soon(stop_it)
        await trio.sleep(1)
        kill(pid)
    assert events.of(BudgetExceeded) == []
    assert events.of(StillAlive) == [StillAlive(pid, 1)]


async def test_those_that_ended_before_are_fine(node: Node) -> None:
    pids = await spawned((sleeper,), (sleeper,))
    held = [process_of(pid) for pid in pids]
    kill(pids[0])
    await wait_all_tasks_blocked()
    await stop_processes([(one, 5.0) for one in held], current_table().owner)
    await stop_processes([(one, "brutal_kill") for one in held], current_table().owner)
    assert processes() == []


async def test_two_stops_of_one_process_tell_of_its_budget_once(
    node: Node, events: Recorder
) -> None:
    (pid,) = await spawned((trapper, math.inf))
    took: list[float] = []

    async def stop_it() -> None:
        took.append(await stop((pid, 2.0)))

    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(stop_it)
    assert took == [2, 2, 2]
    assert len(events.of(BudgetExceeded)) == 1


async def test_cancelling_stops_the_waiting_and_asked_again_the_budgets_go_on(
    node: Node, events: Recorder
) -> None:
    pids = await spawned((trapper, math.inf), (trapper, math.inf))
    with trio.move_on_after(3) as patience:
        await stop((pids[0], 4.0), (pids[1], 8.0))
    assert patience.cancelled_caught
    assert await stop((pids[0], 4.0), (pids[1], 8.0)) == 5
    assert [type(end_of(events, pid)) for pid in pids] == [Killed, Killed]


@pytest.mark.parametrize("reason", [Shutdown(), Shutdown("x"), "moving"])
async def test_all_of_them_get_the_same_reason(
    node: Node, events: Recorder, reason: ExitReason
) -> None:
    pids = await spawned(*[(sleeper,)] * 3)
    await stop(*((pid, 5.0) for pid in pids), reason=reason)
    assert [end_of(events, pid) for pid in pids] == [reason] * 3


async def test_a_thousand_are_stopped_within_one_budget(node: Node, events: Recorder) -> None:
    pids = await spawned(*[(trapper, math.inf)] * 500, *[(sleeper,)] * 500)
    assert await stop(*((pid, 2.0) for pid in pids)) == 2
    assert len(events.of(BudgetExceeded)) == 500


async def test_one_process_is_stopped_the_same_way(node: Node, events: Recorder) -> None:
    (pid,) = await spawned((trapper, 1.0))
    await stop_process(process_of(pid), current_table().owner, 5.0)
    assert end_of(events, pid) == Normal()
