"""What a supervisor can be asked, as messages, and the one-time ticket of a start."""

from __future__ import annotations

from collections.abc import Hashable

from runtime import Call, Cast, ChildSpec, ExitReason, Ref
from runtime.process import Process
from supervisors.children import Child, ChildCounts, ChildInfo


class Ticket:
    """Ties a start to its requester: one who gives up takes with him what was started for him."""

    __slots__ = ("_cancelled", "process")

    def __init__(self) -> None:
        self._cancelled = False
        self.process: Process | None = None

    @property
    def cancelled(self) -> bool:
        """Whether the requester has given up."""
        return self._cancelled

    def cancel(self) -> None:
        """Give up: end the start, if it has begun."""
        self._cancelled = True
        if self.process is not None:
            self.process.kill()


class StartChild(Call[Ref], frozen=True):
    """Add a child and start it."""

    spec: ChildSpec
    ticket: Ticket


class TerminateChild(Call[None], frozen=True):
    """Stop a child and keep its spec."""

    child_id: Hashable


class RestartChild(Call[Ref], frozen=True):
    """Start a stopped child."""

    child_id: Hashable


class DeleteChild(Call[None], frozen=True):
    """Forget a stopped child."""

    child_id: Hashable


class WhichChildren(Call[list[ChildInfo]], frozen=True):
    """List the children."""


class CountChildren(Call[ChildCounts], frozen=True):
    """Count the children."""


class RetryRestart(Cast, frozen=True):
    """The supervisor to itself: go on with the restart number ``attempt`` of a child.

    With ``failure`` the attempt has failed and another must be counted; without, it was put off by
    the backoff.
    """

    child: Child
    attempt: int
    failure: ExitReason
