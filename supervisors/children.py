"""The table of a supervisor's children, in start order. Plain data, no Trio."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Iterable, Iterator
from typing import Literal, TypeAlias, cast

import msgspec

from runtime import ChildSpec, ChildType, GenServer, Pid, child_spec
from runtime.containment import short_repr
from runtime.process import Process

ChildStatus: TypeAlias = Literal["starting", "running", "restarting", "stopped"]
"""What has become of a child."""
ChildSource: TypeAlias = ChildSpec | type[GenServer] | Callable[[], Awaitable[object]] | None
"""Whatever may stand in a list of children; ``None`` is left out."""


class ChildInfo(msgspec.Struct, frozen=True):
    """One line of ``which_children``. ``pid`` is ``None`` unless the child is up or starting."""

    id: Hashable
    pid: Pid | None
    status: ChildStatus
    type: ChildType
    behaviour: str


class ChildCounts(msgspec.Struct, frozen=True):
    """What ``count_children`` says: ``specs`` there are, of which ``active`` run."""

    specs: int
    active: int
    supervisors: int
    workers: int


class Child:
    """One row: a spec, and what has become of it."""

    __slots__ = ("down_at", "process", "restarts", "spec", "status", "streak", "up_since")

    def __init__(self, spec: ChildSpec) -> None:
        self.spec = spec
        self.process: Process | None = None
        self.status: ChildStatus = "stopped"
        self.restarts = 0
        self.streak = 0  # restarts since it was last stable
        self.up_since: float | None = None
        self.down_at: float | None = None  # when what was up has ended

    def info(self) -> ChildInfo:
        """The row as users see it."""
        pid = None if self.process is None else self.process.pid
        return ChildInfo(self.spec.id, pid, self.status, self.spec.type, self.spec.behaviour)


class Children:
    """The rows, by id, in start order."""

    def __init__(self) -> None:
        self._rows: dict[Hashable, Child] = {}

    def __iter__(self) -> Iterator[Child]:
        """In start order, over a copy."""
        return iter(tuple(self._rows.values()))

    def add(self, child: Child) -> None:
        """Append a row."""
        self._rows[child.spec.id] = child

    def remove(self, child: Child) -> None:
        """Delete a row."""
        self._rows.pop(child.spec.id, None)

    def get(self, child_id: Hashable) -> Child | None:
        """The row of this id."""
        return self._rows.get(child_id)

    def ids(self) -> list[Hashable]:
        """All ids, in start order."""
        return list(self._rows)

    def count(self) -> ChildCounts:
        """The rows in numbers."""
        return count(self)


def count(children: Iterable[Child]) -> ChildCounts:
    """Rows in numbers."""
    rows = tuple(children)
    supervisors = sum(child.spec.type == "supervisor" for child in rows)
    active = sum(child.status in ("running", "starting") for child in rows)
    return ChildCounts(len(rows), active, supervisors, len(rows) - supervisors)


def to_spec(child: object) -> ChildSpec:
    """A spec of whatever may stand in a list of children."""
    if isinstance(child, ChildSpec):
        return child
    if isinstance(child, type) and issubclass(child, GenServer):
        return child.child_spec()
    if not isinstance(child, type) and callable(child):
        return child_spec(cast("Callable[[], Awaitable[object]]", child))
    raise TypeError(
        f"children: got {child!r}, allowed are a ChildSpec such as Counter.child_spec(10), "
        "a GenServer class, an async function, and None for a child left out"
    )


def to_specs(children: Iterable[ChildSource]) -> tuple[ChildSpec, ...]:
    """The specs of a list of children: ``None`` is left out, an id may be there only once."""
    if isinstance(children, ChildSpec | str) or not isinstance(children, Iterable):
        raise TypeError(f"children: got {children!r}, allowed is a list of child specs")
    specs = tuple(to_spec(child) for child in children if child is not None)
    seen: set[Hashable] = set()
    for spec in specs:
        if spec.id in seen:
            raise ValueError(
                f"children: two have the id {short_repr(spec.id)}, "
                "give one another with .replace(id=...)"
            )
        seen.add(spec.id)
    return specs
