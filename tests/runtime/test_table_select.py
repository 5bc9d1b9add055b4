"""Selecting entries of a table, and what the predicate does meanwhile."""

from __future__ import annotations

from typing import Any

import pytest

from runtime import Node, TableNotFound
from tests.runtime.tables import a_table


async def test_select_finds_the_entries_that_match(node: Node) -> None:
    table = await a_table()
    table.insert_many({number: str(number) for number in range(6)})
    assert table.select(lambda key, _value: key > 3) == [(4, "4"), (5, "5")]
    assert table.select(lambda _key, value: value == "2") == [(2, "2")]


async def test_select_delete_takes_out_what_matches_and_counts_it(node: Node) -> None:
    table = await a_table()
    table.insert_many({number: str(number) for number in range(6)})
    assert table.select_delete(lambda key, _value: key > 1) == 4
    assert table.items() == [(0, "0"), (1, "1")]
    assert table.select_delete(lambda _key, _value: False) == 0


@pytest.mark.parametrize("operation", ["select", "select_delete"])
async def test_a_predicate_that_raises_leaves_everything(node: Node, operation: str) -> None:
    table = await a_table()
    table.insert_many({number: number for number in range(4)})

    def fails_late(key: int, _value: int) -> bool:
        return 1 // (2 - key) > 0

    with pytest.raises(ZeroDivisionError):
        getattr(table, operation)(fails_late)
    assert len(table) == 4


@pytest.mark.parametrize("kind", ["set", "ordered_set"])
async def test_a_predicate_may_change_the_table(node: Node, kind: Any) -> None:
    table = await a_table(kind=kind)
    table.insert_many({number: number for number in range(4)})

    def busy(key: int, _value: int) -> bool:
        table.insert(key + 100, key)
        table.delete(3)
        return True

    assert table.select(busy) == [(0, 0), (1, 1), (2, 2), (3, 3)]
    assert sorted(key for key, _ in table.items()) == [0, 1, 2, 100, 101, 102, 103]


async def test_what_a_predicate_has_replaced_itself_stays(node: Node) -> None:
    table = await a_table()
    table.insert_many({"gone": 0, "written": 0, "updated": 0, "counted": 0, "deleted": 0})

    def busy(key: str, _value: int) -> bool:
        if key == "written":
            table.insert(key, 1)
        elif key == "updated":
            table.update_element(key, 1)
        elif key == "counted":
            table.update_counter(key)
        elif key == "deleted":
            table.delete(key)
        return True

    assert table.select_delete(busy) == 1
    assert table.items() == [("written", 1), ("updated", 1), ("counted", 1)]


async def test_a_predicate_that_deletes_the_table_has_no_table(node: Node) -> None:
    table = await a_table()
    table.insert("a", 1)

    def destroys(_key: str, _value: int) -> bool:
        table.delete_table()
        return True

    with pytest.raises(TableNotFound):
        table.select_delete(destroys)


async def a_coroutine(_key: object, _value: object) -> bool:
    return True


@pytest.mark.parametrize("operation", ["select", "select_delete"])
@pytest.mark.parametrize("predicate", [None, "a", a_coroutine])
async def test_what_is_no_plain_function_is_refused(
    node: Node, operation: str, predicate: object
) -> None:
    table = await a_table()
    with pytest.raises(TypeError, match=r"^predicate: got .*, allowed is a plain function"):
        getattr(table, operation)(predicate)
