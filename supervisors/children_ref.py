"""What can be asked of every supervisor whose children are known by their pids."""

from __future__ import annotations

import math
from collections.abc import Callable

from runtime import ChildSpec, Pid, Ref
from runtime.handle import Handle
from supervisors.children import ChildCounts, ChildInfo
from supervisors.requests import (
    CountChildren,
    StartDynamicChild,
    TerminatePid,
    WhichChildren,
)


class ChildrenRef(Handle):
    """Base of ``DynamicSupervisorRef`` and ``TaskSupervisorRef``.

    Every method is a call without a time limit; it raises ``CallExit`` if the supervisor is not
    there, or ends meanwhile. A slow start or stop holds up nobody but its own requester.
    """

    __slots__ = ()

    async def _start_child(self, make: Callable[..., ChildSpec]) -> Ref:
        return await self.call(StartDynamicChild(make), timeout=math.inf)

    async def terminate_child(self, child: Pid | Ref) -> None:
        """Stop a child within its budget and forget it. OTP: ``terminate_child``.

        A name stands for whoever holds it now, ``ProcessNotFound`` if nobody does.
        ``ChildNotFound`` if it has none of that pid. Cancelling gives up the wait; the child is
        stopped all the same.
        """
        if not isinstance(child, Pid | Ref):
            raise TypeError(f"child: got {child!r}, allowed are a Pid and a Ref")
        pid = child if isinstance(child, Pid) else child.pid
        await self.call(TerminatePid(pid), timeout=math.inf)

    async def which_children(self) -> list[ChildInfo]:
        """Its children, the one started last first; a restart counts once it is up."""
        return await self.call(WhichChildren(), timeout=math.inf)

    async def count_children(self) -> ChildCounts:
        """Its children in numbers."""
        return await self.call(CountChildren(), timeout=math.inf)
