"""What a supervisor can be asked, as messages, and the one-time ticket of a start."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from runtime import ChildSpec, ExitReason, Pid, Ref, Task
from runtime.child_spec import check_child_id
from runtime.messages import HandleCall, SystemCast
from runtime.process import Process
from supervisors.children import Child, ChildCounts, ChildInfo

R_co = TypeVar("R_co", covariant=True)


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


class ChildCall(HandleCall[R_co], Generic[R_co], frozen=True):
    """A request about the child of an id, which must be what ids are made of."""

    child_id: Hashable

    def __post_init__(self) -> None:
        check_child_id(self.child_id)


class StartChild(HandleCall[Ref], frozen=True):
    """Add a child and start it."""

    spec: ChildSpec
    ticket: Ticket


class StartDynamicChild(HandleCall[Ref], frozen=True):
    """Start a child that is known by its pid. ``make`` takes the extra arguments."""

    make: Callable[..., ChildSpec]


class StartForEvent(HandleCall[Ref], frozen=True):
    """Start the child that an event would get, for nobody's demand."""

    event: object


class GiveBack(SystemCast, frozen=True):
    """A consumer supervisor to itself: ask again for the events whose children did not start."""


class StartTask(HandleCall[None], frozen=True):
    """Start a task as a child, linked to a process or to nobody."""

    task: Task[object]
    spec: ChildSpec
    link_to: Process | None


class TerminatePid(HandleCall[None], frozen=True):
    """Stop the child of a pid and forget it."""

    pid: Pid


class TerminateChild(ChildCall[None], frozen=True):
    """Stop a child and keep its spec."""


class RestartChild(ChildCall[Ref], frozen=True):
    """Start a stopped child."""


class DeleteChild(ChildCall[None], frozen=True):
    """Forget a stopped child."""


class WhichChildren(HandleCall[list[ChildInfo]], frozen=True):
    """List the children."""


class CountChildren(HandleCall[ChildCounts], frozen=True):
    """Count the children."""


class ChildDown(SystemCast, frozen=True):
    """A child's process to its supervisor, from its last step: it has ended."""

    child: Child
    pid: Pid
    reason: ExitReason


class RetryRestart(SystemCast, frozen=True):
    """The supervisor to itself: go on with the restart number ``attempt`` of a child.

    With ``failure`` the attempt has failed and another must be counted; without, it was put off by
    the backoff.
    """

    child: Child
    attempt: int
    failure: ExitReason
