"""What the checkers know about tables: the types of keys and values, also of one found by name."""

from __future__ import annotations

from typing import assert_type

from runtime import GenServer, Table, TableTransfer, handles, receive


def a_table_knows_its_keys_and_values() -> None:
    table = Table[str, int]("hits", kind="ordered_set", access="public", ttl=60)
    assert_type(table, Table[str, int])
    assert_type(table.lookup("a"), int | None)
    assert_type(table.lookup("a", 0), int)
    assert_type(table.lookup("a", "none"), int | str)
    assert_type(table.take("a"), int | None)
    assert_type(table.take("a", 0), int)
    assert_type(table.items(), list[tuple[str, int]])
    assert_type(table.range("a", "b"), list[tuple[str, int]])
    assert_type(table.first(), str | None)
    assert_type(table.select(lambda key, value: key == "a" and value > 1), list[tuple[str, int]])
    table.insert_many({"a": 1})
    table.insert_many([("a", 1), ("b", 2)])
    table.insert(1, 1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    table.insert("a", "1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    table.insert_many({"a": "b"})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    table.lookup(1)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]


def what_a_named_table_holds_is_said_where_it_is_found() -> None:
    annotated: Table[str, int] = Table.named("hits")
    assert_type(annotated.lookup("a"), int | None)
    assert_type(Table[str, int].named("hits"), Table[str, int])
    assert_type(Table[str, int].named("hits").lookup("a", 0), int)


def only_a_table_of_ints_counts() -> None:
    assert_type(Table[str, int].named("hits").update_counter("a"), int)
    Table[str, str].named("names").update_counter("a")  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]


def a_key_has_a_hash() -> None:
    Table[list[int], int]()  # type: ignore[type-var]  # pyright: ignore[reportInvalidTypeArguments]


def the_kinds_are_known() -> None:
    Table[str, int](kind="bag")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Table[str, int](access="all")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Table[str, int](heir="keeper")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def a_transfer_brings_a_typed_table() -> None:
    transfer: TableTransfer[str, int] = await receive(TableTransfer)
    assert_type(transfer.table, Table[str, int])


class Keeper(GenServer):
    """An heir."""

    @handles(TableTransfer)
    def inherited(self, message: TableTransfer[str, int]) -> None:
        assert_type(message.table.lookup("a"), int | None)
