"""Rows of REG about dispatch: what is called, where, with whom, in which order."""

from __future__ import annotations

import pytest

from runtime import Crashed, Entry, Normal, Pid, is_alive, self_
from tests.conformance.reg.parts import KINDS, never
from tests.conformance.scenarios import row
from tests.runtime.registering import client, clients, got, on, start_registry
from tests.support import reason_of


@row("REG-019")
async def entries_are_listed_and_dispatched_in_the_order_of_registration() -> None:
    bus = await start_registry("duplicate")
    a, b, c = await clients(3)
    order = (b, a, c, a, b)
    for value, process in enumerate(order):
        await on(process, bus.register, "k", value)
    entries = [Entry(process.pid, value) for value, process in enumerate(order)]
    assert bus.lookup("k") == entries
    seen: list[Entry[int]] = []
    bus.dispatch("k", seen.extend)
    assert seen == entries


@row("REG-020")
async def a_dispatch_to_nobody_calls_nothing() -> None:
    for keys in KINDS:
        names = await start_registry(keys, keys)
        a = await client()
        await on(a, names.register, "k", 1)
        names.dispatch("silence", never)


@row("REG-021")
async def a_dispatch_calls_once_in_the_calling_process() -> None:
    bus = await start_registry("duplicate")
    a, b, caller = await clients(3)
    for process, value in ((a, 1), (b, 2), (a, 3)):
        await on(process, bus.register, "k", value)
    await on(a, bus.register, "other", 4)
    calls: list[tuple[Pid, list[Entry[int]]]] = []
    await on(caller, bus.dispatch, "k", lambda entries: calls.append((self_(), entries)))
    assert calls == [(caller.pid, [Entry(a.pid, 1), Entry(b.pid, 2), Entry(a.pid, 3)])]


@row("REG-022")
async def what_a_dispatched_function_raises_is_the_dispatchers() -> None:
    bus = await start_registry("duplicate")
    a, b = await clients(2)
    for process in (a, b):
        await on(process, bus.register, "k", 1)

    def fail(_entries: object) -> None:
        raise ValueError("cb")

    async def dispatcher() -> None:
        with pytest.raises(ValueError, match=r"^cb$"):
            bus.dispatch("k", fail)
        bus.dispatch("k", fail)

    reason = await reason_of(dispatcher)
    assert isinstance(reason, Crashed)
    assert str(reason.exception) == "cb"
    assert is_alive(bus)
    assert [await got(process) for process in (a, b)] == [[], []]
    assert bus.lookup("k") == [Entry(a.pid, 1), Entry(b.pid, 1)]


@row("REG-023")
async def a_dispatch_of_a_unique_key_has_one_entry() -> None:
    names = await start_registry()
    a, b = await clients(2)
    await on(a, names.register, "k", 1)
    await on(b, names.register, "other", 2)
    calls: list[list[Entry[int]]] = []
    names.dispatch("k", calls.append)
    assert calls == [[Entry(a.pid, 1)]]


@row("REG-026")
async def a_dispatch_runs_in_its_caller_for_there_is_one_partition() -> None:
    """differs: as OTP's does with one partition, but there is no ``parallel`` to ask for."""
    bus = await start_registry("duplicate")
    many = await clients(4)
    for value, process in enumerate(many):
        await on(process, bus.register, "k", value)
    with pytest.raises(TypeError, match="unexpected keyword argument 'parallel'"):
        bus.dispatch("k", never, parallel=True)  # type: ignore[call-arg]
    calls: list[tuple[Pid, list[int]]] = []

    async def caller() -> None:
        me = self_()
        bus.dispatch(
            "k", lambda entries: calls.append((self_(), [entry.value for entry in entries]))
        )
        assert calls == [(me, [0, 1, 2, 3])]

    assert await reason_of(caller) == Normal()
