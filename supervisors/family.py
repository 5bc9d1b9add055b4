"""The living children of one supervisor: starting them in its nursery and stopping them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

import trio
from trio.lowlevel import enable_ki_protection

from runtime import ExitReason, Ignored, Pid, StartError
from runtime._trio import is_cancelled
from runtime.process import Process
from runtime.spawning import spawn_process
from runtime.starts import start_error
from runtime.waiting import wait_started
from supervisors.children import Child, Children
from supervisors.requests import ChildDown, Ticket
from supervisors.shutdown import stop_all, stop_child, stop_in_order


class _EndOfChild:
    """Tells the supervisor of a child's end. No link: nobody can forge it or take it away."""

    __slots__ = ("_child", "_pid", "_supervisor")

    only_end = True

    def __init__(self, supervisor: Process, child: Child, pid: Pid) -> None:
        self._supervisor = supervisor
        self._child = child
        self._pid = pid

    @property
    def restarts(self) -> int:
        """Of the child."""
        return self._child.restarts

    def wake(self, reason: ExitReason) -> None:
        """The child has ended."""
        if self._child.status == "running":
            self._child.down_at = trio.current_time()
        self._supervisor.post_system(ChildDown(self._child, self._pid, reason))


class Family:
    """A children table whose rows can be started and stopped. ``owner`` is the supervisor."""

    def __init__(self, owner: Process, nursery: trio.Nursery) -> None:
        self.owner = owner
        self.rows = Children()
        self._nursery = nursery

    @enable_ki_protection  # a process that the table does not know would never be stopped
    async def start(self, child: Child, ticket: Ticket | None = None) -> StartError | None:
        """Start a child and wait until it is up; what went wrong is returned, not raised.

        Cancelling leaves the child starting; whoever cancels the supervisor stops it.
        """
        await trio.lowlevel.checkpoint_if_cancelled()  # a supervisor that ends starts nothing
        spec = child.spec
        try:
            process = spawn_process(
                self.owner.table, spec.make_body(), label=spec.behaviour, name=spec.name,
                limit=spec.mailbox, budget=spec.shutdown, nursery=self._nursery,
                parent=self.owner.pid, begins=True,
            )  # fmt: skip
        except StartError as exc:
            child.status = "stopped"
            return exc
        process.follower = _EndOfChild(self.owner, child, process.pid)
        child.process, child.status = process, "starting"
        if ticket is not None:
            ticket.process = process
        reason: ExitReason = None
        if process.status == "starting" or is_cancelled(trio.lowlevel.current_task()):
            reason = await wait_started(process, None)
        if reason is None:
            child.status, child.up_since, child.down_at = "running", trio.current_time(), None
            return None
        child.process, child.status = None, "stopped"
        return start_error(spec, process, reason)

    async def start_new(self, child: Child, ticket: Ticket | None = None) -> StartError | None:
        """Add a child and start it; what did not start is forgotten, unless it was ignored.

        An ignored child keeps its row, to be restarted by hand; an ignored temporary one does not.
        """
        self.rows.add(child)
        error = await self.start(child, ticket)
        if isinstance(error, Ignored):
            self.settle(child)
        elif error is not None:
            self.rows.remove(child)
        return error

    def settle(self, child: Child) -> None:
        """A child has ended for good: a temporary one leaves the table."""
        child.process, child.status = None, "stopped"
        if child.spec.restart == "temporary":
            self.rows.remove(child)

    async def stop(self, child: Child) -> None:
        """Stop one child; a temporary one leaves the table."""
        await stop_child(child, self.owner.pid)
        self.settle(child)

    async def forget(self, child: Child) -> None:
        """Stop one child and delete its row."""
        await stop_child(child, self.owner.pid)
        self.rows.remove(child)

    async def stop_group(self, group: Iterable[Child]) -> list[Child]:
        """Stop these children in reverse order; those that can be started again are returned."""
        members = list(group)
        await stop_in_order(members, self.owner.pid)
        for member in members:
            self.settle(member)
        return [member for member in members if self.rows.get(member.spec.id) is member]

    async def stop_all(self) -> None:
        """The supervisor ends: stop every child, in order unless it was killed."""
        await stop_all(self.rows, self.owner)

    def ended(self, child: Child, pid: Pid) -> bool:
        """A child's process has ended; false if the child was stopped here, or has another now."""
        process = child.process
        if process is None or process.pid is not pid or process.status != "ended":
            return False
        child.process, child.status = None, "stopped"
        return True

    def group(self, ids: Iterable[Hashable]) -> list[Child]:
        """The rows of these ids."""
        wanted = set(ids)
        return [child for child in self.rows if child.spec.id in wanted]


def failure_reason(error: StartError) -> ExitReason:
    """The exit reason behind a start error, for reports and for the supervisor's own end."""
    from_start: ExitReason = getattr(error, "reason", None)
    return error if from_start is None else from_start
