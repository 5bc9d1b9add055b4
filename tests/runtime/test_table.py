"""Tables: what is done with entries by key."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import trio

from runtime import Node, NoNode, OutsideProcess, Table, TableInfo, named, spawn, wait_exit
from tests.runtime.tables import a_table, owner_of
from tests.support import in_process, stop_all


async def test_what_was_inserted_is_looked_up(node: Node) -> None:
    table = await a_table()
    table.insert("a", 1)
    assert table.lookup("a") == 1
    assert table.lookup("b") is None
    assert table.lookup("b", 7) == 7
    assert table.lookup("a", 7) == 1


async def test_a_value_of_none_is_a_value(node: Node) -> None:
    table = await a_table()
    table.insert("a", None)
    assert table.lookup("a", 7) is None
    assert table.member("a")
    assert table.take("a", 7) is None


async def test_inserting_again_replaces(node: Node) -> None:
    table = await a_table()
    table.insert("a", 1)
    table.insert("a", 2)
    assert table.items() == [("a", 2)]


async def test_member_in_and_len_see_what_is_there(node: Node) -> None:
    table = await a_table()
    assert (len(table), table.member("a"), "a" in table) == (0, False, False)
    table.insert("a", 1)
    assert (len(table), table.member("a"), "a" in table) == (1, True, True)


async def test_insert_new_leaves_an_entry_alone(node: Node) -> None:
    table = await a_table()
    assert table.insert_new("a", 1)
    assert not table.insert_new("a", 2)
    assert table.lookup("a") == 1


@pytest.mark.parametrize("kind", ["set", "ordered_set"])
@pytest.mark.parametrize(
    "entries",
    [{"a": 1, "b": 2}, [("a", 0), ("b", 2), ("a", 1)], iter([("a", 1), ("b", 2)])],
    ids=["a mapping", "pairs", "an iterator"],
)
async def test_many_are_inserted_at_once_later_ones_over_earlier(
    node: Node, kind: Any, entries: Any
) -> None:
    table = await a_table(kind=kind)
    table.insert("b", 0)
    if isinstance(entries, Iterator):
        entries = iter([("a", 1), ("b", 2)])
    table.insert_many(entries)
    assert sorted(table.items()) == [("a", 1), ("b", 2)]


def breaking_off() -> Iterator[tuple[object, int]]:
    yield "new", 1
    raise OSError("no more")


@pytest.mark.parametrize(
    ("entries", "error"),
    [
        (lambda: [("new", 1), ([], 2)], TypeError),
        (lambda: [("new", 1), "ab"], TypeError),
        (lambda: [("new", 1), ("x", 1, 2)], TypeError),
        (breaking_off, OSError),
        (lambda: 5, TypeError),
    ],
    ids=["a key without a hash", "no pair", "a triple", "a source that breaks off", "no iterable"],
)
async def test_many_are_inserted_all_or_none(
    node: Node, entries: Callable[[], Any], error: type[Exception]
) -> None:
    table = await a_table()
    table.insert("old", 0)
    with pytest.raises(error):
        table.insert_many(entries())
    assert table.items() == [("old", 0)]


async def test_what_is_no_pair_is_refused_by_its_class(node: Node) -> None:
    table = await a_table()
    with pytest.raises(
        TypeError,
        match=r"^entries: got a str among them, allowed are \(key, value\) tuples, or a mapping$",
    ):
        table.insert_many(["ab"])  # type: ignore[list-item]


async def test_delete_says_whether_there_was_one(node: Node) -> None:
    table = await a_table()
    table.insert("a", 1)
    assert table.delete("a")
    assert not table.delete("a")
    assert table.items() == []


async def test_take_looks_up_and_deletes(node: Node) -> None:
    table = await a_table()
    table.insert("a", 1)
    assert table.take("a") == 1
    assert table.take("a") is None
    assert table.take("a", 7) == 7
    assert len(table) == 0


@pytest.mark.parametrize("kind", ["set", "ordered_set"])
async def test_delete_all_leaves_an_empty_table(node: Node, kind: Any) -> None:
    table = await a_table(kind=kind)
    table.insert_many({number: number for number in range(5)})
    table.delete_all()
    assert table.items() == []
    table.insert(3, 3)
    assert table.items() == [(3, 3)]


async def test_a_set_tells_equal_numbers_of_different_types_apart(node: Node) -> None:
    table = await a_table()
    table.insert_many([(1, "int"), (1.0, "float"), (True, "bool"), ((1,), "a"), ((True,), "b")])
    assert [table.lookup(key) for key in (1, 1.0, True)] == ["int", "float", "bool"]
    assert [table.lookup(key) for key in ((1,), (True,), (1.0,))] == ["a", "b", None]
    assert [type(key) for key, _ in table.items()] == [int, float, bool, tuple, tuple]
    assert table.delete(True)
    assert table.lookup(1) == "int"


def every_operation_with_a_key(table: Table[Any, Any], key: object) -> list[Callable[[], object]]:
    return [
        lambda: table.lookup(key),
        lambda: table.member(key),
        lambda: key in table,
        lambda: table.insert(key, 1),
        lambda: table.insert_new(key, 1),
        lambda: table.insert_many([(key, 1)]),
        lambda: table.update_element(key, 1),
        lambda: table.update_counter(key),
        lambda: table.delete(key),
        lambda: table.take(key),
    ]


@pytest.mark.parametrize("kind", ["set", "ordered_set"])
async def test_a_key_without_a_hash_is_refused_everywhere(node: Node, kind: Any) -> None:
    table = await a_table(kind=kind)
    for operation in every_operation_with_a_key(table, ["secret"]):
        with pytest.raises(
            TypeError,
            match=r"^key: got a list, allowed is anything hashable: unhashable type: 'list'$",
        ):
            operation()
    assert table.items() == []


async def test_a_counter_counts(node: Node) -> None:
    table = await a_table()
    assert table.update_counter("a") == 1
    assert table.update_counter("a", 5) == 6
    assert table.update_counter("a", -10) == -4
    assert table.update_counter("b", 2, default=40) == 42
    assert table.items() == [("a", -4), ("b", 42)]


@pytest.mark.parametrize("value", ["1", 1.0, True, None])
async def test_only_an_int_can_be_counted_on(node: Node, value: object) -> None:
    table = await a_table()
    table.insert("a", value)
    kind = type(value).__name__
    with pytest.raises(TypeError, match=rf"^the entry: got a {kind}, allowed is an int$"):
        table.update_counter("a")
    assert table.items() == [("a", value)]


@pytest.mark.parametrize("field", ["by", "default"])
@pytest.mark.parametrize("value", [1.0, True, "1", None])
async def test_a_counter_is_moved_by_ints_only(node: Node, field: str, value: Any) -> None:
    table = await a_table()
    with pytest.raises(TypeError, match=rf"^{field}: got a .*, allowed is an int$"):
        table.update_counter("a", **{field: value})
    assert table.items() == []


async def test_an_element_is_updated_only_if_it_is_there(node: Node) -> None:
    table = await a_table()
    assert not table.update_element("a", 1)
    table.insert("a", 1)
    assert table.update_element("a", 2)
    assert table.items() == [("a", 2)]


async def test_counting_in_many_processes_loses_nothing(node: Node) -> None:
    table = await a_table()

    async def count() -> None:
        for _ in range(10):
            table.update_counter("hits")
            await trio.lowlevel.checkpoint()

    for pid in [spawn(count) for _ in range(50)]:
        await wait_exit(pid)
    assert table.lookup("hits") == 500


async def test_items_is_a_copy(node: Node) -> None:
    table = await a_table()
    table.insert("a", 1)
    items = table.items()
    items.clear()
    table.insert("b", 2)
    assert table.items() == [("a", 1), ("b", 2)]


# ---------------------------------------------------------------------- making one


async def test_a_table_is_made_in_a_process_only(node: Node) -> None:
    with pytest.raises(OutsideProcess, match=r"^Table needs a process"):
        Table()


def test_without_a_node_there_is_no_table() -> None:
    with pytest.raises(OutsideProcess):
        Table()
    with pytest.raises(NoNode):
        Table[str, int].named("settings").lookup("a")


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"name": ""}, TypeError, "name: got ''"),
        ({"name": 5}, TypeError, "name: got 5"),
        ({"kind": "bag"}, ValueError, "kind: got 'bag', allowed are 'set', 'ordered_set'"),
        ({"kind": []}, ValueError, "kind: got []"),
        (
            {"access": "all"},
            ValueError,
            "access: got 'all', allowed are 'private', 'protected', 'public'",
        ),
        ({"heir": "keeper"}, TypeError, "heir: got 'keeper', allowed are a Pid, a Ref such as"),
        ({"ttl": -1}, ValueError, "ttl: got -1, allowed is 0 or more seconds"),
        ({"ttl": True}, TypeError, "ttl: got True"),
        ({"ttl": math.nan}, ValueError, "ttl: got nan"),
    ],
)
async def test_bad_options_are_refused_and_make_nothing(
    node: Node, options: dict[str, Any], error: type[Exception], says: str
) -> None:
    async def body() -> None:
        with pytest.raises(error) as caught:
            Table[str, int](**{"name": "settings", **options})
        assert str(caught.value).startswith(says)
        Table[str, int]("settings")

    await in_process(body)


async def test_a_table_says_what_it_is(node: Node) -> None:
    owner = await owner_of("sessions", kind="ordered_set", heir=named("keeper"), ttl=60)
    owner.table.insert("a", 1)
    assert owner.table.info() == TableInfo(
        name="sessions",
        kind="ordered_set",
        access="public",
        owner=owner.pid,
        heir=named("keeper"),
        ttl=60,
        size=1,
    )


async def test_a_table_never_shows_what_it_holds(node: Node) -> None:
    owner = await owner_of("sessions")
    nameless = await a_table(kind="ordered_set")
    handle = Table[str, str].named("sessions")
    for table in (owner.table, nameless):
        table.insert("secret key", "secret value")
    assert repr(owner.table) == repr(handle) == "<Table 'sessions', set of 1>"
    assert repr(nameless) == "<Table, ordered_set of 1>"
    await stop_all(owner.pid, nameless.info().owner)
    assert repr(owner.table) == "<Table 'sessions', gone>"
    assert repr(handle) == "<Table 'sessions', not found here>"
    assert repr(nameless) == "<Table, gone>"


async def test_handles_are_equal_when_they_lead_to_the_same_table(node: Node) -> None:
    owner, other = await owner_of("sessions"), await a_table()
    by_name = Table[Any, Any].named("sessions")
    assert by_name == Table[Any, Any].named("sessions") != Table[Any, Any].named("others")
    assert owner.table == owner.table
    assert owner.table != other
    assert owner.table != "sessions"
    assert len({by_name, Table[Any, Any].named("sessions"), owner.table, other}) == 3
