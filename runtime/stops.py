"""The ladder that ends processes: signal, wait for the budget, kill, wait.

The wait after the kill has no bound: inside a nursery nothing else is true, and a process that
shields itself or sits in a thread is really still there. It is reported every second instead.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from operator import attrgetter

import trio

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
    asked = [_Asked(process, budget) for process, budget in budgets if process.status != "ended"]
    for one in asked:
        one.send(sender, reason)
    in_time = sorted((one for one in asked if not one.brutal), key=attrgetter("deadline"))
    for deadline, group in groupby(in_time, key=attrgetter("deadline")):
        budget_of = {one.process: one.budget for one in group}
        for process in await _alive_at(deadline, list(budget_of)):
            process.table.instruments.emit(BudgetExceeded(process.pid, float(budget_of[process])))
            process.kill()
    waited = 0.0
    left = [one.process for one in asked]
    while left := await _alive_at(trio.current_time() + REPORT_EVERY, left):
        waited += REPORT_EVERY
        for process in left:
            process.table.instruments.emit(StillAlive(process.pid, waited))


class _Asked:
    """One process that is asked to end, and until when it may take."""

    def __init__(self, process: Process, budget: float | str) -> None:
        if process.stop_asked_at is None:
            process.stop_asked_at = trio.current_time()
        self.process = process
        self.brutal = isinstance(budget, str)
        self.budget = 0.0 if isinstance(budget, str) else budget
        self.deadline = process.stop_asked_at + self.budget

    def send(self, sender: Pid, reason: ExitReason) -> None:
        """The signal, or the kill."""
        if self.brutal:
            self.process.kill()
        else:
            self.process.signal(sender, reason)


async def _alive_at(deadline: float, processes: list[Process]) -> list[Process]:
    """Wait until these have ended, at most until ``deadline``; those that have not."""
    with trio.CancelScope(deadline=deadline):
        for process in processes:
            if process.status != "ended":
                await wait_ended(process)
    return [process for process in processes if process.status != "ended"]
