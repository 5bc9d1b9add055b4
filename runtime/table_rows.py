"""The rows of a table: by key, in order if that is asked for, and until when each is valid.

Plain data: the time is given from outside. Every method either does all of it or, when a key cannot
be taken, raises before anything has changed. ``expire`` comes first in whatever is done with rows,
so that the others never meet one that is over.

When a row ends stands on a heap, and a row that goes earlier leaves a stale entry there; when more
than half of the heap is stale it is made anew, so a row that is written again and again with a
long time to live costs no more than one that is written once.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Hashable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from typing import Generic, TypeVar, cast

from sortedcontainers import SortedList

from runtime.keys import exact_key

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

_COMPACT_ABOVE = 64


class Row(Generic[K, V]):
    """One entry, never changed: another value is another row. ``number`` is 0 if it never ends."""

    __slots__ = ("at", "key", "number", "value")

    def __init__(self, key: K, value: V, at: float, number: int) -> None:
        self.key = key
        self.value = value
        self.at = at
        self.number = number


class Rows(Generic[K, V]):
    """The rows of a ``set``: ``1``, ``1.0`` and ``True`` are three keys."""

    def __init__(self) -> None:
        self._rows: dict[Hashable, Row[K, V]] = {}
        self._ends: list[tuple[float, int, Hashable]] = []  # a heap
        self._last_number = 0
        self._stale = 0

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Row[K, V]]:
        return iter(self._rows.values())

    @property
    def next_end(self) -> float:
        """No row ends before."""
        return self._ends[0][0] if self._ends else math.inf

    def find(self, key: K) -> Row[K, V] | None:
        """The row of a key; ``TypeError`` if that can be none."""
        try:
            return self._rows.get(self._index(key))
        except TypeError as exc:
            raise TypeError(
                f"key: got a {_kind(key)}, allowed is anything hashable: {exc}"
            ) from exc

    def put(self, key: K, value: V, at: float) -> None:
        """Add a row or replace the one of this key; it ends at ``at``."""
        if self.find(key) is None:
            self._admit([key])
        self._write(key, value, at)

    def put_all(self, entries: list[tuple[K, V]], at: float) -> None:
        """``put`` for each, later ones over earlier ones; all of them or none."""
        self._admit([key for key, _ in entries if self.find(key) is None])
        for key, value in entries:
            self._write(key, value, at)

    def change(self, row: Row[K, V], value: V) -> None:
        """Another value for a row that is here; it ends when it would have."""
        self._rows[self._index(row.key)] = Row(row.key, value, row.at, row.number)

    def remove(self, row: Row[K, V]) -> None:
        """Take out a row that is here."""
        self._dismiss(row)
        self._gone(row)

    def remove_all(self, rows: Iterable[Row[K, V]]) -> int:
        """Take out those that are still here; how many that were."""
        here = [row for row in rows if self.find(row.key) is row]
        for row in here:
            self.remove(row)
        return len(here)

    def clear(self) -> None:
        """Take out every row."""
        self._rows.clear()
        self._ends.clear()
        self._stale = 0

    def expire(self, now: float) -> None:
        """Take out the rows that have ended by ``now``."""
        while self._ends and self._ends[0][0] <= now:
            _, number, index = heapq.heappop(self._ends)
            row = self._rows.get(index)
            if row is not None and row.number == number:
                self._dismiss(row)
            else:
                self._stale -= 1

    def _write(self, key: K, value: V, at: float) -> None:
        index = self._index(key)
        old = self._rows.get(index)
        number = 0
        if at < math.inf:
            self._last_number = number = self._last_number + 1
            heapq.heappush(self._ends, (at, number, index))
        self._rows[index] = Row(key, value, at, number)
        if old is not None:
            self._gone(old)

    def _gone(self, row: Row[K, V]) -> None:
        """A row went before its end."""
        if row.number == 0:
            return
        self._stale += 1
        if self._stale > _COMPACT_ABOVE and self._stale * 2 > len(self._ends):
            self._ends = [
                (row.at, row.number, index) for index, row in self._rows.items() if row.number
            ]
            heapq.heapify(self._ends)
            self._stale = 0

    # -- what differs by kind ---------------------------------------------------------------

    def _index(self, key: K) -> Hashable:
        """What the row of a key is found by."""
        return exact_key(key)

    def _admit(self, keys: list[K]) -> None:
        """New keys come; refuse them if not every one can be taken."""

    def _dismiss(self, row: Row[K, V]) -> None:
        del self._rows[self._index(row.key)]


class OrderedRows(Rows[K, V]):
    """The rows of an ``ordered_set``, in the order of their keys: ``1`` and ``1.0`` are one."""

    def __init__(self) -> None:
        super().__init__()
        self._order: SortedList[K] = SortedList()

    def __iter__(self) -> Iterator[Row[K, V]]:
        return (self._rows[key] for key in self._order)

    def edge(self, position: int) -> K | None:
        """The first key (0) or the last (-1)."""
        return self._rows[self._order[position]].key if self._order else None

    def after(self, key: K) -> K | None:
        """The first key greater than this, which need not be here."""
        position = self._position(key, after=True)
        return self._rows[self._order[position]].key if position < len(self._order) else None

    def before(self, key: K) -> K | None:
        """The last key less than this, which need not be here."""
        position = self._position(key, after=False)
        return self._rows[self._order[position - 1]].key if position else None

    def between(self, low: K | None, high: K | None) -> list[Row[K, V]]:
        """The rows from ``low`` to below ``high``; ``None`` is no bound."""
        start = 0 if low is None else self._position(low, after=False)
        stop = None if high is None else self._position(high, after=False)
        return [self._rows[key] for key in self._order.islice(start, stop)]

    def clear(self) -> None:
        """Take out every row."""
        super().clear()
        self._order.clear()

    def _index(self, key: K) -> Hashable:
        return key

    def _admit(self, keys: list[K]) -> None:
        for key in keys:
            self._fit(key)
        if len(keys) == 1:
            self._order.add(keys[0])
        else:
            self._order.update(_in_order(keys))

    def _dismiss(self, row: Row[K, V]) -> None:
        self._order.remove(row.key)
        super()._dismiss(row)

    def _fit(self, key: K) -> None:
        """Refuse a new key that has no place of its own in the order."""
        position = self._position(key, after=False)
        if position < len(self._order):
            other = self._order[position]
            if not _less(key, other):
                raise _no_order(_kind(key), _tie(other))

    def _position(self, key: K, *, after: bool) -> int:
        """How many keys are less than this one; with ``after``, than or equal to it."""
        if _has_no_place(key):
            raise _no_order(_kind(key), "not every two of this kind can be put in order")
        _less(key, key)
        bisect = self._order.bisect_right if after else self._order.bisect_left
        try:
            return bisect(key)
        except TypeError as exc:
            raise _no_order(_kind(key), str(exc)) from exc


def _in_order(keys: list[K]) -> list[K]:
    """New keys in their order, each once; refuse those that have none among themselves."""
    try:
        ordered = sorted(cast("list[float]", keys))
    except TypeError as exc:
        raise _no_order("mixture", str(exc)) from exc
    once = ordered[:1]
    for key in ordered[1:]:
        if _less(once[-1], key):
            once.append(key)
        elif once[-1] != key:
            raise _no_order(_kind(key), _tie(once[-1]))
    return cast("list[K]", once)


def _less(one: object, other: object) -> bool:
    try:
        return bool(cast("float", one) < cast("float", other))
    except TypeError as exc:
        raise _no_order(_kind(one), str(exc)) from exc


def _has_no_place(key: object) -> bool:
    """Sets, which ``<`` puts in no order, and what is not equal to itself, as ``nan``."""
    if isinstance(key, tuple):
        return any(map(_has_no_place, cast("tuple[object, ...]", key)))
    return isinstance(key, AbstractSet) or key != key


def _no_order(kind: str, why: str) -> TypeError:
    return TypeError(
        f"key: got a {kind}, allowed in an ordered_set are keys that can all be compared "
        f"by <, of one type say; kind='set' takes anything hashable: {why}"
    )


def _tie(other: object) -> str:
    return f"neither is less, this one and a {_kind(other)}, nor are they equal"


def _kind(key: object) -> str:
    """A key is named by its class: what it says may be nobody else's business."""
    return type(key).__name__
