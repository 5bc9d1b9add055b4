"""Restart intensity: how often, in what time, counted for the supervisor as a whole."""

from __future__ import annotations

import pytest
import trio

from runtime import ExitReason, Node, RestartsHigh, Shutdown, is_alive, wait_exit
from supervisors import GaveUp, SupervisorRef
from tests.conftest import Recorder
from tests.supervisors.tree_parts import (
    Flaky,
    crash,
    drain,
    kids,
    start_supervisor,
    worker,
    workers,
)
from tests.support import end_of, stop_all


def gave_up(reason: ExitReason) -> bool:
    return isinstance(reason, Shutdown) and isinstance(reason.detail, GaveUp)


async def test_three_restarts_in_five_seconds_are_made_and_the_fourth_crash_ends_it(
    node: Node, events: Recorder
) -> None:
    """SUP-034, and SUP-017 for what differs: the defaults are those of the usual constructor,
    3 in 5 seconds; there is no lower level with 1 in 5.
    """
    log: list[str] = []
    sup = await start_supervisor(workers(log, "abc"))
    root = sup.pid
    for _ in range(3):
        await crash(sup, "b")
    assert await kids(sup) == "c=up b=up a=up"
    drain(log)
    await crash(sup, "b")
    assert drain(log) == ["terminate b boom", "terminate c shutdown", "terminate a shutdown"]
    assert gave_up(end_of(events, root))


async def test_the_restarts_of_all_children_are_counted_together(node: Node) -> None:
    """Trap: not per child."""
    log: list[str] = []
    sup = await start_supervisor(workers(log, "abcd"))
    for tag in "abc":
        await crash(sup, tag)
    assert is_alive(sup)
    await crash(sup, "d")
    assert not is_alive(sup)


@pytest.mark.parametrize(
    ("max_seconds", "apart", "survives"),
    [(1.0, 2.2, True), (2.0, 0.9, False), (1.0, 1.0, False), (1.0, 1.001, True)],
)
async def test_old_restarts_fall_out_of_the_window(
    node: Node, max_seconds: float, apart: float, survives: bool
) -> None:
    """SUP-036, SUP-037."""
    log: list[str] = []
    sup = await start_supervisor(workers(log, "a"), max_restarts=1, max_seconds=max_seconds)
    for _ in range(5):
        if is_alive(sup):
            await crash(sup, "a")
        await trio.sleep(apart)
    assert is_alive(sup) is survives
    assert log.count("init a") == (6 if survives else 2)


async def test_a_group_restart_counts_once(node: Node) -> None:
    """SUP-038."""
    log: list[str] = []
    sup = await start_supervisor(workers(log, "abc"), strategy="one_for_all", max_restarts=1)
    await crash(sup, "b")
    assert await kids(sup) == "c=up b=up a=up"
    await crash(sup, "b")
    assert not is_alive(sup)


async def test_every_failed_attempt_to_start_again_counts(node: Node, events: Recorder) -> None:
    """SUP-042, and the trap: exactly max_restarts attempts, then the siblings are stopped."""
    log: list[str] = []
    flaky = Flaky(failures=100)
    sup = await start_supervisor([worker(log, "a"), worker(log, "f", begin=flaky)])
    root = sup.pid
    drain(log)
    await crash(sup, "f")
    assert flaky.attempts == 1 + 3
    assert drain(log) == ["terminate f boom", "init f", "init f", "init f", "terminate a shutdown"]
    assert gave_up(end_of(events, root))


async def test_requests_do_not_count(node: Node) -> None:
    """SUP-057, SUP-062 and the trap: neither terminate_child, restart_child nor start_child."""
    log: list[str] = []
    sup = await start_supervisor(workers(log, "a"), max_restarts=0)
    for _ in range(5):
        await sup.terminate_child("a")
        await sup.restart_child("a")
    await sup.start_child(worker(log, "b"))
    assert await kids(sup) == "b=up a=up"


async def test_an_endless_window_never_forgets(node: Node) -> None:
    log: list[str] = []
    sup = await start_supervisor(workers(log, "a"), max_restarts=2, max_seconds=float("inf"))
    for _ in range(3):
        await crash(sup, "a")
        await trio.sleep(80_000)
    assert not is_alive(sup)


async def test_giving_up_stops_the_children_within_their_budgets(node: Node) -> None:
    """The children that are left have the time they were promised, one after the other."""
    log: list[str] = []
    slow = [worker(log, tag, nap=100).replace(shutdown=3) for tag in "ab"]
    sup = await start_supervisor([*slow, worker(log, "c")], max_restarts=0)
    began = trio.current_time()
    await crash(sup, "c")
    assert gave_up(await wait_exit(sup))
    assert trio.current_time() - began == 6


async def test_what_led_to_giving_up_is_told_oldest_first(node: Node, events: Recorder) -> None:
    log: list[str] = []
    sup: SupervisorRef = await start_supervisor(workers(log, "ab"), max_restarts=2)
    root = sup.pid
    await crash(sup, "a")
    await trio.sleep(1.5)
    await crash(sup, "b")
    await trio.sleep(0.5)
    await crash(sup, "a")
    reason = end_of(events, root)
    assert isinstance(reason, Shutdown)
    assert isinstance(reason.detail, GaveUp)
    assert reason.detail.exception is None
    assert reason.detail.history == (
        "-2.000 s  child 'a': 'boom'",
        "-0.500 s  child 'b': 'boom'",
        "+0.000 s  child 'a': 'boom'",
    )


async def test_past_half_of_its_restarts_it_says_so_once(node: Node, events: Recorder) -> None:
    sup = await start_supervisor(workers([], "ab"), max_restarts=4, max_seconds=5.0)
    for tag in "abab":
        await crash(sup, tag)
    assert told(events) == [RestartsHigh(sup.pid, None, 3, 4, 5.0)]
    await trio.sleep(6)
    for tag in "aab":
        await crash(sup, tag)
    assert told(events) == [RestartsHigh(sup.pid, None, 3, 4, 5.0)] * 2
    await stop_all(sup)


async def test_one_that_gives_up_at_once_was_never_past_half(node: Node, events: Recorder) -> None:
    sup = await start_supervisor(workers([], "a"), max_restarts=0)
    await crash(sup, "a")
    assert not is_alive(sup)
    assert told(events) == []


def told(events: Recorder) -> list[RestartsHigh]:
    return [event for event in events if isinstance(event, RestartsHigh)]
