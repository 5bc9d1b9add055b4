"""The handle of a supervisor, with what it can be asked as methods. OTP: ``Supervisor``."""

from __future__ import annotations

import math
from collections.abc import Hashable

import trio

from runtime import Ref
from runtime.handle import Handle
from supervisors.children import ChildCounts, ChildInfo, ChildSource, to_spec
from supervisors.requests import (
    CountChildren,
    DeleteChild,
    RestartChild,
    StartChild,
    TerminateChild,
    Ticket,
    WhichChildren,
)


class SupervisorRef(Handle):
    """A handle of a supervisor: ``SupervisorRef("shop")``.

    Every method is a call without a time limit, because starting and stopping children takes as
    long as they need; it raises ``CallExit`` if the supervisor ends meanwhile. Requests are
    handled one after the other.
    """

    __slots__ = ()

    async def start_child(self, child: ChildSource) -> Ref:
        """Add a child as the last one and start it. OTP: ``start_child``.

        ``AlreadyStarted`` or ``AlreadyPresent`` if the id is taken, ``StartFailed`` if its ``init``
        failed (the spec is then forgotten), ``Ignored`` if it said so (the spec is kept, unless
        it is temporary). Cancelling ends the start and forgets the child.
        """
        ticket = Ticket()
        try:
            return await self.call(StartChild(to_spec(child), ticket), timeout=math.inf)
        except trio.Cancelled:
            ticket.cancel()
            raise

    async def terminate_child(self, child_id: Hashable) -> None:
        """Stop a child within its budget; its spec stays, unless it is temporary.

        A child that is stopped already is fine; ``ChildNotFound`` if there is none of that id.
        Cancelling gives up the wait; the child is stopped all the same.
        """
        await self.call(TerminateChild(child_id), timeout=math.inf)

    async def restart_child(self, child_id: Hashable) -> Ref:
        """Start a stopped child in its old place; not counted as a restart.

        ``ChildRunning``, ``ChildRestarting``, ``ChildNotFound``, or a ``StartError``; the spec
        stays in any case. Cancelling gives up the wait; the child is started all the same.
        """
        return await self.call(RestartChild(child_id), timeout=math.inf)

    async def delete_child(self, child_id: Hashable) -> None:
        """Forget a stopped child. ``ChildRunning``, ``ChildRestarting``, ``ChildNotFound``."""
        await self.call(DeleteChild(child_id), timeout=math.inf)

    async def which_children(self) -> list[ChildInfo]:
        """Its children, as in OTP the one started last comes first."""
        return await self.call(WhichChildren(), timeout=math.inf)

    async def count_children(self) -> ChildCounts:
        """Its children in numbers."""
        return await self.call(CountChildren(), timeout=math.inf)
