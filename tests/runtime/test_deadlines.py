"""The heap of deadlines and its one task."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from functools import partial

import pytest
import trio

from runtime.deadlines import Deadline, Deadlines


@pytest.fixture
async def deadlines() -> AsyncIterator[Deadlines]:
    """A heap whose task runs."""
    heap = Deadlines()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(heap.run)
        yield heap
        nursery.cancel_scope.cancel()


class Log(list[tuple[str, float]]):
    """What ran, and when, counted from the start of the test."""

    def __init__(self) -> None:
        super().__init__()
        self.start = trio.current_time()

    def note(self, what: str) -> None:
        self.append((what, trio.current_time() - self.start))


async def test_callbacks_run_exactly_at_their_deadlines_earliest_first(
    deadlines: Deadlines,
) -> None:
    """SYS-021."""
    log = Log()
    for seconds in (30.0, 10.0, 20.0):
        deadlines.schedule(log.start + seconds, partial(log.note, str(seconds)))
    await trio.sleep(100)
    assert [what for what, _ in log] == ["10.0", "20.0", "30.0"]
    assert [at for _, at in log] == pytest.approx([10.0, 20.0, 30.0])


async def test_equal_deadlines_run_in_the_order_they_were_made(deadlines: Deadlines) -> None:
    """SYS-021."""
    ran: list[int] = []
    at = trio.current_time() + 1
    for number in range(200):
        deadlines.schedule(at, partial(ran.append, number))
    await trio.sleep(2)
    assert ran == list(range(200))


async def test_an_earlier_deadline_that_comes_later_is_met_exactly(deadlines: Deadlines) -> None:
    log = Log()
    deadlines.schedule(log.start + 50, lambda: log.note("late"))
    await trio.sleep(5)
    deadlines.schedule(log.start + 7, lambda: log.note("early"))
    await trio.sleep(100)
    assert [what for what, _ in log] == ["early", "late"]
    assert [at for _, at in log] == pytest.approx([7.0, 50.0])


async def test_a_deadline_in_the_past_runs_at_once_in_the_timer_task(deadlines: Deadlines) -> None:
    log = Log()
    await trio.testing.wait_all_tasks_blocked()
    deadlines.schedule(log.start - 5, lambda: log.note("past"))
    deadlines.schedule(-math.inf, lambda: log.note("always"))
    assert log == []
    await trio.testing.wait_all_tasks_blocked()
    assert log == [("always", 0.0), ("past", 0.0)]


async def test_a_deadline_of_infinity_never_runs_and_can_be_cancelled(deadlines: Deadlines) -> None:
    log = Log()
    never = deadlines.schedule(math.inf, lambda: log.note("never"))
    await trio.sleep(3600)
    assert log == []
    assert deadlines.cancel(never)


async def test_cancel_says_whether_it_was_in_time(deadlines: Deadlines) -> None:
    log = Log()
    pending = deadlines.schedule(log.start + 1, lambda: log.note("cancelled"))
    done = deadlines.schedule(log.start + 2, lambda: log.note("done"))
    assert deadlines.cancel(pending)
    assert not deadlines.cancel(pending)
    await trio.sleep(5)
    assert [what for what, _ in log] == ["done"]
    assert not deadlines.cancel(done)
    assert not deadlines.cancel(pending)


async def test_a_callback_may_schedule_and_cancel(deadlines: Deadlines) -> None:
    log = Log()
    victim = deadlines.schedule(log.start + 1, lambda: log.note("victim"))

    def busy() -> None:
        log.note("busy")
        deadlines.cancel(victim)
        deadlines.schedule(log.start, lambda: log.note("due already"))
        deadlines.schedule(log.start + 3, lambda: log.note("later"))

    deadlines.schedule(log.start + 0.5, busy)
    await trio.sleep(10)
    assert [what for what, _ in log] == ["busy", "due already", "later"]
    assert [at for _, at in log] == pytest.approx([0.5, 0.5, 3.0])


async def test_a_callback_that_runs_cannot_be_cancelled_by_itself(deadlines: Deadlines) -> None:
    answers: list[bool] = []
    mine: list[Deadline] = []
    mine.append(
        deadlines.schedule(trio.current_time(), lambda: answers.append(deadlines.cancel(mine[0])))
    )
    await trio.sleep(1)
    assert answers == [False]


async def test_what_was_cancelled_does_not_pile_up(deadlines: Deadlines) -> None:
    """Calls that end in time leave stale entries; a rebuild keeps them below the live ones."""
    log = Log()
    for seconds in range(50, 60):
        deadlines.schedule(log.start + seconds, partial(log.note, str(seconds)))
    for _ in range(10_000):
        deadlines.cancel(deadlines.schedule(log.start + 5, lambda: log.note("stale")))
    assert len(deadlines._heap) < 200
    await trio.sleep(100)
    assert [what for what, _ in log] == [str(seconds) for seconds in range(50, 60)]
    assert deadlines._heap == []


async def test_stale_entries_that_come_due_are_counted_off(deadlines: Deadlines) -> None:
    for _ in range(20):
        at = trio.current_time() + 1
        for _ in range(50):
            deadlines.cancel(deadlines.schedule(at, lambda: pytest.fail("cancelled")))
        log = Log()
        deadlines.schedule(at, partial(log.note, "live"))
        await trio.sleep(2)
        assert [what for what, _ in log] == ["live"]
        assert deadlines._stale == 0


async def test_a_compaction_inside_a_callback_loses_nothing(deadlines: Deadlines) -> None:
    ran: list[int] = []
    at = trio.current_time() + 1

    def compact() -> None:
        for _ in range(500):
            deadlines.cancel(deadlines.schedule(at, lambda: pytest.fail("cancelled")))

    deadlines.schedule(at, compact)
    for number in range(20):
        deadlines.schedule(at, partial(ran.append, number))
    await trio.sleep(2)
    assert ran == list(range(20))
