"""Waits that would wait for themselves. A wait is an edge from the process whose task sleeps.

An edge leads on to the process that must act first: the server of a call, the process whose start
or end is waited for, or the child that a supervisor has put its reply off for. A call whose reply
was put off for no one process leads nowhere: its server works on.
"""

from __future__ import annotations

from runtime.links import EdgeOf
from runtime.pid import Pid
from runtime.process import Process


def cycle_through(me: Process, server: Process) -> list[Process] | None:
    """The processes from ``me`` round to ``me``, if ``me`` began to wait for ``server``."""
    if server.ending and server in owners(me):  # it waits for us to end before it ends itself
        return [me, server]
    path, at = [me], server
    while at is not me:
        following = _leads_to(at.waiting_for)
        if following is None or at in path:
            return None
        path.append(at)
        at = following
    return path


def break_cycle(me: Process) -> None:
    """The wait that has just begun may close a cycle; the first call on the way is refused then.

    A supervisor that begins to stop a child whose call is in its mailbox, for example.
    """
    path, edges = [me], [me.waiting_for]
    while (following := _leads_to(edges[-1])) is not None:
        if following is me:
            _refuse_one(path, edges)
            return
        if following in path:
            return
        path.append(following)
        edges.append(following.waiting_for)


def owners(process: Process) -> list[Process]:
    """The supervisors above a process, whose nurseries it lives in, nearest first."""
    table = process.table
    found: list[Process] = []
    while process not in table.roots and process.parent in table.by_pid:
        process = table.by_pid[process.parent]
        found.append(process)
    return found


def _leads_to(edge: EdgeOf[Process] | None) -> Process | None:
    """Whom an edge leads to, while anybody waits."""
    return None if edge is None or edge.task is None else edge.leads_to


def _refuse_one(path: list[Process], edges: list[EdgeOf[Process] | None]) -> None:
    pids = pids_of(path)
    for at, edge in enumerate(edges):
        if edge is not None and edge.refuse_cycle((*pids[at:], *pids[: at + 1])):
            return


def pids_of(path: list[Process]) -> tuple[Pid, ...]:
    """The pids of a path."""
    return tuple(process.pid for process in path)
