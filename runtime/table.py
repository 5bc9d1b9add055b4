"""Table: state that many read without a message. OTP: ``ets``.

The choice: a plain object with plain functions. All processes of a node live in one thread and no
operation awaits, so each is atomic without a lock, and a read costs a dict lookup instead of two
task switches. What is kept of ETS is what makes it more than a dict: one owner, whose end is the
table's end, an heir, and who may write. The cost: values are not copied, so a mutable value is
shared by everybody who has looked it up; keep values that nobody changes. What would change our
mind: processes of one node in several threads.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Generic, TypeVar, cast, overload

import msgspec
from trio.lowlevel import enable_ki_protection

from runtime.containment import short_repr
from runtime.current import Target
from runtime.errors import NoNode
from runtime.messages import SystemInfo
from runtime.pid import Pid
from runtime.process_table import check_name
from runtime.table_life import TableAccess, TableKind, TableLife, TableNotFound, find_table
from runtime.table_rows import OrderedRows, Row

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
D = TypeVar("D")


class TableInfo(msgspec.Struct, frozen=True):
    """What a table says of itself. OTP: ``ets:info/1``. ``size`` is the number of entries."""

    name: str | None
    kind: TableKind
    access: TableAccess
    owner: Pid
    heir: Target | None
    ttl: float | None
    size: int


class TableTransfer(SystemInfo, Generic[K, V], frozen=True):
    """You own ``table`` now. OTP: ``{'ETS-TRANSFER', Tab, FromPid, Data}``.

    ``from_pid`` owned it until it gave it away or ended; ``data`` is what was said with it. Like a
    ``Down`` it counts for no mailbox limit.
    """

    table: Table[K, V]
    from_pid: Pid
    data: object


class Table(Generic[K, V]):
    """Entries by key, for a process to write and for everybody to read. OTP: ``ets:new``.

    ``Table[str, Session]("sessions", ttl=3600.0)`` makes one; the process that does is its owner
    (``OutsideProcess`` in a plain task). Every operation is a plain call, without a message, from
    any process or task of the node, and atomic. The table is gone when its owner has ended, before
    anybody hears of that; ``heir`` gets it instead if it is alive then, and with it a
    ``TableTransfer``.

    - ``name``: for ``Table.named``; one table of a node has it (``NameTaken``).
    - ``kind``: in a ``set`` the keys ``1``, ``1.0`` and ``True`` are three; an ``ordered_set``
      keeps its keys in order, so that all of them must compare by ``<``, and there they are one.
    - ``access``: ``private`` is for the owner, ``protected`` for others to read, ``public`` for
      all to write. What is refused raises ``AccessDenied``.
    - ``ttl``: seconds after which an entry is gone that says nothing else. An entry whose time is
      over is never seen again, and one timer frees its memory.

    Operations raise ``TableNotFound`` when the table is gone, ``NoNode`` in a foreign thread and
    ``TypeError`` for a key that can be none. ``len`` and ``in`` work; values are not copied.
    """

    __slots__ = ("_where",)

    def __init__(
        self,
        name: str | None = None,
        *,
        kind: TableKind = "set",
        access: TableAccess = "protected",
        heir: Target | None = None,
        ttl: float | None = None,
    ) -> None:
        life: TableLife[K, V] = TableLife(name, kind, access, ttl, _transfer)
        life.set_heir(heir, None)
        life.begin()
        self._where: TableLife[K, V] | str = life

    @classmethod
    def named(cls, name: str) -> Table[K, V]:
        """The table of that name, looked up at each use, so that it follows restarts.

        What it holds is yours to say: ``Table[str, Session].named("sessions")``.
        """
        return cls._at(check_name("name", name))

    @classmethod
    def _at(cls, where: TableLife[K, V] | str) -> Table[K, V]:
        handle = cls.__new__(cls)
        handle._where = where
        return handle

    # -- reading ----------------------------------------------------------------------------

    @overload
    def lookup(self, key: K) -> V | None: ...
    @overload
    def lookup(self, key: K, default: D) -> V | D: ...

    def lookup(self, key: K, default: object = None) -> object:
        """The value of a key, or ``default``. OTP: ``ets:lookup``, ``lookup_element``."""
        row = self._found.to_read("lookup").find(key)
        return default if row is None else row.value

    def member(self, key: K) -> bool:
        """Whether there is an entry; also ``key in table``. OTP: ``ets:member``."""
        return self._found.to_read("member").find(key) is not None

    def __contains__(self, key: K) -> bool:
        return self.member(key)

    def __len__(self) -> int:
        return self._found.size()

    def items(self) -> list[tuple[K, V]]:
        """All entries as they are now, an ``ordered_set``'s in order. OTP: ``ets:tab2list``."""
        return [(row.key, row.value) for row in self._found.to_read("items")]

    def select(self, predicate: Callable[[K, V], bool]) -> list[tuple[K, V]]:
        """The entries for which ``predicate(key, value)`` is true. OTP: ``ets:select``.

        It is asked of the entries there are when ``select`` begins, whatever it does to the table.
        """
        rows = list(self._found.to_read("select"))
        return [(row.key, row.value) for row in _matching(rows, predicate)]

    def info(self) -> TableInfo:
        """What kind of table it is, whose, how full; for everybody. OTP: ``ets:info``."""
        life = self._found
        owner = life.alive()
        return TableInfo(
            life.name, life.kind, life.access, owner.pid, life.heir, life.ttl, life.size()
        )

    # -- reading in order -------------------------------------------------------------------

    def first(self) -> K | None:
        """The first key of an ``ordered_set``, ``None`` if it is empty. OTP: ``ets:first``."""
        return self._ordered("first").edge(0)

    def last(self) -> K | None:
        """The last key of an ``ordered_set``, ``None`` if it is empty. OTP: ``ets:last``."""
        return self._ordered("last").edge(-1)

    def next(self, key: K) -> K | None:
        """The first key greater than ``key``, which need not be there. OTP: ``ets:next``."""
        return self._ordered("next").after(key)

    def prev(self, key: K) -> K | None:
        """The last key less than ``key``, which need not be there. OTP: ``ets:prev``."""
        return self._ordered("prev").before(key)

    def range(self, low: K | None = None, high: K | None = None) -> list[tuple[K, V]]:
        """The entries from ``low`` to below ``high``, in order; ``None`` is no bound."""
        rows = self._ordered("range").between(low, high)
        return [(row.key, row.value) for row in rows]

    # -- writing ----------------------------------------------------------------------------

    @enable_ki_protection
    def insert(self, key: K, value: V, *, ttl: float | None = None) -> None:
        """Add an entry or replace the one of this key. OTP: ``ets:insert``.

        Its time begins anew: ``ttl`` seconds, by default the table's; ``math.inf`` is no end.
        """
        life = self._found
        life.to_write("insert").put(key, value, life.end_of(ttl))
        life.set_timer()

    @enable_ki_protection
    def insert_new(self, key: K, value: V, *, ttl: float | None = None) -> bool:
        """``insert``, unless there is one of this key; whether it did. OTP: ``ets:insert_new``."""
        life = self._found
        rows = life.to_write("insert_new")
        end = life.end_of(ttl)
        if rows.find(key) is not None:
            return False
        rows.put(key, value, end)
        life.set_timer()
        return True

    def insert_many(
        self, entries: Mapping[K, V] | Iterable[tuple[K, V]], *, ttl: float | None = None
    ) -> None:
        """``insert`` all of them, or none if one cannot be. OTP: ``ets:insert`` of a list."""
        given: object = entries
        if isinstance(given, Mapping):
            given = cast("Mapping[K, V]", given).items()
        pairs = list(cast("Iterable[tuple[K, V]]", given))
        for pair in pairs:
            if not isinstance(pair, tuple) or len(pair) != 2:
                raise TypeError(
                    f"entries: got a {type(pair).__name__} among them, "
                    "allowed are (key, value) tuples, or a mapping"
                )
        self._insert_all(pairs, ttl)

    @enable_ki_protection
    def _insert_all(self, pairs: list[tuple[K, V]], ttl: float | None) -> None:
        life = self._found
        life.to_write("insert_many").put_all(pairs, life.end_of(ttl))
        life.set_timer()

    @enable_ki_protection
    def update_element(self, key: K, value: V) -> bool:
        """Give an entry another value and leave its time as it is. OTP: ``ets:update_element``.

        Whether there is such an entry. What the value is made of may be looked up just before:
        nothing comes between two operations without an ``await`` between them.
        """
        rows = self._found.to_write("update_element")
        row = rows.find(key)
        if row is not None:
            rows.change(row, value)
        return row is not None

    @enable_ki_protection
    def update_counter(self: Table[K, int], key: K, by: int = 1, *, default: int = 0) -> int:
        """Add ``by`` to the entry, which must be an int, and return what it is now.

        OTP: ``ets:update_counter``. Where there is none it begins with ``default``, for the table's
        ``ttl``; otherwise the entry's time is left as it is.
        """
        _check_int("by", by)
        _check_int("default", default)
        life = self._found
        rows = life.to_write("update_counter")
        row = rows.find(key)
        if row is None:
            rows.put(key, default + by, life.end_of(None))
            life.set_timer()
            return default + by
        _check_int("the entry", row.value)
        rows.change(row, row.value + by)
        return row.value + by

    @enable_ki_protection
    def delete(self, key: K) -> bool:
        """Take an entry out; whether there was one. OTP: ``ets:delete/2``."""
        rows = self._found.to_write("delete")
        row = rows.find(key)
        if row is not None:
            rows.remove(row)
        return row is not None

    @overload
    def take(self, key: K) -> V | None: ...
    @overload
    def take(self, key: K, default: D) -> V | D: ...

    @enable_ki_protection
    def take(self, key: K, default: object = None) -> object:
        """Take an entry out and return its value, or ``default``. OTP: ``ets:take``."""
        rows = self._found.to_write("take")
        row = rows.find(key)
        if row is None:
            return default
        rows.remove(row)
        return row.value

    def select_delete(self, predicate: Callable[[K, V], bool]) -> int:
        """Take out what ``select`` would find; how many that were. OTP: ``ets:select_delete``.

        All at once after the last was asked about, so that a ``predicate`` which raises leaves
        everything; an entry that it has itself replaced stays.
        """
        rows = list(self._found.to_write("select_delete"))
        return self._delete_these(list(_matching(rows, predicate)))

    @enable_ki_protection
    def _delete_these(self, rows: list[Row[K, V]]) -> int:
        return self._found.to_write("select_delete").remove_all(rows)

    @enable_ki_protection
    def delete_all(self) -> None:
        """Take out every entry. OTP: ``ets:delete_all_objects``."""
        life = self._found
        life.to_write("delete_all").clear()
        life.set_timer()

    # -- owners -----------------------------------------------------------------------------

    def set_heir(self, target: Target | None, data: object = None) -> None:
        """Let ``target`` own the table when its owner has ended, if it is alive then.

        Only for the owner. A name is looked up at that moment; ``None`` takes the heir away.
        ``data`` comes with the ``TableTransfer``. OTP: ``ets:setopts`` with ``heir``.
        """
        life = self._found
        life.owned("set_heir")
        life.set_heir(target, data)

    def give_away(self, target: Target, data: object = None) -> None:
        """Make another process the owner, which gets a ``TableTransfer``. OTP: ``ets:give_away``.

        Only for the owner. ``ProcessNotFound`` if nobody is there; the heir stays as it is.
        """
        self._found.give_away(target, data)

    def delete_table(self) -> None:
        """Delete the table itself; for those who may write. OTP: ``ets:delete/1``."""
        life = self._found
        life.to_write("delete_table")
        life.end()

    # -- the handle -------------------------------------------------------------------------

    @property
    def _found(self) -> TableLife[K, V]:
        where = self._where
        return cast("TableLife[K, V]", find_table(where)) if isinstance(where, str) else where

    def _ordered(self, operation: str) -> OrderedRows[K, V]:
        rows = self._found.to_read(operation)
        if not isinstance(rows, OrderedRows):
            raise TypeError(f"{operation}: got {self!r}, allowed is a table of kind='ordered_set'")
        return rows

    def __repr__(self) -> str:
        try:
            return repr(self._found)
        except (TableNotFound, NoNode):
            return f"<Table {self._where!r}, not found here>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Table):
            return False
        return cast("Table[Hashable, object]", other)._where == self._where

    def __hash__(self) -> int:
        return hash(self._where)


def _transfer(life: TableLife[K, V], sender: Pid, data: object) -> TableTransfer[K, V]:
    return TableTransfer(Table[K, V]._at(life), sender, data)


def _matching(rows: list[Row[K, V]], predicate: Callable[[K, V], bool]) -> Iterable[Row[K, V]]:
    if not callable(predicate) or inspect.iscoroutinefunction(predicate):
        raise TypeError(
            f"predicate: got {short_repr(predicate)}, allowed is a plain function of key and value"
        )
    return (row for row in rows if predicate(row.key, row.value))


def _check_int(field: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{field}: got a {type(value).__name__}, allowed is an int")
