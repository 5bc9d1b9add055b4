"""Stopping children: one by one in reverse order, or all at once. OTP: supervisor shutdown.

The choice: orderly means sequential. Each child is signalled only when the one started after it is
gone, so that it can still use what was started before it. The cost: the times add up, each bounded
by the child's own budget. All at once is for a supervisor that was itself killed: its children then
get ``Killed`` from their parent, run their ``terminate``, and still have their budgets.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

import trio

from runtime import ExitReason, Pid
from runtime.exits import KILLED, SHUTDOWN
from runtime.pending_calls import refuse_calls_from_below
from runtime.process import Process
from runtime.stops import stop_process, stop_processes
from supervisors.children import Child


async def stop_child(child: Child, supervisor: Pid, reason: ExitReason = SHUTDOWN) -> None:
    """Stop one child and wait until it is gone; nothing to do if it does not run."""
    if child.process is not None:
        await stop_process(child.process, supervisor, child.spec.shutdown, reason)
        child.process = None
    child.status = "stopped"


async def stop_in_order(children: Iterable[Child], supervisor: Pid) -> None:
    """Stop children one by one, last started first, each within its own budget."""
    for child in reversed(tuple(children)):
        await stop_child(child, supervisor)


async def stop_together(
    children: Iterable[Child], supervisor: Pid, reason: ExitReason = SHUTDOWN
) -> None:
    """Stop children at the same time, each within its own budget."""
    members = tuple(children)
    running = [(child, child.process) for child in members if child.process is not None]
    await stop_processes(
        ((process, child.spec.shutdown) for child, process in running), supervisor, reason
    )
    for child in members:
        child.process, child.status = None, "stopped"


async def stop_all(
    children: Iterable[Child],
    supervisor: Process,
    orderly: Callable[[Iterable[Child], Pid], Awaitable[None]] = stop_in_order,
) -> None:
    """The last thing a supervisor does: ``orderly``, unless or until it is itself killed."""
    refuse_calls_from_below(supervisor)
    if not supervisor.killed:
        with trio.CancelScope() as supervisor.grace:
            await orderly(children, supervisor.pid)
        supervisor.grace = None
    if supervisor.killed:
        for call in tuple(supervisor.pending):  # nobody will read them, and children may wait
            call.server_ended(KILLED)
    await stop_together(children, supervisor.pid, KILLED)
