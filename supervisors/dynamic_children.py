"""The table of a dynamic supervisor's children, by pid. Plain data, no Trio."""

from __future__ import annotations

from collections.abc import Iterator

from runtime import ChildSpec, Pid, Ref, ReplyTo
from runtime.process import Process
from supervisors.children import Child, ChildCounts, count


class DynamicChild(Child):
    """A row that is known by a pid: that of its last process that was up."""

    __slots__ = ("key", "requester", "stopping")

    def __init__(self, spec: ChildSpec) -> None:
        super().__init__(spec)
        self.key: Pid | None = None
        self.requester: ReplyTo[Ref] | None = None  # waits for the first start
        self.stopping = False  # asked to end, so it is not restarted

    @property
    def given_up(self) -> bool:
        """Whether whoever asked for it has gone away before it was up."""
        return self.requester is not None and self.requester.answered

    def abandon(self) -> None:
        """Whoever asked for it goes away, and takes it along."""
        assert self.process is not None
        self.stopping = True
        self.process.kill()


class DynamicChildren:
    """The rows, in start order. A restarting child keeps its row, and its place until it is up."""

    def __init__(self) -> None:
        self._rows: dict[Pid, DynamicChild] = {}
        self._starting_again: dict[Pid, DynamicChild] = {}  # by the pid that is not up yet

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[DynamicChild]:
        """In order, over a copy."""
        return iter(tuple(self._rows.values()))

    def add(self, child: DynamicChild, process: Process) -> None:
        """A new child has a process."""
        child.key = process.pid
        self._rows[process.pid] = child

    def starts_again(self, child: DynamicChild, process: Process) -> None:
        """A restart has begun: the child is known by the new pid too."""
        self._starting_again[process.pid] = child

    def is_up(self, child: DynamicChild, process: Process) -> None:
        """A child is up, under this pid alone from now on."""
        if self._starting_again.pop(process.pid, None) is not None:
            self.remove(child)
            self.add(child, process)

    def is_down(self, process: Process) -> None:
        """A process has ended, also one that never was up; the row stays."""
        self._starting_again.pop(process.pid, None)

    def remove(self, child: DynamicChild) -> None:
        """Delete a row."""
        if child.key is not None:
            self._rows.pop(child.key, None)

    def find(self, pid: Pid) -> DynamicChild | None:
        """The child of this pid; of a restart that is not up yet, by either."""
        return self._rows.get(pid) or self._starting_again.get(pid)

    def count(self) -> ChildCounts:
        """The rows in numbers."""
        return count(self)
