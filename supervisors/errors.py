"""What a supervisor refuses, and how it gives up."""

from __future__ import annotations

from collections.abc import Hashable

import msgspec

from runtime import Crashed, ExitReason, Pid, Shutdown, StartError
from runtime.containment import short_repr


class ChildError(Exception):
    """A request about a child that the supervisor cannot grant. ``child_id`` says which child."""

    def __init__(self, message: str, child_id: Hashable) -> None:
        super().__init__(message)
        self.child_id = child_id


class ChildNotFound(ChildError):
    """There is no child of that id, or pid. OTP: ``{:error, :not_found}``."""

    def __init__(self, child_id: Hashable) -> None:
        super().__init__(f"there is no child {short_repr(child_id)}", child_id)


class ChildRunning(ChildError):
    """The child runs; terminate it first. OTP: ``{:error, :running}``."""

    def __init__(self, child_id: Hashable, pid: Pid) -> None:
        super().__init__(f"child {short_repr(child_id)} is running as {pid!r}", child_id)
        self.pid = pid


class ChildRestarting(ChildError):
    """The child is being restarted. OTP: ``{:error, :restarting}``."""

    def __init__(self, child_id: Hashable) -> None:
        super().__init__(f"child {short_repr(child_id)} is being restarted", child_id)


class AlreadyPresent(ChildError, StartError):
    """A stopped child has that id; restart or delete it. OTP: ``{:error, :already_present}``."""

    def __init__(self, child_id: Hashable) -> None:
        super().__init__(
            f"child {short_repr(child_id)} is present but stopped: restart it or delete it",
            child_id,
        )


class MaxChildren(StartError):
    """The supervisor has ``limit`` children, as many as it may; nothing was started.

    OTP: ``{:error, :max_children}``.
    """

    def __init__(self, limit: int) -> None:
        super().__init__(f"the supervisor has its {limit} children, as many as max_children allows")
        self.limit = limit


class FailedToStartChild(msgspec.Struct, frozen=True):
    """The detail of a ``Shutdown``: a supervisor ended because this child did not start."""

    child_id: Hashable
    reason: ExitReason


class GaveUp(msgspec.Struct, frozen=True):
    """The detail of a ``Shutdown``: a supervisor ran out of restarts.

    ``history`` has a line for each of the last 20 ends and failed starts, oldest first, and before
    them one that says how many are left out; ``exception`` is that of the last crash, if it was
    one.
    """

    history: tuple[str, ...]
    exception: BaseException | None


def exception_of(reason: ExitReason) -> BaseException | None:
    """The exception at the bottom of a reason, if there is one."""
    match reason:
        case Crashed():
            return reason.exception
        case Shutdown(detail=GaveUp() as detail):
            return detail.exception
        case Shutdown(detail=FailedToStartChild() as detail):
            return exception_of(detail.reason)
        case BaseException():
            return reason
        case _:
            return None


class SupervisorGaveUp(Exception):
    """The tree under ``open_supervisor`` ended by itself and cannot go on.

    ``reason`` is the root supervisor's exit reason; ``history`` has a line for each of the last 20
    ends and failed starts, oldest first, and before them one that says how many are left out. The
    ``__cause__`` is the exception of the last crash, if it was one.
    """

    def __init__(self, message: str, reason: ExitReason, history: tuple[str, ...]) -> None:
        lines = "".join(f"\n  {line}" for line in history)
        super().__init__(message + lines)
        self.reason = reason
        self.history = history
