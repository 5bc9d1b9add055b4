"""The handle of a consumer supervisor, with what it can be asked as methods."""

from __future__ import annotations

import math

from runtime import Ref
from supervisors.children_ref import ChildrenRef
from supervisors.requests import StartForEvent


class ConsumerSupervisorRef(ChildrenRef):
    """A handle of a consumer supervisor: ``ConsumerSupervisorRef("jobs")``.

    Every method is a call without a time limit; it raises ``CallExit`` if the supervisor is not
    there, or ends meanwhile. A slow start or stop holds up nobody but its own requester. A child
    that is stopped by ``terminate_child`` gives its place back like any other that is gone.
    """

    __slots__ = ()

    async def start_child(self, event: object) -> Ref:
        """Start the child that this event would get, and return when it is up.

        It counts for no producer's demand. ``AlreadyStarted`` if its name is taken,
        ``StartFailed`` if its ``init`` failed, ``Ignored`` if it said so. Cancelling ends what was
        started. GenStage: ``ConsumerSupervisor.start_child``.
        """
        return await self.call(StartForEvent(event), timeout=math.inf)
