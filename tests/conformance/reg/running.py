"""Rows of REG about the registry itself: its options, its name, what it keeps; and none at all."""

from __future__ import annotations

from typing import Any

import pytest

from runtime import (
    AlreadyStarted,
    CallExit,
    Entry,
    NoProcess,
    ProcessNotFound,
    Registry,
    StartFailed,
    is_alive,
    start,
    via,
)
from tests.conformance.reg.parts import Names, never
from tests.conformance.scenarios import row
from tests.runtime.registering import client, clients, on, start_registry
from tests.support import Ask, Do, Scripted, stop_all

# ---------------------------------------------------------------------- started

BAD: tuple[tuple[dict[str, Any], type[Exception], str], ...] = (
    ({"keys": "many"}, ValueError, "keys: got 'many'"),
    ({"keys": None}, ValueError, "keys: got None"),
    ({"listeners": "ears"}, TypeError, "listeners: got 'ears'"),
    ({"listeners": [1]}, TypeError, "listeners: got 1"),
    ({"meta": 1}, TypeError, "meta: got 1"),
    ({"partitions": 0}, TypeError, "unexpected keyword argument 'partitions'"),
    ({"compressed": 1}, TypeError, "unexpected keyword argument 'compressed'"),
)


@row("REG-050")
async def a_wrong_option_is_refused_when_the_spec_is_made() -> None:
    for options, error, text in BAD:
        with pytest.raises(error, match=text):
            Registry.child_spec(**options)
    no_name: Any = 7
    with pytest.raises(TypeError, match=r"^name: got 7"):
        Registry.child_spec().replace(name=no_name)


@row("REG-051")
async def a_registry_whose_name_is_taken_does_not_start() -> None:
    names = await start_registry()
    with pytest.raises(AlreadyStarted) as raised:
        await start(Registry.child_spec("duplicate").replace(name="names"))
    assert (raised.value.name, raised.value.pid) == ("names", names.pid)
    assert names.info().keys == "unique"


# ---------------------------------------------------------------------- partitions


@row("REG-045")
async def a_registry_is_not_partitioned() -> None:
    """differs: it has no partitions and refuses the option; its results are those of one."""
    for keys in ("unique", "duplicate"):
        with pytest.raises(TypeError, match="unexpected keyword argument 'partitions'"):
            Registry.child_spec(keys, partitions=4)  # type: ignore[call-arg]
    names = await start_registry()
    many = await clients(8)
    for key, process in enumerate(many):
        await on(process, names.register, key, str(key))
    assert names.count() == 8
    assert [names.keys(process) for process in many] == [[key] for key in range(8)]
    assert [names.lookup(key) for key in range(8)] == [
        [Entry(process.pid, str(key))] for key, process in enumerate(many)
    ]


@row("REG-054")
async def duplicate_keys_are_not_partitioned_by_key() -> None:
    """differs: there is nothing to partition, so neither ``keys`` nor ``dispatch`` can say how."""
    by_key: Any = ("duplicate", "key")
    with pytest.raises(ValueError, match=r"^keys: got \('duplicate', 'key'\), allowed are 'uniq"):
        Registry.child_spec(by_key)
    bus = await start_registry("duplicate", "bus")
    a, b = await clients(2)
    for process, key, value in ((a, "x", 1), (b, "y", 2), (b, "x", 3)):
        await on(process, bus.register, key, value)
    with pytest.raises(TypeError, match="unexpected keyword argument 'parallel'"):
        bus.dispatch("x", never, parallel=True)  # type: ignore[call-arg]
    seen: list[list[Entry[int]]] = []
    bus.dispatch("x", seen.append)
    assert seen == [[Entry(a.pid, 1), Entry(b.pid, 3)]]
    assert bus.match("x", lambda value: value > 1) == [Entry(b.pid, 3)]


# ---------------------------------------------------------------------- what it keeps


@row("REG-034")
async def a_registry_keeps_what_is_stored_with_it() -> None:
    names = await start_registry(meta={"given": 1})
    assert names.meta("given") == 1
    absent = object()
    assert (names.meta("k"), names.meta("k", absent)) == (None, absent)
    names.put_meta("k", None)
    assert names.meta("k", absent) is None
    names.put_meta("k", 2)
    assert names.meta("k", absent) == 2
    names.delete_meta("k")
    names.delete_meta("never stored")
    assert names.meta("k", absent) is absent
    assert names.meta("given") == 1
    await stop_all(names)
    for fn, *args in ((names.meta, "k"), (names.put_meta, "k", 1), (names.delete_meta, "k")):
        with pytest.raises(ProcessNotFound):
            fn(*args)


# ---------------------------------------------------------------------- not there


@row("REG-033")
async def an_unknown_registry_is_not_found() -> None:
    """differs: by way of it nobody is found, as by a name nobody holds: a call exits."""
    names, name = Names("unknown"), via("unknown", "k")
    a = await client()
    for fn, *args in (
        (names.register, "k", 1), (names.lookup, "k"), (names.keys,),
        (names.dispatch, "k", never), (names.unregister, "k"),
    ):  # fmt: skip
        with pytest.raises(ProcessNotFound) as missing:
            await on(a, fn, *args)
        assert missing.value.target is names
    assert is_alive(a)
    assert name.whereis() is None
    with pytest.raises(CallExit) as exited:
        await name.call(Ask(never))
    assert exited.value.reason == NoProcess()
    name.cast(Do(never))
    with pytest.raises(ProcessNotFound):
        name.send("message")
    with pytest.raises(StartFailed) as failed:
        await start(Scripted.child_spec().replace(name=name))
    assert failed.value.reason == NoProcess()
