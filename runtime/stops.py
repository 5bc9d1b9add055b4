"""The ladder that ends processes: signal, wait for the budget, kill, wait.

The wait after the kill has no bound: inside a nursery nothing else is true, and a process that
shields itself or sits in a thread is really still there. It is reported every second instead.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import trio
from trio.lowlevel import enable_ki_protection

from runtime.deadlines import Deadline
from runtime.exits import SHUTDOWN, ExitReason
from runtime.instruments import BudgetExceeded, StillAlive
from runtime.pid import Pid
from runtime.process import Process
from runtime.waiting import wait_ended

REPORT_EVERY = 1.0


async def stop_process(
    process: Process, sender: Pid, budget: float | str, reason: ExitReason = SHUTDOWN
) -> None:
    """End a process whose parent is ``sender`` and return when it is gone.

    ``budget`` is seconds, ``math.inf`` or ``"brutal_kill"``. Cancelling stops waiting, not the
    process; asked again, it goes on with what is left of the budget.
    """
    await stop_processes(((process, budget),), sender, reason)


async def stop_processes(
    budgets: Iterable[tuple[Process, float | str]], sender: Pid, reason: ExitReason = SHUTDOWN
) -> None:
    """``stop_process`` for many at once, each within its own budget, in one task."""
    left = [_Asked(process, budget) for process, budget in budgets if process.status != "ended"]
    for one in left:
        one.send(sender, reason)
    while left:
        due = min(one.due for one in left)
        left = await _alive_at(due, left)
        for one in left:
            if one.due <= due:
                one.overdue()


@enable_ki_protection
def begin_to_stop(
    process: Process, sender: Pid, budget: float | str, done: Callable[[], object]
) -> None:
    """``stop_process`` without a task that waits: ``done`` is called when it is gone."""
    if process.status == "ended":
        done()
        return
    asked = _Asked(process, budget)
    asked.send(sender, SHUTDOWN)
    process.watches[_Stop(asked, done)] = None


class _Stop:
    """Waits for the end of one that is asked to end, and reminds it."""

    __slots__ = ("_asked", "_deadline", "_done")

    only_end = True

    def __init__(self, asked: _Asked, done: Callable[[], object]) -> None:
        self._asked = asked
        self._done = done
        self._deadline: Deadline | None = None
        self._remind_later()

    def _remind_later(self) -> None:
        if self._asked.due < math.inf:
            deadlines = self._asked.process.table.deadlines
            self._deadline = deadlines.schedule(self._asked.due, self._remind)

    def _remind(self) -> None:
        self._asked.overdue()
        self._remind_later()

    def wake(self, reason: ExitReason) -> None:
        """It has ended."""
        if self._deadline is not None:
            self._asked.process.table.deadlines.cancel(self._deadline)
        self._done()


class _Asked:
    """One process that is asked to end, and when something more is to be done about it."""

    __slots__ = ("brutal", "budget", "due", "process", "waited")

    def __init__(self, process: Process, budget: float | str) -> None:
        if process.stop_asked_at is None:
            process.stop_asked_at = trio.current_time()
        self.process = process
        self.brutal = isinstance(budget, str)
        self.budget = 0.0 if isinstance(budget, str) else budget
        self.due = process.stop_asked_at + self.budget
        self.waited: float | None = None  # since the kill

    def send(self, sender: Pid, reason: ExitReason) -> None:
        """The signal, or the kill."""
        if self.brutal:
            self.process.given_up = True
            self._kill()
        else:
            self.process.signal(sender, reason)

    def overdue(self) -> None:
        """It is still there: kill it, or say that it is there in spite of that."""
        emit = self.process.table.instruments.emit
        if self.waited is None:
            if not self.process.killed:
                emit(BudgetExceeded(self.process.pid, float(self.budget)))
            self._kill()
            return
        self.waited += REPORT_EVERY
        self.due += REPORT_EVERY
        emit(StillAlive(self.process.pid, self.waited))

    def _kill(self) -> None:
        self.process.kill()
        self.waited = 0.0
        self.due = trio.current_time() + REPORT_EVERY


async def _alive_at(deadline: float, asked: list[_Asked]) -> list[_Asked]:
    """Wait until these have ended, at most until ``deadline``; those that have not."""
    for one in asked:
        if one.process.status != "ended" and await _outlives(one.process, deadline):
            break
    return [one for one in asked if one.process.status != "ended"]


async def _outlives(process: Process, deadline: float) -> bool:
    return await wait_ended(process, timeout=deadline - trio.current_time()) is None
