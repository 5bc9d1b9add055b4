"""Whole tables, in virtual time, against a dict."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime import Table, TableKind, open_node
from runtime.testing import run_in_virtual_time
from tests.runtime.tables import deadlines_pending, owner_of

TABLE_TTL = 10.0


class Model:
    """What a table does, said with a dict from key to value and end."""

    def __init__(self) -> None:
        self.entries: dict[int, tuple[int, float]] = {}

    def expire(self) -> None:
        now = trio.current_time()
        self.entries = {key: entry for key, entry in self.entries.items() if entry[1] > now}

    def insert(self, key: int, value: int, *, ttl: float | None) -> None:
        self.entries[key] = (value, trio.current_time() + (TABLE_TTL if ttl is None else ttl))

    def insert_new(self, key: int, value: int, *, ttl: float | None) -> bool:
        if key in self.entries:
            return False
        self.insert(key, value, ttl=ttl)
        return True

    def insert_many(self, entries: list[tuple[int, int]], *, ttl: float | None) -> None:
        for key, value in entries:
            self.insert(key, value, ttl=ttl)

    def update_counter(self, key: int, by: int, *, default: int) -> int:
        value, end = self.entries.get(key, (default, trio.current_time() + TABLE_TTL))
        self.entries[key] = (value + by, end)
        return value + by

    def update_element(self, key: int, value: int) -> bool:
        if key not in self.entries:
            return False
        self.entries[key] = (value, self.entries[key][1])
        return True

    def delete(self, key: int) -> bool:
        return self.entries.pop(key, None) is not None

    def take(self, key: int) -> int | None:
        return self.entries.pop(key, (None, 0.0))[0]

    def select_delete(self, predicate: Callable[[int, int], bool]) -> int:
        matching = [key for key, (value, _) in self.entries.items() if predicate(key, value)]
        for key in matching:
            del self.entries[key]
        return len(matching)


def at_least(low: int) -> Callable[[int, int], bool]:
    return lambda key, _value: key >= low


KEYS = st.integers(0, 5)
VALUES = st.integers(-3, 3)
TTL = st.fixed_dictionaries({"ttl": st.sampled_from([None, 1.0, 3.0, 20.0])})
NO_OPTION = st.just(dict[str, Any]())
OPERATIONS: st.SearchStrategy[tuple[str, tuple[Any, ...], dict[str, Any]]] = st.one_of(
    st.tuples(st.sampled_from(["insert", "insert_new"]), st.tuples(KEYS, VALUES), TTL),
    st.tuples(st.just("insert_many"), st.tuples(st.lists(st.tuples(KEYS, VALUES))), TTL),
    st.tuples(st.just("update_counter"), st.tuples(KEYS, VALUES), st.just({"default": 100})),
    st.tuples(st.just("update_element"), st.tuples(KEYS, VALUES), NO_OPTION),
    st.tuples(st.sampled_from(["delete", "take"]), st.tuples(KEYS), NO_OPTION),
    st.tuples(st.just("select_delete"), st.tuples(st.builds(at_least, KEYS)), NO_OPTION),
)
PAUSES = st.sampled_from([0.25, 1.0, 2.5])


@pytest.mark.parametrize("kind", ["set", "ordered_set"])
@settings(max_examples=80, deadline=None, derandomize=True)
@given(steps=st.lists(OPERATIONS | PAUSES, max_size=30))
def test_a_table_does_what_a_dict_with_ends_would(
    kind: TableKind, steps: list[tuple[str, tuple[Any, ...], dict[str, Any]] | float]
) -> None:
    async def compare() -> None:
        async with open_node(instruments=[]):
            table: Table[int, int] = (await owner_of(kind=kind, ttl=TABLE_TTL)).table
            model = Model()
            for step in steps:
                if isinstance(step, tuple):
                    what, args, options = step
                    result: object = getattr(table, what)(*args, **options)
                    assert result == getattr(model, what)(*args, **options)
                else:
                    await trio.sleep(step)
                model.expire()
                compare_entries(table, {key: value for key, (value, _) in model.entries.items()})
                assert deadlines_pending() <= 1
            await trio.sleep(25)
            assert (len(table), deadlines_pending()) == (0, 0)

    def compare_entries(table: Table[int, int], meant: dict[int, int]) -> None:
        assert dict(table.items()) == meant
        assert (len(table), table.info().size) == (len(meant), len(meant))
        assert all(table.lookup(key) == meant.get(key) for key in range(6))
        if kind == "ordered_set":
            inside = [key for key in sorted(meant) if 1 <= key < 4]
            assert [key for key, _ in table.range(1, 4)] == inside

    run_in_virtual_time(compare)
