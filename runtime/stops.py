"""The ladder that ends a process: signal, wait for the budget, kill, wait.

The wait after the kill has no bound: inside a nursery nothing else is true, and a process that
shields itself or sits in a thread is really still there. It is reported every second instead.
"""

from __future__ import annotations

import math

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
    if process.status == "ended":
        return
    now = trio.current_time()
    if process.stop_asked_at is None:
        process.stop_asked_at = now
    if isinstance(budget, float | int):
        process.signal(sender, reason)
        if await _gone_within(process, max(0.0, process.stop_asked_at + budget - now)):
            return
        process.table.instruments.emit(BudgetExceeded(process.pid, float(budget)))
    process.kill()
    waited = 0.0
    while not await _gone_within(process, REPORT_EVERY):
        waited += REPORT_EVERY
        process.table.instruments.emit(StillAlive(process.pid, waited))


async def _gone_within(process: Process, seconds: float) -> bool:
    if process.status == "ended":
        return True
    if seconds == math.inf:
        await wait_ended(process)
        return True
    with trio.move_on_after(seconds) as patience:
        await wait_ended(process)
    return not patience.cancelled_caught
