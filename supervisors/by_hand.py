"""A child stopped and started anew because somebody at a console says so.

A supervisor is asked for it and does not count it. Of a dynamic one nobody can ask that, so its
child is ended in a way that it answers by starting the child anew, which does count.
"""

from __future__ import annotations

from runtime import exit
from runtime.calls import PidRef
from runtime.console.acts import NotDone, said
from runtime.process import Process
from supervisors.children import Child
from supervisors.dynamic_supervisor import DynamicSupervisor
from supervisors.supervisor import Supervisor
from supervisors.supervisor_ref import SupervisorRef


async def restart_by_hand(process: Process) -> str:
    """Restart a child; what was done, as a line. ``NotDone`` if its supervisor would not."""
    parent = process.table.by_pid.get(process.parent)
    server: object = None if parent is None else getattr(parent.body, "server", None)
    if parent is None or not isinstance(server, Supervisor | DynamicSupervisor):
        raise NotDone(f"{said(process)} has no supervisor that could start it anew")
    child = (
        next((one for one in _rows(server) if one.process is process), None)
        if isinstance(server, Supervisor)
        else server.children.find(process.pid)
    )
    if child is None or child.spec.restart == "temporary":
        raise NotDone(f"{said(process)} is temporary: its supervisor would not start it anew")
    if isinstance(server, DynamicSupervisor):
        exit(process.pid, "restarted by hand")
        return f"told {said(process)} to end, for {said(parent)} to start it anew"
    supervisor = SupervisorRef(PidRef(parent.pid, parent))
    await supervisor.terminate_child(child.spec.id)
    started = await supervisor.restart_child(child.spec.id)
    return f"restarted {said(process)}, it is {started.pid.number} now"


def _rows(supervisor: Supervisor) -> tuple[Child, ...]:
    return () if supervisor.family is None else tuple(supervisor.family.rows)
