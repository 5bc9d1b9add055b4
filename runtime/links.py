"""Who must hear of a process's end, and what it waits for: data, no delivery.

Generic in the process class, so that this file stays below ``process``. The sets of an ordinary
process are empty, so none is made before it is needed.
"""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

from trio.lowlevel import Task

from runtime.exits import ExitReason
from runtime.messages import MonitorRef
from runtime.pid import Pid

P = TypeVar("P")
P_contra = TypeVar("P_contra", contravariant=True)


class QueuedCall(Protocol):
    """A call a process has not answered yet; it must hear of the process's end."""

    def server_ended(self, reason: ExitReason) -> None:
        """No reply will come."""
        ...


class Watch(Protocol):
    """Somebody outside the process waits for it to be up, or gone; see ``waiting``."""

    only_end: bool

    def wake(self, reason: ExitReason) -> None:
        """The process is up (``None``) or has ended with ``reason``."""
        ...


class Follower(Watch, Protocol):
    """The watch of the supervisor of a process."""

    @property
    def restarts(self) -> int:
        """How often the child that this process is has been restarted."""
        ...


class EdgeOf(Protocol[P]):
    """What a process's own task waits for: an edge of ``cycles``, to whoever must act first.

    ``task`` is ``None`` once the wait is over, even if its task has not run yet.
    """

    task: Task | None
    leads_to: P | None

    def refuse_cycle(self, cycle: tuple[Pid, ...]) -> bool:
        """A wait that began later has closed a cycle; whether this edge could be taken back."""
        ...


class Claim(Protocol[P_contra]):
    """Something a process holds elsewhere: a registry entry, a table, a permit.

    It is given back when the process has ended and before anybody hears of that.
    """

    def owner_ended(self, process: P_contra) -> None:
        """Give it back. Must not raise."""
        ...


class Links(Generic[P]):
    """The links and monitors of one process."""

    __slots__ = ("_linked", "_watched_by", "_watching")

    def __init__(self) -> None:
        self._linked: dict[P, None] | None = None
        self._watched_by: dict[MonitorRef, tuple[P, str | None]] | None = None
        self._watching: dict[MonitorRef, P] | None = None

    def link(self, other: P) -> None:
        """Remember a link; a pair has at most one."""
        if self._linked is None:
            self._linked = {}
        self._linked[other] = None

    def unlink(self, other: P) -> bool:
        """Forget a link; whether there was one."""
        if self._linked is None or other not in self._linked:
            return False
        del self._linked[other]
        return True

    def linked(self) -> tuple[P, ...]:
        """A copy of the linked processes, in the order of linking."""
        return tuple(self._linked) if self._linked else ()

    def watched(self, ref: MonitorRef, watcher: P, name: str | None) -> None:
        """Somebody monitors this process, by ``name`` or by pid."""
        if self._watched_by is None:
            self._watched_by = {}
        self._watched_by[ref] = (watcher, name)

    def unwatched(self, ref: MonitorRef) -> None:
        """That monitor is gone."""
        if self._watched_by is not None:
            self._watched_by.pop(ref, None)

    def watchers(self) -> tuple[tuple[MonitorRef, P, str | None], ...]:
        """A copy of the monitors on this process, oldest first."""
        held = self._watched_by
        return tuple((ref, *watcher) for ref, watcher in held.items()) if held else ()

    def watch(self, ref: MonitorRef, target: P) -> None:
        """This process monitors ``target``."""
        if self._watching is None:
            self._watching = {}
        self._watching[ref] = target

    def unwatch(self, ref: MonitorRef) -> P | None:
        """Forget a monitor of this process; its target, or ``None`` if it is not active."""
        return self._watching.pop(ref, None) if self._watching is not None else None

    def watching(self) -> tuple[tuple[MonitorRef, P], ...]:
        """A copy of this process's active monitors, oldest first."""
        return tuple(self._watching.items()) if self._watching else ()
