"""Waiting for a process to be up, or to end, from any task of the node."""

from __future__ import annotations

import math
from collections.abc import Callable

from trio.lowlevel import Abort, Task, current_task, enable_ki_protection

from runtime._trio import sleep, wake
from runtime.current import current_process
from runtime.cycles import break_cycle
from runtime.exits import ExitReason
from runtime.pid import Pid
from runtime.process import Process


class Waiter:
    """One task that waits. ``task`` is the latch: it is woken once. Also an edge of call cycles."""

    __slots__ = ("leads_to", "only_end", "raise_cancel", "reason", "task")

    def __init__(self, process: Process, *, only_end: bool) -> None:
        self.leads_to: Process | None = process
        self.only_end = only_end
        self.task: Task | None = current_task()
        self.reason: ExitReason = None
        self.raise_cancel: Callable[[], object] | None = None

    def wake(self, reason: ExitReason) -> None:
        """The process is up (``None``) or has ended with ``reason``."""
        task, self.task = self.task, None
        if task is not None:
            self.reason = reason
            wake(task)

    def time_out(self) -> None:
        """Whoever waits has waited long enough: woken with ``None``, as for a start."""
        self.wake(None)

    def refuse_cycle(self, cycle: tuple[Pid, ...]) -> bool:
        """A wait for a start or an end cannot be refused; a call on the way round can."""
        return False


@enable_ki_protection
async def wait_started(process: Process, on_cancel: Callable[[], object] | None) -> ExitReason:
    """Wait until a new process is up (returns ``None``) or has ended (returns the reason).

    With ``on_cancel``, cancelling calls it (it must end the process) and the cancellation is
    delivered when the process has really ended. Without, it is delivered at once.
    """
    return await _wait(process, on_cancel, only_end=False)


@enable_ki_protection
async def wait_ended(
    process: Process, on_cancel: Callable[[], object] | None = None, *, timeout: float = math.inf
) -> ExitReason:
    """Wait for the end and return its reason; ``on_cancel`` as for ``wait_started``.

    ``None`` if it has not ended after ``timeout`` seconds.
    """
    return await _wait(process, on_cancel, only_end=True, timeout=timeout)


async def _wait(
    process: Process,
    on_cancel: Callable[[], object] | None,
    *,
    only_end: bool,
    timeout: float = math.inf,
) -> ExitReason:
    waiter = Waiter(process, only_end=only_end)

    def abort(raise_cancel: Callable[[], object]) -> Abort:
        if on_cancel is None:
            waiter.task = None
            return Abort.SUCCEEDED
        waiter.raise_cancel = raise_cancel
        on_cancel()
        return Abort.FAILED

    process.check_thread()
    me = current_process()
    own_task = me is not None and me.task is current_task()
    process.watches[waiter] = None
    timeouts = process.table.timeouts
    deadline = timeouts.add(waiter, timeout)
    if me is not None and own_task:
        me.waiting_for = waiter
        break_cycle(me)
    try:
        await sleep(abort)
    finally:
        process.watches.pop(waiter, None)
        timeouts.discard(waiter, deadline)
        if me is not None and own_task:
            me.waiting_for = None
    if waiter.raise_cancel is not None:
        waiter.raise_cancel()
    return waiter.reason
