"""Waiting for a process to be up, or to end, from any task of the node."""

from __future__ import annotations

from collections.abc import Callable

import trio
from trio.lowlevel import Abort, Task, current_task, enable_ki_protection

from runtime.current import current_process
from runtime.exits import ExitReason
from runtime.pid import Pid
from runtime.process import Edge, Process


class Waiter:
    """One task that waits. ``task`` is the latch: it is woken once. Also an edge of call cycles."""

    __slots__ = ("deferred", "only_end", "raise_cancel", "reason", "server", "task")

    def __init__(self, server: Process, *, only_end: bool) -> None:
        self.server = server
        self.deferred = False
        self.only_end = only_end
        self.task: Task | None = current_task()
        self.reason: ExitReason = None
        self.raise_cancel: Callable[[], object] | None = None

    def wake(self, reason: ExitReason) -> None:
        """The process is up (``None``) or has ended with ``reason``."""
        task, self.task = self.task, None
        if task is not None:
            self.reason = reason
            trio.lowlevel.reschedule(task)

    def refuse_cycle(self, cycle: tuple[Pid, ...]) -> bool:
        """A wait for a start or an end cannot be refused; a call on the way round can."""
        return False


@enable_ki_protection
async def wait_started(process: Process, on_cancel: Callable[[], object] | None) -> ExitReason:
    """Wait until a new process is up (returns ``None``) or has ended (returns the reason).

    With ``on_cancel``, cancelling calls it (it must end the process) and the cancellation is
    delivered when the process has really ended. Without, it is delivered at once.
    """
    return await _wait(Waiter(process, only_end=False), on_cancel)


@enable_ki_protection
async def wait_ended(process: Process) -> ExitReason:
    """Wait for the end and return its reason. Cancelling only gives up the wait."""
    return await _wait(Waiter(process, only_end=True), None)


async def _wait(waiter: Waiter, on_cancel: Callable[[], object] | None) -> ExitReason:
    process = waiter.server

    def abort(raise_cancel: Callable[[], object]) -> Abort:
        if on_cancel is None:
            waiter.task = None
            return Abort.SUCCEEDED
        waiter.raise_cancel = raise_cancel
        on_cancel()
        return Abort.FAILED

    me = current_process()
    own_task = me is not None and me.task is current_task()
    process.watches[waiter] = None
    if me is not None and own_task:
        me.waiting_for = waiter
        _break_cycle(me)
    try:
        await trio.lowlevel.wait_task_rescheduled(abort)
    finally:
        process.watches.pop(waiter, None)
        if me is not None and own_task:
            me.waiting_for = None
    if waiter.raise_cancel is not None:
        waiter.raise_cancel()
    return waiter.reason


def _break_cycle(me: Process) -> None:
    """The wait that has just begun may close a cycle; the first call on the way is refused then.

    A supervisor that begins to stop a child whose call is in its mailbox, for example.
    """
    path, edges = [me], [me.waiting_for]
    while (edge := edges[-1]) is not None and edge.task is not None and not edge.deferred:
        if edge.server is me:
            _refuse_one(path, edges)
            return
        if edge.server in path:
            return
        path.append(edge.server)
        edges.append(edge.server.waiting_for)


def _refuse_one(path: list[Process], edges: list[Edge | None]) -> None:
    pids = tuple(process.pid for process in path)
    for at, edge in enumerate(edges):
        if edge is not None and edge.refuse_cycle((*pids[at:], *pids[: at + 1])):
            return
