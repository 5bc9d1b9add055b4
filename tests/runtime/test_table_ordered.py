"""An ``ordered_set``: keys in their order, and keys that have none."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from decimal import Decimal
from functools import total_ordering
from typing import Any

import pytest

from runtime import Node, Table
from tests.runtime.tables import a_table


async def numbers(node: Node, *keys: Any) -> Table[Any, Any]:
    table = await a_table(kind="ordered_set")
    table.insert_many({key: str(key) for key in keys})
    return table


async def test_entries_are_in_the_order_of_their_keys(node: Node) -> None:
    table = await numbers(node, 5, 1, 3)
    table.insert(2, "2")
    table.delete(3)
    assert table.items() == [(1, "1"), (2, "2"), (5, "5")]
    assert table.select(lambda key, _value: key != 2) == [(1, "1"), (5, "5")]


async def test_first_and_last_are_the_edges(node: Node) -> None:
    table = await numbers(node)
    assert (table.first(), table.last()) == (None, None)
    table.insert_many(dict.fromkeys((5, 1, 3)))
    assert (table.first(), table.last()) == (1, 5)


async def test_next_and_prev_go_from_key_to_key_and_over_gaps(node: Node) -> None:
    table = await numbers(node, 1, 3, 5)
    assert [table.next(key) for key in (0, 1, 2, 3, 4, 5, 6)] == [1, 3, 3, 5, 5, None, None]
    assert [table.prev(key) for key in (0, 1, 2, 3, 4, 5, 6)] == [None, None, 1, 1, 3, 3, 5]


async def test_a_walk_by_next_survives_the_loss_of_the_key_it_stands_on(node: Node) -> None:
    table = await numbers(node, *range(10))
    walked: list[int] = []
    key = table.first()
    while key is not None:
        walked.append(key)
        table.delete(key)
        table.delete(key + 1)
        key = table.next(key)
    assert walked == [0, 2, 4, 6, 8]


async def test_a_range_is_from_low_to_below_high(node: Node) -> None:
    table = await numbers(node, 1, 3, 5, 7)

    def keys(*bounds: Any) -> list[int]:
        return [key for key, _ in table.range(*bounds)]

    assert keys() == [1, 3, 5, 7]
    assert keys(3) == [3, 5, 7]
    assert keys(2, 6) == [3, 5]
    assert keys(3, 7) == [3, 5]
    assert keys(None, 3) == [1]
    assert keys(8) == keys(None, 1) == keys(4, 4) == keys(6, 2) == []
    assert table.range(3, 4) == [(3, "3")]


async def test_keys_that_compare_equal_are_one_the_last_one_written(node: Node) -> None:
    table = await numbers(node, 1, 2)
    table.insert(1.0, "float")
    assert table.lookup(1) == table.lookup(True) == "float"
    assert [(type(key), value) for key, value in table.items()] == [(float, "float"), (int, "2")]
    assert type(table.first()) is type(table.prev(2)) is float
    assert not table.insert_new(True, "bool")
    table.delete(1)
    assert table.items() == [(2, "2")]


@pytest.mark.parametrize(
    "keys",
    [
        [2, 1.5, True, Decimal("1.7")],
        ["b", "a", ""],
        [(1, "b"), (1, "a"), (0, "z"), (0,)],
        [b"b", b"a"],
        [dt.date(2025, 1, 2), dt.date(2024, 1, 2)],
        [math.inf, -math.inf, 0],
    ],
    ids=["numbers", "strings", "tuples", "bytes", "dates", "infinities"],
)
async def test_keys_of_one_kind_are_put_in_order(node: Node, keys: list[Any]) -> None:
    table = await numbers(node, *keys)
    assert [key for key, _ in table.items()] == sorted(keys)


class Rank:
    """Ordered by a number, equal only to itself."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __lt__(self, other: Rank) -> bool:
        return self.number < other.number


async def test_a_place_in_the_order_is_that_of_one_key(node: Node) -> None:
    table = await numbers(node, Rank(1), Rank(2))
    with pytest.raises(
        TypeError, match=r"neither is less, this one and a Rank, nor are they equal$"
    ):
        table.insert(Rank(1), "again")
    assert [key.number for key, _ in table.items()] == [1, 2]


TAUGHT = (
    r"^key: got a {kind}, allowed in an ordered_set are keys that can all be compared by <, "
    r"of one type say; kind='set' takes anything hashable: "
)


@pytest.mark.parametrize(
    ("there", "key"),
    [
        ([1], "a"),
        (["a"], 1),
        ([1], None),
        ([], None),
        ([], 1j),
        pytest.param([], object(), id="an object"),
        ([], math.nan),
        ([], (1, math.nan)),
        ([1], Decimal("nan")),
        ([], frozenset({1})),
        ([(1, 2)], (1, "a")),
        ([dt.datetime(2025, 1, 1)], dt.datetime(2025, 1, 1, tzinfo=dt.UTC)),
    ],
    ids=repr,
)
async def test_a_key_without_a_place_is_refused_and_changes_nothing(
    node: Node, there: list[Any], key: Any
) -> None:
    table = await numbers(node, *there)
    taught = TAUGHT.format(kind=type(key).__name__)
    operations: list[Callable[[], object]] = [
        lambda: table.insert(key, 1),
        lambda: table.insert_new(key, 1),
        lambda: table.update_counter(key),
        lambda: table.insert_many([*((other, "new") for other in there), (key, 1)]),
        lambda: table.insert_many([(key, 1), (key, 2)]),
    ]
    for operation in operations:
        with pytest.raises(TypeError, match=taught):
            operation()
    assert table.items() == [(other, str(other)) for other in there]
    assert key not in table
    assert not table.delete(key)


async def test_keys_that_fit_the_table_and_not_each_other_are_refused_together(
    node: Node,
) -> None:
    table = await numbers(node)
    with pytest.raises(TypeError, match=TAUGHT.format(kind="mixture")):
        table.insert_many([(1, 1), ("a", 1)])
    with pytest.raises(TypeError, match=TAUGHT.format(kind="Rank")):
        table.insert_many([(Rank(1), 1), (Rank(1), 1)])
    assert table.items() == []
    assert table.first() is None


@pytest.mark.parametrize("operation", ["next", "prev", "range"])
@pytest.mark.parametrize("key", ["a", math.nan], ids=repr)
async def test_the_order_is_asked_about_keys_that_have_a_place_only(
    node: Node, operation: str, key: Any
) -> None:
    table = await numbers(node, 1, 2)
    with pytest.raises(TypeError, match=TAUGHT.format(kind=type(key).__name__)):
        getattr(table, operation)(key)


@pytest.mark.parametrize(
    "operation",
    [
        lambda table: table.first(),
        lambda table: table.last(),
        lambda table: table.next(1),
        lambda table: table.prev(1),
        lambda table: table.range(),
    ],
    ids=["first", "last", "next", "prev", "range"],
)
async def test_a_set_has_no_order(node: Node, operation: Callable[[Table[Any, Any]], Any]) -> None:
    table = await a_table()
    with pytest.raises(
        TypeError,
        match=r"^\w+: got <Table, set of 0>, allowed is a table of kind='ordered_set'$",
    ):
        operation(table)


@total_ordering
class Moody:
    """A key whose comparison raises when it is told to."""

    raising = False

    def __init__(self, number: int) -> None:
        self.number = number

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Moody) and other.number == self.number

    def __hash__(self) -> int:
        return hash(self.number)

    def __lt__(self, other: Moody) -> bool:
        if Moody.raising:
            raise OSError("not today")
        return self.number < other.number


async def test_what_a_comparison_raises_comes_out_and_nothing_has_changed(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = await numbers(node)
    table.insert_many({Moody(number): number for number in (1, 2, 3)})
    monkeypatch.setattr(Moody, "raising", True)
    for operation in (table.insert, table.insert_new):
        with pytest.raises(OSError, match="not today"):
            operation(Moody(5), 5)
    for remove in (table.delete, table.take):
        with pytest.raises(OSError, match="not today"):
            remove(Moody(2))
    monkeypatch.setattr(Moody, "raising", False)
    assert [value for _, value in table.items()] == [1, 2, 3]
