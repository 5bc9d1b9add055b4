"""Rows of REG about listeners: what they are told, and what if they are not there."""

from __future__ import annotations

import pytest

from runtime import AlreadyRegistered, Entry, Registered, Unregistered
from tests.conformance.reg.parts import links_of, settled
from tests.conformance.scenarios import row
from tests.runtime.registering import client, clients, got, on, start_registry
from tests.support import stop_all


@row("REG-035")
async def listeners_hear_of_entries_made_and_given_up() -> None:
    listeners = [await client(name=name) for name in ("ears", "others")]
    names = await start_registry(listeners=["ears", "others"])
    a, b = await clients(2)
    await on(a, names.register, "k", 1)
    with pytest.raises(AlreadyRegistered):
        await on(b, names.register, "k", 2)
    await on(a, names.unregister, "k")
    for listener in listeners:
        assert await got(listener) == [
            Registered(registry="names", key="k", pid=a.pid, value=1),
            Unregistered(registry="names", key="k", pid=a.pid),
        ]


@row("REG-036")
async def giving_up_a_key_that_was_never_held_is_told_all_the_same() -> None:
    ears = await client(name="ears")
    names = await start_registry(listeners=["ears"])
    a, b = await clients(2)
    await on(b, names.unregister, "never")
    await on(a, names.register, "k", 1)
    await on(b, names.unregister, "k")
    assert await got(ears) == [
        Unregistered("names", "never", b.pid),
        Registered("names", "k", a.pid, 1),
        Unregistered("names", "k", b.pid),
    ]


@row("REG-037")
async def a_death_is_not_told() -> None:
    ears = await client(name="ears")
    names = await start_registry(listeners=["ears"])
    a = await client()
    pid = a.pid
    await on(a, names.register, "k", 1)
    await stop_all(a)
    await settled()
    assert names.lookup("k") == []
    assert await got(ears) == [Registered("names", "k", pid, 1)]


@row("REG-038")
async def a_listener_that_is_not_there_is_left_out() -> None:
    """differs: the registrant gets no error for it, and the other listeners hear."""
    names = await start_registry(listeners=["nobody", "ears"])
    ears, a = await client(name="ears"), await client()
    await on(a, names.register, "k", 1)
    assert names.lookup("k") == [Entry(a.pid, 1)]
    assert links_of(a) == (names.pid,)
    await on(a, names.unregister, "k")
    assert (names.lookup("k"), links_of(a)) == ([], ())
    assert await got(ears) == [
        Registered("names", "k", a.pid, 1),
        Unregistered("names", "k", a.pid),
    ]
