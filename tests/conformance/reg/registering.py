"""Rows of REG about registering and giving up: who may have a key, and who is linked for it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from runtime import AlreadyRegistered, Entry
from tests.conformance.reg.parts import KINDS, links_of
from tests.conformance.scenarios import row
from tests.runtime.registering import client, clients, on, start_registry

# ---------------------------------------------------------------------- register


@row("REG-001")
async def who_registers_is_linked_to_the_registry() -> None:
    names = await start_registry()
    a = await client()
    assert links_of(a) == ()
    await on(a, names.register, "k", 1)
    assert names.lookup("k") == [Entry(a.pid, 1)]
    assert (links_of(a), links_of(names)) == ((names.pid,), (a.pid,))


@row("REG-002")
async def a_process_cannot_register_its_own_key_again() -> None:
    names = await start_registry()
    a = await client()
    await on(a, names.register, "k", 1)
    with pytest.raises(AlreadyRegistered) as raised:
        await on(a, names.register, "k", 2)
    assert (raised.value.key, raised.value.pid) == ("k", a.pid)
    assert names.lookup("k") == [Entry(a.pid, 1)]


@row("REG-003")
async def who_is_refused_hears_of_the_holder_and_keeps_no_link() -> None:
    names = await start_registry()
    holder, has_nothing, has_another = await clients(3)
    await on(holder, names.register, "k", 1)
    await on(has_another, names.register, "other", 2)
    for process in (has_nothing, has_another):
        with pytest.raises(AlreadyRegistered) as raised:
            await on(process, names.register, "k", 2)
        assert (raised.value.key, raised.value.pid) == ("k", holder.pid)
    assert links_of(has_nothing) == ()
    assert links_of(has_another) == (names.pid,)
    assert links_of(names) == (holder.pid, has_another.pid)
    assert names.lookup("k") == [Entry(holder.pid, 1)]


@row("REG-008")
async def one_and_one_point_zero_are_different_keys() -> None:
    names = await start_registry()
    a = await client()
    for key in (1, 1.0, True):
        await on(a, names.register, key, repr(key))
    assert [names.lookup(key) for key in (1, 1.0, True)] == [
        [Entry(a.pid, "1")], [Entry(a.pid, "1.0")], [Entry(a.pid, "True")],
    ]  # fmt: skip
    assert repr(names.keys(a)) == "[1, 1.0, True]"
    await on(a, names.unregister, 1)
    assert repr(names.keys(a)) == "[1.0, True]"


@row("REG-018")
async def a_duplicate_registry_keeps_every_registration_of_one_process() -> None:
    bus = await start_registry("duplicate")
    a = await client()
    for value in (1, 2, 2):
        await on(a, bus.register, "k", value)
    assert bus.lookup("k") == [Entry(a.pid, 1), Entry(a.pid, 2), Entry(a.pid, 2)]
    assert bus.count() == 3


class Point(msgspec.Struct, frozen=True):
    """What comes next to a map and can be a key."""

    x: int


@row("REG-031")
async def no_key_is_a_pattern() -> None:
    """differs: a map is no key: Python finds keys by their hash, and a dict has none."""
    names = await start_registry()
    a = await client()
    keys: list[Any] = [
        "_", "$1", ("_", "$1"), (), None, ..., object(), bool, lambda _: True, Point(1),
    ]  # fmt: skip
    for key in keys:
        await on(a, names.register, key, "value")
    assert names.keys(a) == keys
    assert names.lookup("another") == names.lookup(Point(2)) == []
    for at, key in enumerate(keys):
        found = [Entry(a.pid, "value")]
        assert names.lookup(key) == names.match(key, lambda value: value == "value") == found
        await on(a, names.unregister, key)
        assert names.lookup(key) == []
        assert names.keys(a) == keys[at + 1 :]
    with pytest.raises(TypeError, match=r"^key: got \{\}, allowed is anything hashable$"):
        await on(a, names.register, {}, "value")
    assert names.count() == 0


# ---------------------------------------------------------------------- unregister


@row("REG-012")
async def unregistering_somebody_elses_key_changes_nothing() -> None:
    names = await start_registry()
    a, b = await clients(2)
    await on(a, names.register, "k", 1)
    await on(b, names.unregister, "k")
    assert names.lookup("k") == [Entry(a.pid, 1)]
    assert (names.keys(a), names.keys(b), names.count()) == (["k"], [], 1)
    assert links_of(names) == (a.pid,)


@row("REG-013")
async def unregister_removes_all_of_the_callers_entries_under_the_key() -> None:
    bus = await start_registry("duplicate")
    a, b = await clients(2)
    for process, key, value in ((a, "k", 1), (b, "k", 2), (a, "k", 3), (a, "other", 4)):
        await on(process, bus.register, key, value)
    await on(a, bus.unregister, "k")
    assert bus.lookup("k") == [Entry(b.pid, 2)]
    assert bus.lookup("other") == [Entry(a.pid, 4)]
    assert (bus.keys(a), bus.keys(b), bus.count()) == (["other"], ["k"], 2)


@row("REG-014")
async def the_link_goes_with_the_last_key() -> None:
    for keys in KINDS:
        names = await start_registry(keys, keys)
        a = await client()
        for key in ("x", "y"):
            await on(a, names.register, key, 1)
        await on(a, names.unregister, "x")
        assert (links_of(a), links_of(names)) == ((names.pid,), (a.pid,))
        await on(a, names.unregister, "y")
        assert (links_of(a), links_of(names)) == ((), ())


@row("REG-015")
async def unregistering_what_nobody_has_is_fine() -> None:
    for keys in KINDS:
        names = await start_registry(keys, keys)
        a = await client()
        await on(a, names.unregister, "k")
        assert (names.lookup("k"), names.count(), links_of(a)) == ([], 0, ())
