"""The queue of the usual time-outs beside the heap of all deadlines."""

from __future__ import annotations

import gc
import math
import sys
import weakref
from collections.abc import AsyncIterator

import pytest
import trio

from runtime.deadlines import Deadlines
from runtime.timeouts import DEFAULT_TIMEOUT, Timeouts


class Log(list[tuple[str, float]]):
    """Who has waited too long, and when, counted from the start of the test."""

    def __init__(self) -> None:
        super().__init__()
        self.start = trio.current_time()


class Waiter:
    """Somebody who waits."""

    def __init__(self, log: Log, name: str) -> None:
        self._log = log
        self._name = name

    def time_out(self) -> None:
        self._log.append((self._name, trio.current_time() - self._log.start))


@pytest.fixture
async def deadlines() -> AsyncIterator[Deadlines]:
    """A heap whose task runs."""
    heap = Deadlines()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(heap.run)
        yield heap
        nursery.cancel_scope.cancel()


@pytest.fixture
async def timeouts(deadlines: Deadlines) -> Timeouts:
    return Timeouts(deadlines, trio.lowlevel.current_clock().current_time)


async def test_each_times_out_when_its_own_time_is_over(timeouts: Timeouts) -> None:
    log = Log()
    timeouts.add(Waiter(log, "a"), DEFAULT_TIMEOUT)
    await trio.sleep(1)
    timeouts.add(Waiter(log, "b"), DEFAULT_TIMEOUT)
    timeouts.add(Waiter(log, "short"), 2.0)
    timeouts.add(Waiter(log, "never"), math.inf)
    await trio.sleep(1)
    timeouts.add(Waiter(log, "c"), DEFAULT_TIMEOUT)
    await trio.sleep(100)
    assert [name for name, _ in log] == ["short", "a", "b", "c"]
    assert [at for _, at in log] == pytest.approx([3.0, 5.0, 6.0, 7.0])


@pytest.mark.parametrize("gone", [{0}, {1}, {2}, {0, 1}, {0, 2}, {1, 2}, {0, 1, 2}])
async def test_who_is_discarded_does_not_time_out_and_the_others_do(
    timeouts: Timeouts, gone: set[int]
) -> None:
    log = Log()
    waiters = [Waiter(log, str(number)) for number in range(3)]
    held = []
    for waiter in waiters:
        held.append(timeouts.add(waiter, DEFAULT_TIMEOUT))
        await trio.sleep(1)
    for number in gone:
        timeouts.discard(waiters[number], held[number])
    await trio.sleep(100)
    left = [number for number in range(3) if number not in gone]
    assert [name for name, _ in log] == [str(number) for number in left]
    assert [at for _, at in log] == pytest.approx([number + DEFAULT_TIMEOUT for number in left])


@pytest.mark.parametrize("seconds", [2.0, DEFAULT_TIMEOUT, math.inf])
async def test_discarding_twice_or_too_late_is_nothing(timeouts: Timeouts, seconds: float) -> None:
    log = Log()
    late, early = Waiter(log, "late"), Waiter(log, "early")
    held = timeouts.add(late, seconds), timeouts.add(early, seconds)
    timeouts.discard(early, held[1])
    timeouts.discard(early, held[1])
    await trio.sleep(100)
    timeouts.discard(late, held[0])
    assert log == ([] if seconds == math.inf else [("late", seconds)])


@pytest.mark.parametrize("discarded", [False, True])
async def test_of_what_is_due_at_the_same_time_all_run_in_the_order_they_were_made(
    timeouts: Timeouts, deadlines: Deadlines, discarded: bool
) -> None:
    """Also where the queue's entry on the heap is that of one who has gone."""
    log = Log()
    first = Waiter(log, "first")
    timeouts.add(first, DEFAULT_TIMEOUT)
    deadlines.schedule(log.start + DEFAULT_TIMEOUT, Waiter(log, "scheduled").time_out)
    timeouts.add(Waiter(log, "second"), DEFAULT_TIMEOUT)
    deadlines.schedule(log.start + DEFAULT_TIMEOUT, Waiter(log, "scheduled too").time_out)
    if discarded:
        timeouts.discard(first, None)
    await trio.sleep(100)
    expected = ["first", "scheduled", "second", "scheduled too"]
    assert [name for name, _ in log] == expected[discarded:]
    assert {at for _, at in log} == {DEFAULT_TIMEOUT}


async def test_who_has_timed_out_may_discard_the_next_and_wait_anew(timeouts: Timeouts) -> None:
    log = Log()
    next_one, again = Waiter(log, "next"), Waiter(log, "again")

    class Busy(Waiter):
        def time_out(self) -> None:
            super().time_out()
            timeouts.discard(next_one, None)
            timeouts.add(again, DEFAULT_TIMEOUT)

    timeouts.add(Busy(log, "busy"), DEFAULT_TIMEOUT)
    timeouts.add(next_one, DEFAULT_TIMEOUT)
    await trio.sleep(100)
    assert log == [("busy", DEFAULT_TIMEOUT), ("again", 2 * DEFAULT_TIMEOUT)]


async def test_who_has_been_discarded_is_held_by_nothing_and_has_one_entry_at_most(
    timeouts: Timeouts, deadlines: Deadlines
) -> None:
    log = Log()
    gone: list[weakref.ref[Waiter]] = []
    gc.disable()
    try:
        for _ in range(1000):
            waiter = Waiter(log, "gone")
            timeouts.discard(waiter, timeouts.add(waiter, DEFAULT_TIMEOUT))
            gone.append(weakref.ref(waiter))
            del waiter
        assert [one() for one in gone] == [None] * 1000
    finally:
        gc.enable()
    assert len(deadlines._heap) == 1
    await trio.sleep(100)
    assert (log, deadlines._heap) == ([], [])


async def test_who_has_no_room_on_the_stack_to_be_added_keeps_nobody_from_timing_out(
    timeouts: Timeouts,
) -> None:
    log = Log()
    added: list[str] = []

    def add_at(depth: int, name: str) -> None:
        if depth:
            add_at(depth - 1, name)
        else:
            timeouts.add(Waiter(log, name), DEFAULT_TIMEOUT)

    limit = sys.getrecursionlimit()
    for depth in reversed(range(limit - 200, limit)):  # so the first that are added have no room
        try:
            add_at(depth, str(depth))
            added.append(str(depth))
        except RecursionError:
            pass
        await trio.sleep(0.5)
    assert 0 < len(added) < 200
    await trio.sleep(100)
    assert [name for name, _ in log] == added
    ats = [at for _, at in log]
    assert ats == pytest.approx([(limit - 1 - int(name)) / 2 + DEFAULT_TIMEOUT for name in added])


async def test_an_entry_that_another_has_replaced_is_nobodys(timeouts: Timeouts) -> None:
    """One whose insertion broke off, for want of room on the stack, is on the heap all the same."""
    log = Log()
    timeouts._is_due((0.0, 0))
    timeouts.add(Waiter(log, "one"), DEFAULT_TIMEOUT)
    timeouts._is_due((0.0, 0))
    await trio.sleep(2 * DEFAULT_TIMEOUT)
    assert [name for name, _ in log] == ["one"]
