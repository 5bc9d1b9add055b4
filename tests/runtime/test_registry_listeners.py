"""Who listens to a registry."""

from __future__ import annotations

import pytest
import trio

from runtime import (
    MailboxLimit,
    MessageDropped,
    Node,
    Pid,
    spawn,
    start,
)
from runtime.registry import Registered, Registry, Unregistered
from runtime.registry_ref import AlreadyRegistered, RegistryRef
from tests.conftest import Recorder
from tests.runtime.registering import Client, client, clients, got, on, start_registry
from tests.support import stop_all


async def test_listeners_hear_of_entries_made_and_given_up(node: Node) -> None:
    """REG-035."""
    ears, others = await client(name="ears"), await client(name="others")
    names = await start_registry(listeners=["ears", "others"])
    a, b = await clients(2)
    await on(a, names.register, "k", 1)
    with pytest.raises(AlreadyRegistered):
        await on(b, names.register, "k", 2)
    await on(a, names.update_value, "k", lambda value: value + 1)
    await on(a, names.unregister, "k")
    for listener in (ears, others):
        assert await got(listener) == [
            Registered(registry="names", key="k", pid=a.pid, value=1),
            Unregistered(registry="names", key="k", pid=a.pid),
        ]


async def test_one_unregister_is_told_once(node: Node) -> None:
    ears = await client(name="ears")
    bus = await start_registry("duplicate", "bus", listeners=["ears"])
    a = await client()
    for value in (1, 2, 3):
        await on(a, bus.register, "k", value)
    await on(a, bus.unregister_match, "k", lambda value: value == 4)
    await on(a, bus.unregister_match, "k", lambda value: value == 1)
    heard = len(await got(ears))
    assert heard == 3
    await on(a, bus.unregister_match, "k", lambda value: value > 1)
    await on(a, bus.unregister_match, "k", lambda _: True)
    assert (await got(ears))[heard:] == [Unregistered("bus", "k", a.pid)]
    await on(a, bus.register, "k", 1)
    await on(a, bus.register, "k", 2)
    await on(a, bus.unregister, "k")
    assert (await got(ears))[heard + 3 :] == [Unregistered("bus", "k", a.pid)]


async def test_a_death_is_not_told(node: Node) -> None:
    """REG-037."""
    ears = await client(name="ears")
    names = await start_registry(listeners=["ears"])
    a = await client()
    await on(a, names.register, "k", 1)
    await stop_all(a)
    assert [type(message) for message in await got(ears)] == [Registered]
    b = await client()
    await on(b, names.register, "k", 2)
    assert (await got(ears))[1:] == [Registered("names", "k", b.pid, 2)]


async def test_a_listener_that_is_not_there_is_left_out(node: Node) -> None:
    """REG-038. differs: the registrant has made no mistake and gets no error."""
    names = await start_registry(listeners=["nobody", "ears"])
    a = await client()
    await on(a, names.register, "x", 1)
    ears = await client(name="ears")
    await on(a, names.register, "y", 2)
    await stop_all(ears)
    again = await client(name="ears")
    await on(a, names.unregister, "x")
    assert names.count() == 1
    assert await got(again) == [Unregistered("names", "x", a.pid)]


@pytest.mark.parametrize("policy", ["raise", "drop_newest", "drop_oldest"])
async def test_a_listener_whose_mailbox_is_full_hurts_nobody(
    node: Node, events: Recorder, policy: str
) -> None:
    limit = MailboxLimit(1, policy)  # type: ignore[arg-type]
    deaf = spawn(trio.sleep_forever, name="deaf", mailbox=limit)
    ears = await client(name="ears")
    names = await start_registry(listeners=["deaf", "ears"])
    a = await client()
    for key in range(3):
        await on(a, names.register, key, key)
    assert names.count() == 3
    assert [message.key for message in await got(ears)] == [0, 1, 2]
    assert [event.pid for event in events.of(MessageDropped)] == [deaf, deaf]


async def test_a_registry_without_a_name_is_told_by_its_pid(node: Node) -> None:
    ears = await client(name="ears")
    names = RegistryRef[str, int](await Registry.start(listeners=["ears"]))
    a = await client()
    await on(a, names.register, "k", 1)
    assert await got(ears) == [Registered(names.pid, "k", a.pid, 1)]
    assert isinstance((await got(ears))[0].registry, Pid)


async def test_a_listener_may_be_a_registrant(node: Node) -> None:
    ears = await start(Client.child_spec().replace(name="ears"))
    names = await start_registry(listeners=["ears"])
    await on(ears, names.register, "k", 1)
    await on(ears, names.unregister, "k")
    assert [type(message) for message in await got(ears)] == [Registered, Unregistered]
