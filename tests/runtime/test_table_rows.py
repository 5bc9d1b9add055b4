"""The rows of a table as data, against a model: a dict, a sorted list, and a clock that is told."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from runtime.table_rows import OrderedRows, Rows

NEVER = math.inf
KEYS = st.integers(0, 12)
NUMBERS = KEYS | KEYS.map(float) | st.booleans()
TTLS = st.sampled_from([0.0, 1.0, 2.0, 5.0, 50.0, NEVER])


def check_count_of_stale(rows: Rows[Any, Any]) -> None:
    """Every end on the heap is that of a row, or counted as stale."""
    assert rows._stale == len(rows._ends) - sum(row.at < NEVER for row in rows)


class Model(RuleBasedStateMachine):
    """What rows do, said with a dict from key to value and end."""

    @initialize()
    def begin(self) -> None:
        self.rows: Rows[Any, Any] = self.make()
        self.entries: dict[Any, tuple[Any, Any, float]] = {}
        self.now = 0.0
        self.count = 0

    def make(self) -> Rows[Any, Any]:
        return Rows()

    def exact(self, key: Any) -> Any:
        return type(key), key

    def value(self) -> int:
        self.count += 1
        return self.count

    @rule(key=NUMBERS, ttl=TTLS)
    def put(self, key: Any, ttl: float) -> None:
        value = self.value()
        self.rows.put(key, value, self.now + ttl)
        self.entries[self.exact(key)] = (key, value, self.now + ttl)

    @rule(keys=st.lists(NUMBERS, max_size=6), ttl=TTLS)
    def put_all(self, keys: list[Any], ttl: float) -> None:
        pairs = [(key, self.value()) for key in keys]
        self.rows.put_all(pairs, self.now + ttl)
        for key, value in pairs:
            self.entries[self.exact(key)] = (key, value, self.now + ttl)

    @rule(key=NUMBERS)
    def change(self, key: Any) -> None:
        row = self.rows.find(key)
        if row is not None:
            value = self.value()
            self.rows.change(row, value)
            old, _, at = self.entries[self.exact(key)]
            self.entries[self.exact(key)] = (old, value, at)

    @rule(key=NUMBERS)
    def remove(self, key: Any) -> None:
        row = self.rows.find(key)
        assert (row is not None) == (self.exact(key) in self.entries)
        if row is not None:
            self.rows.remove(row)
            del self.entries[self.exact(key)]

    @rule(odd=st.booleans())
    def remove_some(self, odd: bool) -> None:
        some = [row for row in self.rows if row.value % 2 == odd]
        assert self.rows.remove_all(some) == len(some)
        assert self.rows.remove_all(some) == 0
        self.entries = {k: entry for k, entry in self.entries.items() if entry[1] % 2 != odd}

    @rule()
    def clear(self) -> None:
        self.rows.clear()
        self.entries.clear()

    @rule(seconds=st.sampled_from([0.5, 1.0, 10.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @invariant()
    def both_say_the_same(self) -> None:
        if not hasattr(self, "rows"):
            return
        self.rows.expire(self.now)
        self.entries = {k: entry for k, entry in self.entries.items() if entry[2] > self.now}
        said = [(type(row.key), row.key, row.value, row.at) for row in self.rows]
        meant = [(type(key), key, value, at) for key, value, at in self.entries.values()]
        assert sorted(said, key=repr) == sorted(meant, key=repr)
        assert len(self.rows) == len(self.entries)
        ends = [at for _, _, at in self.entries.values()]
        assert self.now < self.rows.next_end <= min(ends, default=NEVER)
        check_count_of_stale(self.rows)


class OrderedModel(Model):
    """The same with keys in order: those that compare equal are one."""

    def make(self) -> Rows[Any, Any]:
        self.ordered: OrderedRows[Any, Any] = OrderedRows()
        return self.ordered

    def exact(self, key: Any) -> Any:
        return key

    @rule(key=NUMBERS, high=NUMBERS)
    def order(self, key: Any, high: Any) -> None:
        keys = sorted(self.entries)
        above = [one for one in keys if one > key]
        below = [one for one in keys if one < key]
        assert self.ordered.after(key) == (above[0] if above else None)
        assert self.ordered.before(key) == (below[-1] if below else None)
        assert self.ordered.edge(0) == (keys[0] if keys else None)
        assert self.ordered.edge(-1) == (keys[-1] if keys else None)
        between = [row.key for row in self.ordered.between(key, high)]
        assert between == [one for one in keys if key <= one < high]

    @invariant()
    def in_order(self) -> None:
        if hasattr(self, "rows"):
            assert [row.key for row in self.rows] == sorted(self.entries)


STEPS = settings(max_examples=60, stateful_step_count=40, deadline=None, derandomize=True)
TestRowsAgainstADict = Model.TestCase
TestRowsAgainstADict.settings = STEPS
TestRowsAgainstASortedList = OrderedModel.TestCase
TestRowsAgainstASortedList.settings = STEPS


@pytest.mark.parametrize("kind", [Rows, OrderedRows])
def test_rows_that_are_written_again_leave_no_more_than_a_few_ends(
    kind: type[Rows[int, int]],
) -> None:
    rows = kind()
    for number in range(20_000):
        rows.put(number % 50, number, 1000.0 + number)
    assert len(rows._ends) <= 2 * 64 + 50
    rows.expire(20_949.0)
    assert len(rows) == 50
    rows.expire(20_950.0)
    assert [row.value for row in rows] == list(range(19_951, 20_000))
    assert rows.next_end == 20_951.0
    check_count_of_stale(rows)


@pytest.mark.parametrize("kind", [Rows, OrderedRows])
def test_rows_that_are_deleted_leave_no_more_than_a_few_ends(kind: type[Rows[int, int]]) -> None:
    rows = kind()
    for number in range(20_000):
        rows.put(number, number, 1e9)
        row = rows.find(number)
        assert row is not None
        rows.remove(row)
    assert len(rows) == 0
    assert len(rows._ends) <= 2 * 64
    check_count_of_stale(rows)


@pytest.mark.parametrize(("size", "again"), [(1, 10), (1000, 100)])
def test_the_heap_is_not_made_anew_for_a_few_stale_ends(size: int, again: int) -> None:
    """Neither for a few, nor for less than half: that would cost more than it frees."""
    rows: Rows[int, int] = Rows()
    for number in range(size):
        rows.put(number, number, 1e9)
    for _ in range(again):
        rows.put(0, 0, 1e9)
    assert len(rows._ends) == size + again


def test_many_keys_that_fit_nowhere_leave_the_rows_as_they_were() -> None:
    rows: OrderedRows[Any, int] = OrderedRows()
    rows.put(1, 1, NEVER)
    for keys in ([2, "a"], [2, None], ["a"], [2, frozenset[int]()]):
        with pytest.raises(TypeError, match=r"^key: got a \w+, allowed in an ordered_set are"):
            rows.put_all([(key, 0) for key in keys], NEVER)
        assert [row.key for row in rows] == [1]
