"""What anybody can ask a registry, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest
import trio

from runtime import Node, NoNode, OutsideProcess, ProcessNotFound, self_, suspend
from runtime.registry_entries import Entry
from runtime.registry_ref import RegistryInfo, RegistryRef
from tests.runtime.registering import client, on, start_registry
from tests.support import in_process, stop_all

Names: TypeAlias = RegistryRef[Any, Any]


def values_of(entries: list[Entry[Any]]) -> list[Any]:
    return [entry.value for entry in entries]


# ---------------------------------------------------------------------- queries


async def test_a_predicate_may_change_what_it_is_asked_about(node: Node) -> None:
    bus = await start_registry("duplicate")
    a = await client()

    def leave(key: str, _pid: object, _value: object) -> bool:
        bus.unregister(key)
        return True

    for key in ("x", "y", "z"):
        await on(a, bus.register, key, 1)
    assert await on(a, bus.count_select, leave) == 3
    assert bus.count() == 0


# ---------------------------------------------------------------------- dispatch


async def test_an_async_function_cannot_be_dispatched_to(node: Node) -> None:
    bus = await start_registry("duplicate")
    a = await client()
    await on(a, bus.register, "k", 1)

    async def later(_entries: object) -> None: ...

    with pytest.raises(TypeError, match=r"^fn: got .*, an async function; allowed is a plain one"):
        bus.dispatch("k", later)
    with pytest.raises(TypeError, match=r"^fn: got .*, which returned a coroutine; allowed is a p"):
        bus.dispatch("k", lambda entries: later(entries))


async def test_the_entries_given_are_a_copy(node: Node) -> None:
    bus = await start_registry("duplicate")
    a = await client()
    await on(a, bus.register, "k", 1)
    bus.dispatch("k", lambda entries: entries.clear())
    bus.lookup("k").clear()
    assert values_of(bus.lookup("k")) == [1]


# ---------------------------------------------------------------------- of the registry


async def test_a_registry_keeps_what_is_stored_with_it(node: Node) -> None:
    """REG-034. differs: what is absent is ``None``, or the default."""
    names = await start_registry(meta={"given": 1, 7: "seven"})
    assert (names.meta("given"), names.meta(7), names.meta(7.0)) == (1, "seven", None)
    assert names.meta("absent") is None
    assert names.meta("absent", 7) == 7
    names.put_meta(("a", 1), "x")
    names.put_meta(("a", 1.0), "y")
    assert (names.meta(("a", 1)), names.meta(("a", 1.0))) == ("x", "y")
    names.delete_meta(("a", 1))
    names.delete_meta("absent")
    assert names.meta(("a", 1)) is None


async def test_info_says_what_it_is(node: Node) -> None:
    bus = await start_registry("duplicate", listeners=["ears"])
    a = await client()
    await on(a, bus.register, "k", 1)
    assert bus.info() == RegistryInfo(keys="duplicate", count=1, listeners=("ears",))
    assert (await start_registry("unique", "b")).info() == RegistryInfo("unique", 0, ())


async def test_a_suspended_registry_answers(node: Node) -> None:
    names = await start_registry()
    a = await client()
    await suspend(names)
    await on(a, names.register, "k", 1)
    assert names.whereis_name("k") is a.pid
    await stop_all(a)
    assert names.count() == 0


KEYED: dict[str, Callable[[Names, Any], object]] = {
    "register": lambda names, key: names.register(key, 1),
    "unregister": lambda names, key: names.unregister(key),
    "unregister_match": lambda names, key: names.unregister_match(key, bool),
    "update_value": lambda names, key: names.update_value(key, bool),
    "lookup": lambda names, key: names.lookup(key),
    "whereis_name": lambda names, key: names.whereis_name(key),
    "values": lambda names, key: names.values(key),
    "match": lambda names, key: names.match(key, bool),
    "count_match": lambda names, key: names.count_match(key, bool),
    "dispatch": lambda names, key: names.dispatch(key, list),
    "meta": lambda names, key: names.meta(key),
    "put_meta": lambda names, key: names.put_meta(key, 1),
    "delete_meta": lambda names, key: names.delete_meta(key),
    "lock": lambda names, key: names.lock(key),
}
OTHERS: dict[str, Callable[[Names], object]] = {
    "keys": lambda names: names.keys(),
    "count": lambda names: names.count(),
    "select": lambda names: names.select(),
    "count_select": lambda names: names.count_select(lambda *_: True),
    "info": lambda names: names.info(),
}


def operate(names: Names, operation: str) -> object:
    return KEYED[operation](names, "k") if operation in KEYED else OTHERS[operation](names)


@pytest.mark.parametrize("operation", [one for one in (*KEYED, *OTHERS) if one != "lock"])
async def test_a_registry_that_is_not_running_is_not_found(node: Node, operation: str) -> None:
    """REG-033. differs: ``ProcessNotFound``. (The lock: test_registry_ref_lock.)"""
    names = await start_registry()
    a = await client()
    by_pid: Names = RegistryRef(names.pid)
    await stop_all(names)
    for registry in (names, by_pid):
        with pytest.raises(ProcessNotFound) as raised:
            await on(a, operate, registry, operation)
        assert raised.value.target is registry


@pytest.mark.parametrize("operation", KEYED)
async def test_a_key_must_be_hashable(node: Node, operation: str) -> None:
    names = await start_registry()
    a = await client()
    with pytest.raises(TypeError, match=r"^key: got \[\], allowed is anything hashable$"):
        await on(a, KEYED[operation], names, [])


TAKING_FUNCTIONS: dict[str, Callable[[Names, Any], object]] = {
    "unregister_match": lambda names, fn: names.unregister_match("k", fn),
    "update_value": lambda names, fn: names.update_value("k", fn),
    "match": lambda names, fn: names.match("k", fn),
    "count_match": lambda names, fn: names.count_match("k", fn),
    "select": lambda names, fn: names.select(fn),
    "count_select": lambda names, fn: names.count_select(fn),
    "dispatch": lambda names, fn: names.dispatch("k", fn),
}


@pytest.mark.parametrize("operation", TAKING_FUNCTIONS)
async def test_what_is_no_plain_function_is_refused_even_if_nothing_is_there_to_be_asked_about(
    node: Node, operation: str
) -> None:
    async def later(*_: object) -> bool:
        return False

    names = await start_registry()
    a = await client()
    for given, said in ((7, "allowed is a plain function"), (later, "an async function; allowed")):
        with pytest.raises(TypeError, match=rf"^(predicate|fn): got .*{said}"):
            await on(a, TAKING_FUNCTIONS[operation], names, given)


OF_THE_CALLER = (
    "register", "unregister", "unregister_match", "update_value", "keys", "values",
)  # fmt: skip


@pytest.mark.parametrize("operation", OF_THE_CALLER)
async def test_what_is_about_the_caller_needs_a_process(node: Node, operation: str) -> None:
    names = await start_registry()
    with pytest.raises(OutsideProcess, match=f"^{operation} needs a process"):
        operate(names, operation)


@pytest.mark.real_clock
@pytest.mark.parametrize("operation", [one for one in (*KEYED, *OTHERS) if one != "lock"])
async def test_a_foreign_thread_is_refused(node: Node, operation: str) -> None:
    names = await start_registry()
    by_pid: Names = RegistryRef(names.pid)
    for registry in (names, by_pid):
        with pytest.raises(NoNode):
            await trio.to_thread.run_sync(operate, registry, operation)
    assert names.info() == RegistryInfo("unique", 0, ())


async def test_another_server_is_no_registry(node: Node) -> None:
    a = await client(name="a")
    with pytest.raises(TypeError, match=r"^target: <Pid \d+ a> is no registry, allowed is a run"):
        RegistryRef[str, int](a).count()


async def test_a_plain_process_is_no_registry(node: Node) -> None:
    async def body() -> None:
        with pytest.raises(TypeError, match="is no registry"):
            RegistryRef[str, int](self_()).count()

    await in_process(body)
