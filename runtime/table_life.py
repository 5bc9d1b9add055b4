"""Whose a table is, and for how long: its owner, its name, its heir, who may do what, its timer.

A table is a claim of its owner (see ``Process.claims``), so it is gone, or the heir's, before
anybody hears that the owner has ended: whoever gets the ``Down`` finds the table as it will stay.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Hashable
from typing import Generic, Literal, TypeAlias, TypeVar, cast, get_args

import trio
from trio.lowlevel import enable_ki_protection

from runtime.containment import contain, short_repr
from runtime.current import (
    Address,
    Target,
    current_process,
    current_table,
    find_process,
    require_process,
)
from runtime.deadlines import Deadline
from runtime.errors import NameTaken, NoNode, ProcessNotFound
from runtime.outcomes import check_seconds
from runtime.pid import Pid
from runtime.process import Process
from runtime.process_table import check_name
from runtime.table_rows import OrderedRows, Rows

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

TableKind: TypeAlias = Literal["set", "ordered_set"]
"""``set``: any hashable key, in no order. ``ordered_set``: keys in their order."""
TableAccess: TypeAlias = Literal["private", "protected", "public"]
"""What others than the owner may do: nothing, read, or read and write."""


class TableNotFound(LookupError):
    """There is no such table: not made yet, deleted, or gone with its owner. OTP: ``badarg``."""

    def __init__(self, name: str | None) -> None:
        what = "the table is gone" if name is None else f"there is no table {name!r}"
        super().__init__(f"{what}: not made yet, deleted, or its owner has ended")
        self.name = name


class AccessDenied(PermissionError):
    """``operation`` is not for everybody, and the caller is not ``owner``. OTP: ``badarg``.

    Plain Trio tasks are never the owner; helper tasks that a process starts are that process.
    """

    def __init__(self, operation: str, table: str, owner: Pid, access: TableAccess) -> None:
        super().__init__(f"{operation}: only the owner {owner!r} of {table} may, it is {access}")
        self.operation = operation
        self.owner = owner
        self.access: TableAccess = access


class TableLife(Generic[K, V]):
    """What all handles of one table share.

    ``transfer`` makes the message for whoever gets the table, from the pid it comes from and data.
    """

    __slots__ = (
        "_heir_data",
        "_node",
        "_timer",
        "_transfer",
        "access",
        "heir",
        "kind",
        "name",
        "owner",
        "rows",
        "ttl",
    )

    def __init__(
        self,
        name: str | None,
        kind: TableKind,
        access: TableAccess,
        ttl: float | None,
        transfer: Callable[[TableLife[K, V], Pid, object], object],
    ) -> None:
        owner = require_process("Table")
        self._node = owner.table
        self.name = None if name is None else check_name("name", name)
        _check_one_of("kind", kind, get_args(TableKind))
        _check_one_of("access", access, get_args(TableAccess))
        self.kind: TableKind = kind
        self.access: TableAccess = access
        self.ttl = None if ttl is None else check_seconds("ttl", ttl)
        self.rows: Rows[K, V] = OrderedRows() if kind == "ordered_set" else Rows()
        self.heir: Target | None = None
        self._heir_data: object = None
        self._timer: Deadline | None = None
        self._transfer = transfer
        self.owner: Process | None = owner

    @enable_ki_protection
    def begin(self) -> None:
        """It exists from now on, and has its name."""
        owner = self.alive()
        if self.name is not None:
            holder = self._node.tables.get(self.name)
            if isinstance(holder, TableLife):
                pid = holder.alive().pid
                raise NameTaken(f"name {self.name!r} is that of a table of {pid!r}", self.name, pid)
            self._node.tables[self.name] = self
        owner.claim(self)

    # -- who may do what --------------------------------------------------------------------

    def to_read(self, operation: str) -> Rows[K, V]:
        """The rows there are now, for somebody who may read."""
        owner = self.alive()
        if self.access == "private" and owner is not current_process():
            raise self._denied(operation)
        return self._rows_now()

    def to_write(self, operation: str) -> Rows[K, V]:
        """The rows there are now, for somebody who may write; ``set_timer`` comes after."""
        owner = self.alive()
        if self.access != "public" and owner is not current_process():
            raise self._denied(operation)
        return self._rows_now()

    def owned(self, operation: str) -> Process:
        """The owner, for the owner only."""
        owner = self.alive()
        if owner is not current_process():
            raise self._denied(operation)
        return owner

    def size(self) -> int:
        """How many rows there are now; for everybody, as in OTP."""
        self.alive()
        return len(self._rows_now())

    def _denied(self, operation: str) -> AccessDenied:
        return AccessDenied(operation, repr(self), self.alive().pid, self.access)

    def alive(self) -> Process:
        """The owner; refused in a foreign thread and when the table is gone."""
        if threading.get_ident() != self._node.thread:
            raise NoNode(
                "a table was reached for from a foreign thread, "
                "use trio.from_thread.run or trio.from_thread.run_sync"
            )
        if self.owner is None:
            raise TableNotFound(self.name)
        return self.owner

    # -- time -------------------------------------------------------------------------------

    def end_of(self, ttl: float | None) -> float:
        """When a row ends that is written now with ``ttl``, or with the table's own."""
        seconds = self.ttl if ttl is None else check_seconds("ttl", ttl)
        return math.inf if seconds is None else trio.current_time() + seconds

    @enable_ki_protection
    def set_timer(self) -> None:
        """Let the timer fire no later than the next row ends. It may do so earlier, for nothing."""
        at = self.rows.next_end
        if self._timer is not None:
            if self._timer.at <= at < math.inf:
                return
            self._node.deadlines.cancel(self._timer)
        self._timer = None if at == math.inf else self._node.deadlines.schedule(at, self._fire)

    @enable_ki_protection
    def _rows_now(self) -> Rows[K, V]:
        if self.rows.next_end < math.inf:
            self.rows.expire(trio.current_time())
        return self.rows

    def _fire(self) -> None:
        self._timer = None
        contain(None, self._rows_now)  # keys may be of users' classes, and those may raise
        self.set_timer()

    # -- owners -----------------------------------------------------------------------------

    @enable_ki_protection
    def set_heir(self, heir: Target | None, data: object) -> None:
        """Who gets it when the owner ends, and with which words."""
        if not (heir is None or isinstance(heir, Pid | Address)):
            raise TypeError(
                f"heir: got {heir!r}, allowed are a Pid, a Ref such as named('x') and None"
            )
        self.heir, self._heir_data = heir, data

    @enable_ki_protection
    def give_away(self, target: Target, data: object) -> None:
        """From the owner to another process."""
        owner = self.owned("give_away")
        process = find_process(target)
        if process is None:
            raise ProcessNotFound(target)
        if process is owner:
            raise ValueError(f"target: got {target!r}, allowed is another process than the owner")
        owner.drop_claim(self)
        self._pass_on(process, owner.pid, data)

    def owner_ended(self, process: Process) -> None:
        """To the heir, if there is one, or gone. Must not raise: see ``Claim``."""
        heir = None if self.heir is None else contain(None, find_process, self.heir)
        if heir is None or heir.status == "ended":
            self.end()
        else:
            self._pass_on(heir, process.pid, self._heir_data)

    def _pass_on(self, process: Process, sender: Pid, data: object) -> None:
        self.owner = process
        process.claim(self)
        process.post_system(self._transfer(self, sender, data))

    @enable_ki_protection
    def end(self) -> None:
        """The table is gone, and its name is free."""
        self.alive().drop_claim(self)
        self.owner = self.heir = self._heir_data = None
        if self.name is not None:
            del self._node.tables[self.name]
        self.rows.clear()
        self.set_timer()

    def __repr__(self) -> str:
        name = "" if self.name is None else f" {self.name!r}"
        if self.owner is None:
            return f"<Table{name}, gone>"
        return f"<Table{name}, {self.kind} of {len(self.rows)}>"


def find_table(name: str) -> TableLife[Hashable, object]:
    """The table that has this name now."""
    found = current_table().tables.get(name)
    if not isinstance(found, TableLife):
        raise TableNotFound(name)
    return cast("TableLife[Hashable, object]", found)


def _check_one_of(field: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(
            f"{field}: got {short_repr(value)}, allowed are {', '.join(map(repr, allowed))}"
        )
