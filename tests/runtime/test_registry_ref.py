"""The operations of a registry, by its handle."""

from __future__ import annotations

from typing import Any

import pytest

from runtime import Node, named, ref
from runtime.registry_entries import Entry
from runtime.registry_ref import AlreadyRegistered, RegistryInfo
from tests.runtime.registering import client, clients, on, start_registry
from tests.support import stop_all


def values_of(entries: list[Entry[Any]]) -> list[Any]:
    return [entry.value for entry in entries]


# ---------------------------------------------------------------------- register


async def test_a_process_registers_itself_and_is_found(node: Node) -> None:
    """REG-001, REG-009. differs: ``register`` returns nothing; the registry's pid is
    ``names.pid``."""
    names = await start_registry()
    a = await client()
    assert names.lookup("k") == []
    assert names.whereis_name("k") is None
    await on(a, names.register, "k", 1)
    assert names.lookup("k") == [Entry(a.pid, 1)]
    assert names.whereis_name("k") is a.pid


async def test_a_value_that_is_not_given_is_none(node: Node) -> None:
    names = await start_registry()
    a = await client()
    await on(a, names.register, "k")
    assert names.lookup("k") == [Entry(a.pid, None)]


async def test_a_process_cannot_take_its_own_key_again(node: Node) -> None:
    """REG-002. differs: ``AlreadyRegistered`` is raised."""
    names = await start_registry()
    a = await client()
    await on(a, names.register, "k", 1)
    with pytest.raises(AlreadyRegistered) as raised:
        await on(a, names.register, "k", 2)
    assert (raised.value.key, raised.value.pid) == ("k", a.pid)
    assert str(raised.value) == f"key 'k' is held by {a.pid!r}"
    assert values_of(names.lookup("k")) == [1]


async def test_a_key_has_one_holder(node: Node) -> None:
    """REG-003. differs: ``AlreadyRegistered`` is raised. (The link: test_registry_links.)"""
    names = await start_registry()
    a, b = await clients(2)
    await on(a, names.register, "k", 1)
    with pytest.raises(AlreadyRegistered) as raised:
        await on(b, names.register, "k", 2)
    assert raised.value.pid is a.pid
    assert names.lookup("k") == [Entry(a.pid, 1)]
    assert names.keys(b) == []
    assert issubclass(AlreadyRegistered, ValueError)


async def test_entries_come_in_the_order_of_registration(node: Node) -> None:
    """REG-019, REG-045, REG-054."""
    bus = await start_registry("duplicate")
    a, b, c = await clients(3)
    for value, process in enumerate((b, a, c, a, b)):
        await on(process, bus.register, "k", value)
    entries = [Entry(process.pid, at) for at, process in enumerate((b, a, c, a, b))]
    assert bus.lookup("k") == entries
    seen: list[Any] = []
    bus.dispatch("k", seen.extend)
    assert seen == entries


async def test_keys_of_different_types_are_different_keys(node: Node) -> None:
    """REG-008."""
    names = await start_registry()
    a = await client()
    keys = [1, 1.0, True, (1, "x"), (1.0, "x"), b"1", "1", frozenset({1})]
    for key in keys:
        await on(a, names.register, key, type(key))
    assert [values_of(names.lookup(key)) for key in keys] == [[type(key)] for key in keys]
    assert list(map(type, names.keys(a))) == list(map(type, keys))
    await on(a, names.unregister, 1)
    assert names.lookup(1) == []
    assert values_of(names.lookup(1.0)) == [float]
    assert values_of(names.lookup(True)) == [bool]


# ---------------------------------------------------------------------- unregister


async def test_only_the_holder_gives_a_key_up(node: Node) -> None:
    """REG-012, REG-015."""
    names = await start_registry()
    a, b = await clients(2)
    await on(a, names.register, "k", 1)
    await on(b, names.unregister, "k")
    await on(b, names.unregister, "never held")
    assert names.lookup("k") == [Entry(a.pid, 1)]
    await on(a, names.unregister, "k")
    assert names.lookup("k") == []
    await on(b, names.register, "k", 2)
    assert names.lookup("k") == [Entry(b.pid, 2)]


async def test_unregister_match_removes_what_fits(node: Node) -> None:
    """REG-029. differs: a predicate on the value, no pattern."""
    bus = await start_registry("duplicate")
    a, b = await clients(2)
    for process, value in ((a, 1), (a, 2), (b, 1), (a, 3)):
        await on(process, bus.register, "k", value)
    await on(a, bus.unregister_match, "k", lambda value: value % 2 == 1)
    assert bus.lookup("k") == [Entry(a.pid, 2), Entry(b.pid, 1)]
    assert bus.keys(a) == ["k"]
    await on(b, bus.unregister_match, "k", lambda _: False)
    await on(b, bus.unregister_match, "nothing", lambda _: True)
    assert bus.count() == 2


async def test_a_predicate_may_give_entries_up_itself(node: Node) -> None:
    bus = await start_registry("duplicate")
    a = await client()

    def fits(_: object) -> bool:
        bus.unregister("k")
        return True

    await on(a, bus.register, "k", 1)
    await on(a, bus.register, "k", 2)
    await on(a, bus.unregister_match, "k", fits)
    assert bus.info() == RegistryInfo("duplicate", 0, ())


async def test_a_predicate_that_raises_changes_nothing(node: Node) -> None:
    bus = await start_registry("duplicate")
    a = await client()
    await on(a, bus.register, "k", 1)
    await on(a, bus.register, "k", 0)
    with pytest.raises(ZeroDivisionError):
        await on(a, bus.unregister_match, "k", lambda value: 1 / value == 1)
    assert values_of(bus.lookup("k")) == [1, 0]


# ---------------------------------------------------------------------- values


async def test_an_update_that_raises_changes_nothing(node: Node) -> None:
    names = await start_registry()
    a = await client()
    await on(a, names.register, "k", 0)
    with pytest.raises(ZeroDivisionError):
        await on(a, names.update_value, "k", lambda value: 1 // value)
    assert values_of(names.lookup("k")) == [0]


async def test_an_update_that_gives_the_key_up_updates_nothing(node: Node) -> None:
    names = await start_registry()
    a = await client()

    def leave(value: int) -> int:
        names.unregister("k")
        return value + 1

    await on(a, names.register, "k", 1)
    assert await on(a, names.update_value, "k", leave) is None
    assert names.lookup("k") == []


async def test_what_needs_a_unique_key_is_refused_by_a_duplicate_registry(node: Node) -> None:
    """REG-017."""
    bus = await start_registry("duplicate")
    a = await client()
    with pytest.raises(TypeError, match=r"^update_value: .* is a registry of duplicate keys, allo"):
        await on(a, bus.update_value, "k", lambda value: value)
    with pytest.raises(TypeError, match=r"^whereis_name: .* is a registry of duplicate keys, allo"):
        bus.whereis_name("k")


async def test_keys_and_values_are_of_one_process(node: Node) -> None:
    """REG-010, REG-011."""
    bus = await start_registry("duplicate")
    names = await start_registry("unique", "others")
    a, b = await clients(2)
    for process, key, value in ((a, "x", 1), (b, "x", 2), (a, "y", 3), (a, "x", 4)):
        await on(process, bus.register, key, value)
    assert bus.keys(a) == bus.keys(a.pid) == await on(a, bus.keys) == ["x", "y", "x"]
    assert bus.values("x", a) == await on(a, bus.values, "x") == [1, 4]
    assert bus.values("x", b.pid) == [2]
    assert bus.values("y", b) == []
    assert bus.values("never", a) == []
    await on(a, names.register, "k", 1)
    assert names.keys(a) == ["k"]
    assert names.keys(b) == []


async def test_a_dead_process_has_no_keys(node: Node) -> None:
    """REG-010, REG-006."""
    names = await start_registry()
    a = await client()
    pid = a.pid
    await on(a, names.register, "k", 1)
    await stop_all(a)
    for target in (a, pid, ref(pid), named("nobody")):
        assert names.keys(target) == []
        assert names.values("k", target) == []
