"""Stopping children: the order, the budgets, and what ignores them."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from runtime import (
    CleanupFailed,
    Crashed,
    ExitReason,
    Killed,
    Node,
    ProcessExit,
    Shutdown,
    StillAlive,
    child_spec,
    kill,
    wait_exit,
)
from supervisors import Supervisor
from supervisors.children import Child
from supervisors.shutdown import stop_child, stop_in_order
from tests.conftest import Recorder
from tests.supervisors.tree_parts import pid_of, settle, start_supervisor, worker, workers
from tests.support import end_of


async def seconds_to_stop(*children: Any) -> float:
    sup = await start_supervisor(children)
    began = trio.current_time()
    await sup.stop()
    return trio.current_time() - began


async def test_children_stop_one_by_one_in_reverse_each_awaited_before_the_next(
    node: Node,
) -> None:
    """SUP-002."""
    log: list[str] = []
    took = await seconds_to_stop(*(worker(log, tag, nap=1) for tag in "abc"))
    assert took == 3
    assert log[3:] == [
        line for tag in "cba" for line in (f"terminate {tag} shutdown", f"rested {tag}")
    ]


@pytest.mark.parametrize("trap", [True, False])
async def test_the_times_of_three_slow_terminates_add_up(node: Node, trap: bool) -> None:
    """SUP-003."""
    log: list[str] = []
    assert await seconds_to_stop(
        *(worker(log, tag, nap=0.06, trap=trap) for tag in "abc")
    ) == pytest.approx(0.18)


@pytest.mark.parametrize("trap", [True, False])
async def test_a_child_that_stops_in_time_ends_with_shutdown(
    node: Node, events: Recorder, trap: bool
) -> None:
    """SUP-066."""
    log: list[str] = []
    sup = await start_supervisor([worker(log, "a", trap=trap, nap=4.9)])
    pid = await pid_of(sup, "a")
    await sup.stop()
    assert log == ["init a", "terminate a shutdown", "rested a"]
    assert end_of(events, pid) == Shutdown()


@pytest.mark.parametrize("trap", [True, False])
@pytest.mark.parametrize("budget", [0.05, 1, 7.5])
async def test_a_child_that_is_too_slow_is_killed_after_exactly_its_budget(
    node: Node, events: Recorder, trap: bool, budget: float
) -> None:
    """SUP-067: and the next child is only then stopped."""
    log: list[str] = []
    seen: list[float] = []

    class Before(Supervisor):
        """Notes when it is its turn."""

        def terminate(self, reason: ExitReason) -> None:
            seen.append(trio.current_time() - began)

    slow = worker(log, "slow", trap=trap, nap=5000).replace(shutdown=budget)
    sup = await start_supervisor([Before.child_spec([]), slow])
    pid = await pid_of(sup, "slow")
    began = trio.current_time()
    await sup.stop()
    assert seen == [budget]
    assert end_of(events, pid) == Killed()
    assert log == ["init slow", "terminate slow shutdown"]


@pytest.mark.parametrize("trap", [True, False])
@pytest.mark.parametrize("last", [ProcessExit("odd"), ValueError("odd")])
async def test_an_odd_end_during_the_shutdown_does_not_disturb_it(
    node: Node, events: Recorder, trap: bool, last: BaseException
) -> None:
    """SUP-070. differs: without trapping, the first accepted signal is the reason and what
    terminate raised is told as a failed clean-up.
    """
    log: list[str] = []
    sup = await start_supervisor([*workers(log, "a"), worker(log, "b", trap=trap, last=last)])
    pid = await pid_of(sup, "b")
    await sup.stop()
    odd: ExitReason = "odd" if isinstance(last, ProcessExit) else Crashed(last)
    assert end_of(events, pid) == (odd if trap else Shutdown())
    assert [one.exception for one in events.of(CleanupFailed)] == ([] if trap else [last])
    assert log[2:] == ["terminate b shutdown", "terminate a shutdown"]


async def test_sequential_budgets_add_up(node: Node) -> None:
    log: list[str] = []
    specs = [
        worker(log, tag, nap=1000).replace(shutdown=seconds)
        for tag, seconds in [("a", 1), ("b", 2), ("c", 4)]
    ]
    assert await seconds_to_stop(*specs) == 7


async def test_a_child_that_ignores_its_cancellation_is_waited_for_and_told_each_second(
    node: Node, events: Recorder
) -> None:
    """DESIGN 4: a shield is waited for after the kill, with a report every second."""

    async def stubborn() -> None:
        with trio.CancelScope(shield=True):
            await trio.sleep(10.5)

    sup = await start_supervisor([child_spec(stubborn).replace(shutdown=3)])
    pid = await pid_of(sup, "stubborn")
    began = trio.current_time()
    await sup.stop()
    assert trio.current_time() - began == 10.5
    assert [one.seconds for one in events.of(StillAlive)] == [1, 2, 3, 4, 5, 6, 7]
    assert {one.pid for one in events.of(StillAlive)} == {pid}
    assert end_of(events, pid) == Killed()


async def test_a_killed_child_that_ignores_it_holds_up_the_siblings_not_the_order(
    node: Node,
) -> None:
    log: list[str] = []

    async def stubborn() -> None:
        with trio.CancelScope(shield=True):
            await trio.sleep(4)
        log.append("gone")

    sup = await start_supervisor(
        [*workers(log, "ab"), child_spec(stubborn).replace(shutdown="brutal_kill")]
    )
    await settle()
    await sup.stop()
    assert log[2:] == ["gone", "terminate b shutdown", "terminate a shutdown"]


async def test_a_restart_waits_until_a_killed_child_has_really_ended(node: Node) -> None:
    """A restarted child never overlaps its predecessor, however long that one takes to die."""
    alive: list[int] = []
    peak = 0

    async def stubborn() -> None:
        nonlocal peak
        alive.append(1)
        peak = max(peak, len(alive))
        try:
            with trio.CancelScope(shield=True):
                await trio.sleep(5)
            await trio.sleep_forever()
        finally:
            alive.pop()

    sup = await start_supervisor([child_spec(stubborn)])
    for _ in range(3):
        first = await pid_of(sup, "stubborn")
        kill(first)
        began = trio.current_time()
        await wait_exit(first)
        assert trio.current_time() - began == 5
        await settle()
        assert await pid_of(sup, "stubborn") is not first
    assert peak == 1


async def test_a_stop_that_is_interrupted_goes_on_with_what_is_left_of_the_budget(
    node: Node, events: Recorder
) -> None:
    """By a request and then by the end of the supervisor: still one budget."""
    log: list[str] = []
    sup = await start_supervisor([worker(log, "a", nap=100).replace(shutdown=10)])
    pid = await pid_of(sup, "a")
    began = trio.current_time()
    with trio.move_on_after(9):  # gives up the wait, not the request
        await sup.terminate_child("a")
    kill(sup)
    assert await wait_exit(pid) == Killed()
    assert trio.current_time() - began == 10
    assert log == ["init a", "terminate a shutdown"]


async def test_a_row_without_a_process_is_stopped_already(node: Node) -> None:
    row = Child(worker([], "a"))
    row.status = "restarting"
    await stop_child(row, node_pid := (await start_supervisor([])).pid)
    assert (row.status, row.process) == ("stopped", None)
    await stop_in_order([], node_pid)


async def test_a_terminate_that_shields_itself_is_killed_in_vain_but_told(
    node: Node, events: Recorder
) -> None:
    log: list[str] = []

    class Shielded(Supervisor):
        """Even the end of its budget does not interrupt its last words."""

        async def terminate(self, reason: ExitReason) -> None:
            with trio.CancelScope(shield=True):
                await trio.sleep(4.5)
            log.append("done")

    spec = Shielded.child_spec([]).replace(shutdown=1)
    assert await seconds_to_stop(spec) == 4.5
    assert log == ["done"]
    assert [one.seconds for one in events.of(StillAlive)] == [1, 2, 3]
