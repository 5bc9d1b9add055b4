"""Rows of REG about what is asked and changed: entries, keys, values, predicates, counts."""

from __future__ import annotations

from typing import Any

import pytest

from runtime import Entry
from tests.conformance.reg.parts import KINDS, exactly, never
from tests.conformance.scenarios import row
from tests.runtime.registering import client, clients, on, start_registry
from tests.support import stop_all

# ---------------------------------------------------------------------- entries, keys, values


@row("REG-009")
async def lookup_is_a_list_of_entries() -> None:
    names, bus = await start_registry(), await start_registry("duplicate", "bus")
    assert names.lookup("k") == bus.lookup("k") == []
    a, b = await clients(2)
    await on(a, names.register, "k", 1)
    for process, value in ((a, 1), (b, 2), (a, 3)):
        await on(process, bus.register, "k", value)
    assert names.lookup("k") == [Entry(a.pid, 1)]
    assert bus.lookup("k") == [Entry(a.pid, 1), Entry(b.pid, 2), Entry(a.pid, 3)]


@row("REG-010")
async def keys_of_a_process_come_once_for_each_registration() -> None:
    for kind, times in zip(KINDS, (1, 2), strict=True):
        names = await start_registry(kind, kind)
        a, b = await clients(2)
        assert names.keys(a) == []
        for _ in range(times):
            await on(a, names.register, "x", 1)
        await on(a, names.register, "y", 1)
        await on(b, names.register, "z", 1)
        expected = [*["x"] * times, "y"]
        assert names.keys(a) == names.keys(a.pid) == await on(a, names.keys) == expected
        pid = a.pid
        await stop_all(a)
        assert names.keys(pid) == []


@row("REG-011")
async def values_are_those_of_one_process_in_the_order_of_registration() -> None:
    names, bus = await start_registry(), await start_registry("duplicate", "bus")
    a, b = await clients(2)
    await on(a, names.register, "k", 1)
    for process, key, value in ((a, "k", 3), (b, "k", 2), (a, "other", 4), (a, "k", 1)):
        await on(process, bus.register, key, value)
    assert await on(a, names.values, "k") == names.values("k", a.pid) == [1]
    assert await on(b, names.values, "k") == names.values("k", b) == []
    assert await on(a, bus.values, "k") == bus.values("k", a.pid) == [3, 1]
    assert await on(b, bus.values, "k") == bus.values("k", b) == [2]
    assert bus.values("nothing", a) == []


@row("REG-032")
async def count_is_the_number_of_entries() -> None:
    for kind, in_all in zip(KINDS, (3, 4), strict=True):
        names = await start_registry(kind, kind)
        a, b = await clients(2)
        assert names.count() == 0
        await on(a, names.register, "x", 1)
        await on(a, names.register, "y", 1)
        await on(b, names.register, "z", 1)
        if kind == "duplicate":
            await on(b, names.register, "x", 1)
        assert names.count() == in_all
        await stop_all(a)
        assert names.count() == in_all - 2


# ---------------------------------------------------------------------- update


@row("REG-016")
async def only_the_holder_updates_its_value() -> None:
    names = await start_registry()
    a, b = await clients(2)
    given: list[int] = []

    def add_one(value: int) -> int:
        given.append(value)
        return value + 1

    await on(a, names.register, "k", 1)
    assert await on(a, names.update_value, "k", add_one) == (2, 1)
    assert given == [1]
    assert names.lookup("k") == [Entry(a.pid, 2)]
    assert await on(a, names.update_value, "absent", never) is None
    assert await on(b, names.update_value, "k", never) is None
    assert names.select() == [("k", a.pid, 2)]


@row("REG-017")
async def a_duplicate_registry_has_no_value_to_update() -> None:
    bus = await start_registry("duplicate", "bus")
    a = await client()
    await on(a, bus.register, "k", 1)
    with pytest.raises(TypeError, match=r"^update_value: .* is a registry of duplicate keys, "):
        await on(a, bus.update_value, "k", never)
    assert bus.lookup("k") == [Entry(a.pid, 1)]


# ---------------------------------------------------------------------- predicates


def twins(value: Any) -> bool:
    """In place of a pattern that has one variable twice."""
    return isinstance(value, tuple) and value[0] == value[1]


def above(value: Any) -> bool:
    """In place of a pattern with a guard."""
    return isinstance(value, tuple) and value[1] > 1


@row("REG-027")
async def match_finds_the_entries_whose_value_fits() -> None:
    """differs: a predicate says what fits, and Python's ``==`` takes 1.0 for 1."""
    bus = await start_registry("duplicate")
    a, b = await clients(2)
    for process, value in ((a, 1), (b, 1.0), (a, (1, 1)), (b, (1, 2))):
        await on(process, bus.register, "k", value)
    await on(a, bus.register, "other", (1, 1))
    assert bus.match("k", lambda _: True) == bus.lookup("k")
    assert bus.match("k", twins) == [Entry(a.pid, (1, 1))]
    assert bus.match("k", above) == [Entry(b.pid, (1, 2))]
    assert [bus.count_match("k", fits) for fits in (lambda _: True, twins, above)] == [4, 1, 1]
    assert exactly(bus.match("k", lambda value: value == 1)) == [(a.pid, "1"), (b.pid, "1.0")]
    strictly = bus.match("k", lambda value: type(value) is int)
    assert exactly(strictly) == [(a.pid, "1")]


@row("REG-028")
async def match_takes_its_key_as_it_is() -> None:
    for kind in KINDS:
        names = await start_registry(kind, kind)
        a = await client()
        await on(a, names.register, "k", 1)
        for key in ("_", "$1", ..., object, None):
            assert names.match(key, lambda _: True) == []
            assert names.count_match(key, lambda _: True) == 0


@row("REG-029")
async def unregister_match_removes_what_fits_of_the_callers_entries() -> None:
    bus = await start_registry("duplicate")
    a, b = await clients(2)
    for process, key, value in (
        (a, "k", (1, 1)), (a, "k", (1, 2)), (b, "k", (1, 1)), (a, "k", (2, 2)), (a, "x", (1, 1)),
    ):  # fmt: skip
        await on(process, bus.register, key, value)
    await on(a, bus.unregister_match, "k", twins)
    assert bus.lookup("k") == [Entry(a.pid, (1, 2)), Entry(b.pid, (1, 1))]
    assert bus.lookup("x") == [Entry(a.pid, (1, 1))]
    assert (bus.keys(a), bus.keys(b), bus.count()) == (["k", "x"], ["k"], 3)


@row("REG-030")
async def select_looks_at_every_entry() -> None:
    """differs: what is found has one shape: key, pid, value. A comprehension gives another."""
    bus = await start_registry("duplicate")
    a, b = await clients(2)
    for process, key, value in ((a, "x", 1), (b, "y", 2), (b, "x", 3)):
        await on(process, bus.register, key, value)
    assert bus.select() == [("x", a.pid, 1), ("x", b.pid, 3), ("y", b.pid, 2)]
    b_pid = b.pid
    assert bus.select(lambda _key, pid, _value: pid is b_pid) == [("x", b_pid, 3), ("y", b_pid, 2)]
    assert bus.count_select(lambda key, _pid, value: key == "x" and value > 1) == 1
    assert bus.count_select(lambda *_: False) == 0
    malformed: Any = ("_", [], [])
    for select in (bus.select, bus.count_select):
        with pytest.raises(TypeError, match=r"^predicate: got .*, allowed is a plain function"):
            select(malformed)
