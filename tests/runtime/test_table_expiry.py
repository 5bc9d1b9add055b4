"""Entries whose time is over: never seen again, and freed by one timer."""

from __future__ import annotations

import gc
import math
import weakref
from collections.abc import Callable
from typing import Any

import pytest
import trio

from runtime import Node, Table, kill, wait_exit
from tests.runtime.tables import a_table, deadlines_pending, owner_of

KINDS = pytest.mark.parametrize("kind", ["set", "ordered_set"])


class Value:
    """Something whose memory can be watched."""


@KINDS
async def test_an_entry_is_there_until_its_time_is_over(node: Node, kind: Any) -> None:
    table = await a_table(kind=kind, ttl=10)
    table.insert("a", 1)
    await trio.sleep(9.999)
    assert table.lookup("a") == 1
    await trio.sleep(0.001)
    assert table.lookup("a") is None


async def test_an_entry_has_its_own_time_or_the_tables(node: Node) -> None:
    table = await a_table(ttl=10)
    table.insert("table's", 1)
    table.insert("shorter", 1, ttl=5)
    table.insert_new("longer", 1, ttl=20)
    table.insert_many({"for ever": 1}, ttl=math.inf)
    seen: list[list[str]] = []
    for _ in range(4):
        await trio.sleep(6)
        seen.append([key for key, _ in table.items()])
    assert seen == [
        ["table's", "longer", "for ever"],
        ["longer", "for ever"],
        ["longer", "for ever"],
        ["for ever"],
    ]


async def test_without_a_ttl_an_entry_stays(node: Node) -> None:
    table = await a_table()
    table.insert("a", 1)
    table.insert("b", 1, ttl=1e300)
    await trio.sleep(80_000)
    assert len(table) == 2


async def test_inserting_again_begins_the_time_anew(node: Node) -> None:
    table = await a_table(ttl=10)
    table.insert("a", 1)
    await trio.sleep(8)
    table.insert("a", 2)
    await trio.sleep(8)
    assert table.lookup("a") == 2
    table.insert("a", 3, ttl=1)
    await trio.sleep(1)
    assert table.lookup("a") is None
    table.insert("a", 4, ttl=1)
    table.insert("a", 5, ttl=math.inf)
    await trio.sleep(100)
    assert table.lookup("a") == 5


@pytest.mark.parametrize("change", ["update_counter", "update_element"])
async def test_changing_a_value_leaves_its_time_as_it_is(node: Node, change: str) -> None:
    table = await a_table(ttl=10)
    table.insert("a", 1)
    table.insert("for ever", 1, ttl=math.inf)
    await trio.sleep(8)
    getattr(table, change)("a", 5)
    getattr(table, change)("for ever", 5)
    await trio.sleep(2)
    assert [key for key, _ in table.items()] == ["for ever"]


async def test_a_new_counter_has_the_tables_time(node: Node) -> None:
    table = await a_table(ttl=10)
    table.update_counter("a")
    await trio.sleep(10)
    assert table.update_counter("a") == 1


async def test_no_time_at_all_is_over_at_once(node: Node) -> None:
    table = await a_table()
    table.insert("a", 1)
    table.insert("a", 2, ttl=0)
    assert table.items() == []


SEES_NOTHING: dict[str, Callable[[Table[Any, Any]], bool]] = {
    "lookup": lambda table: table.lookup(1) is None,
    "member": lambda table: not table.member(1),
    "in": lambda table: 1 not in table,
    "len": lambda table: len(table) == 0,
    "items": lambda table: table.items() == [],
    "select": lambda table: table.select(lambda *_: True) == [],
    "info": lambda table: table.info().size == 0,
    "first": lambda table: table.first() is None,
    "last": lambda table: table.last() is None,
    "next": lambda table: table.next(0) is None,
    "prev": lambda table: table.prev(2) is None,
    "range": lambda table: table.range() == [],
    "insert_new": lambda table: table.insert_new(1, "new"),
    "update_element": lambda table: not table.update_element(1, "new"),
    "update_counter": lambda table: table.update_counter(1) == 1,
    "delete": lambda table: not table.delete(1),
    "take": lambda table: table.take(1) is None,
    "select_delete": lambda table: table.select_delete(lambda *_: True) == 0,
}


@pytest.mark.parametrize("operation", SEES_NOTHING)
async def test_an_entry_whose_time_is_over_is_seen_by_nothing(node: Node, operation: str) -> None:
    """Also before the timer, which runs in another task, has come to it."""
    table = await a_table(kind="ordered_set")
    table.insert(1, 100, ttl=0)
    assert SEES_NOTHING[operation](table)


@KINDS
async def test_memory_is_freed_without_anybody_asking(node: Node, kind: Any) -> None:
    table = await a_table(kind=kind)
    for number in range(3):
        table.insert(number, Value(), ttl=number + 1)
    freed = [weakref.ref(table.lookup(number)) for number in range(3)]
    await trio.sleep(2.5)
    gc.collect()
    assert [ref() is None for ref in freed] == [True, True, False]


async def test_a_table_has_one_timer_at_most(node: Node) -> None:
    before = deadlines_pending()
    table = await a_table()
    for number in range(100):
        table.insert(number, number, ttl=100 - number)
        table.insert(number, number, ttl=1000 - number)
    assert deadlines_pending() == before + 1
    await trio.sleep(950.5)
    assert (len(table), deadlines_pending()) == (50, before + 1)
    await trio.sleep(50)
    assert (len(table), deadlines_pending()) == (0, before)


@pytest.mark.parametrize(
    "write",
    [
        lambda table: table.insert("a", 1),
        lambda table: table.insert_new("a", 1),
        lambda table: table.insert_many({"a": 1}),
        lambda table: table.update_counter("a"),
    ],
    ids=["insert", "insert_new", "insert_many", "update_counter"],
)
async def test_whatever_writes_an_entry_that_ends_sets_the_timer(
    node: Node, write: Callable[[Table[Any, Any]], object]
) -> None:
    before = deadlines_pending()
    write(await a_table(ttl=10))
    assert deadlines_pending() == before + 1
    await trio.sleep(10.5)
    assert deadlines_pending() == before


async def test_without_anything_that_ends_there_is_no_timer(node: Node) -> None:
    before = deadlines_pending()
    table = await a_table()
    table.insert("a", 1)
    table.insert("b", 1, ttl=math.inf)
    assert deadlines_pending() == before


@pytest.mark.parametrize("end", ["delete_all", "delete_table", "kill"])
async def test_the_timer_goes_with_the_entries(node: Node, end: str) -> None:
    before = deadlines_pending()
    owner = await owner_of(ttl=10)
    owner.table.insert("a", 1)
    assert deadlines_pending() == before + 1
    if end == "kill":
        kill(owner.pid)
        await wait_exit(owner.pid)
    else:
        getattr(owner.table, end)()
    assert deadlines_pending() == before


async def test_a_table_that_was_given_away_keeps_its_times(node: Node) -> None:
    heir = await owner_of()
    owner = await owner_of(ttl=10, heir=heir.pid)
    owner.table.insert("a", 1)
    await trio.sleep(5)
    kill(owner.pid)
    await wait_exit(owner.pid)
    assert owner.table.lookup("a") == 1
    await trio.sleep(5)
    assert owner.table.lookup("a") is None
    owner.table.insert("b", 1)
    await trio.sleep(10)
    assert owner.table.lookup("b") is None


async def test_a_refreshed_entry_piles_nothing_up(node: Node) -> None:
    owner = await owner_of(ttl=1000)
    for _ in range(10_000):
        owner.table.insert("a", 1)
    assert len(owner.table._found.rows._ends) < 200


class Moody:
    """A key whose hash raises when it is told to."""

    raising = False

    def __hash__(self) -> int:
        if Moody.raising:
            raise OSError("not today")
        return 1


async def test_a_key_that_breaks_while_it_is_freed_hurts_no_other(
    node: Node, monkeypatch: pytest.MonkeyPatch, hook: list[BaseException]
) -> None:
    table = await a_table()
    table.insert(Moody(), 1, ttl=1)
    table.insert("a", Value(), ttl=2)
    freed = weakref.ref(table.lookup("a"))
    monkeypatch.setattr(Moody, "raising", True)
    await trio.sleep(3)
    gc.collect()
    assert freed() is None
    assert [str(error) for error in hook] == ["not today"]


@pytest.mark.parametrize(
    ("ttl", "error"),
    [(-1, ValueError), (math.nan, ValueError), (True, TypeError), ("1", TypeError)],
)
@pytest.mark.parametrize("operation", ["insert", "insert_new", "insert_many"])
async def test_a_bad_ttl_is_refused_and_changes_nothing(
    node: Node, operation: str, ttl: Any, error: type[Exception]
) -> None:
    table = await a_table()
    arguments: tuple[object, ...] = ({"a": 1},) if operation == "insert_many" else ("a", 1)
    with pytest.raises(error, match=r"^ttl: got "):
        getattr(table, operation)(*arguments, ttl=ttl)
    assert table.items() == []
