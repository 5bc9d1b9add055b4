"""Publish and subscribe."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import trio

from runtime import (
    Call,
    Cast,
    MailboxLimit,
    MessageDropped,
    Node,
    OutsideProcess,
    ProcessNotFound,
    Ref,
    Shutdown,
    handles,
    is_alive,
    named,
    receive,
    spawn,
    start,
)
from runtime.pubsub import PubSub
from runtime.registry_entries import Entry
from runtime.registry_ref import RegistryRef
from supervisors import open_supervisor
from tests.conftest import Recorder
from tests.runtime.registering import Client, client, clients, got, on, start_registry
from tests.support import end_of, in_process, stop_all


class News(msgspec.Struct, frozen=True):
    """What is published here."""

    text: str


@pytest.fixture
async def bus(node: Node) -> PubSub[News]:
    await start(PubSub.child_spec("bus"))
    return PubSub("bus")


async def test_subscribers_get_what_is_broadcast_in_their_order(bus: PubSub[News]) -> None:
    a, b, c = await clients(3)
    for process in (b, a):
        await on(process, bus.subscribe, "topic")
    await on(c, bus.subscribe, "other")
    assert bus.broadcast("topic", News("one")) == 2
    assert await on(c, bus.broadcast, "topic", News("two")) == 2
    assert bus.subscribers("topic") == [Entry(b.pid, None), Entry(a.pid, None)]
    assert [await got(process) for process in (a, b, c)] == [[News("one"), News("two")]] * 2 + [[]]


async def test_nobody_hears_what_nobody_has_subscribed_to(bus: PubSub[News]) -> None:
    assert bus.broadcast("silence", News("one")) == 0
    assert bus.subscribers("silence") == []


async def test_all_but_the_caller(bus: PubSub[News]) -> None:
    a, b = await clients(2)
    for process in (a, b, a):
        await on(process, bus.subscribe, "topic")
    assert await on(a, bus.broadcast_from, "topic", News("one")) == 1
    assert await on(b, bus.broadcast_from, "topic", News("two")) == 2
    assert (await got(a), await got(b)) == ([News("two")] * 2, [News("one")])


async def test_who_subscribes_twice_gets_everything_twice(bus: PubSub[News]) -> None:
    a = await client()
    await on(a, bus.subscribe, "topic", "first")
    await on(a, bus.subscribe, "topic", "second")
    assert bus.broadcast("topic", News("one")) == 2
    assert await got(a) == [News("one")] * 2
    assert bus.subscribers("topic") == [Entry(a.pid, "first"), Entry(a.pid, "second")]
    await on(a, bus.unsubscribe, "topic")
    assert bus.broadcast("topic", News("two")) == 0
    await on(a, bus.unsubscribe, "topic")
    assert await got(a) == [News("one")] * 2


async def test_a_subscription_ends_with_its_subscriber(bus: PubSub[News]) -> None:
    a, b = await clients(2)
    for process in (a, b):
        await on(process, bus.subscribe, "topic")
    await stop_all(a)
    assert bus.broadcast("topic", News("one")) == 1
    assert await got(b) == [News("one")]


@pytest.mark.parametrize("policy", ["raise", "drop_newest", "drop_oldest"])
async def test_a_full_mailbox_stops_nobody_else(
    bus: PubSub[News], events: Recorder, policy: Any
) -> None:
    async def deaf() -> None:
        bus.subscribe("topic")
        await trio.sleep_forever()

    before, after = await clients(2)
    await on(before, bus.subscribe, "topic")
    pid = spawn(deaf, mailbox=MailboxLimit(2, policy))
    await trio.testing.wait_all_tasks_blocked()
    await on(after, bus.subscribe, "topic")
    assert [bus.broadcast("topic", News(str(number))) for number in range(4)] == [3] * 4
    for process in (before, after):
        assert await got(process) == [News(str(number)) for number in range(4)]
    assert [event.pid for event in events.of(MessageDropped)] == [pid] * 2


class Shown(Cast):
    """A message that has a handler of its own kind."""


class Viewer(Client):
    @handles(Shown)
    def show(self, message: Shown) -> None:
        self.got.append("shown")


async def test_a_message_reaches_the_handler_it_would_reach_otherwise(node: Node) -> None:
    await start(PubSub.child_spec("bus"))
    shows: PubSub[Shown] = PubSub("bus")
    viewer = await start(Viewer.child_spec())
    await on(viewer, shows.subscribe, "topic")
    assert shows.broadcast("topic", Shown()) == 1
    assert await got(viewer) == ["shown"]


async def test_a_plain_process_receives_it(bus: PubSub[News]) -> None:
    async def body() -> News:
        bus.subscribe("topic")
        bus.broadcast("topic", News("to myself"))
        return await receive(News, timeout=1)

    assert await in_process(body) == News("to myself")


class Ask(Call[int]):
    """Nothing to be broadcast."""


async def test_a_call_cannot_be_broadcast(node: Node) -> None:
    await start(PubSub.child_spec("bus"))
    calls: PubSub[Ask] = PubSub("bus")
    with pytest.raises(TypeError, match="Ask, a Call, which needs an answer"):
        calls.broadcast("topic", Ask())


@pytest.mark.parametrize("topic", [1, None, b"topic", News("topic")])
async def test_a_topic_is_a_string(bus: PubSub[News], topic: Any) -> None:
    a = await client()
    for call in (bus.subscribe, bus.unsubscribe, bus.subscribers):
        with pytest.raises(TypeError, match=r"^topic: got .*, allowed is a string$"):
            await on(a, call, topic)
    for send in (bus.broadcast, bus.broadcast_from):
        with pytest.raises(TypeError, match=r"^topic: got"):
            await on(a, send, topic, News("one"))


async def test_without_a_process_nobody_can_subscribe(bus: PubSub[News]) -> None:
    for call in (bus.subscribe, bus.unsubscribe):
        with pytest.raises(OutsideProcess, match=f"^{call.__name__} needs a process"):
            call("topic")
    with pytest.raises(OutsideProcess, match=r"^broadcast_from needs a process"):
        bus.broadcast_from("topic", News("one"))


async def test_a_bus_that_is_not_running_is_not_found(bus: PubSub[News]) -> None:
    a = await client()
    await stop_all(bus)
    for call in (bus.subscribe, bus.unsubscribe, bus.subscribers):
        with pytest.raises(ProcessNotFound):
            await on(a, call, "topic")
    for send in (bus.broadcast, bus.broadcast_from):
        with pytest.raises(ProcessNotFound):
            await on(a, send, "topic", News("one"))


async def test_a_registry_of_unique_keys_is_no_bus(node: Node) -> None:
    await start_registry("unique", "names")
    with pytest.raises(TypeError, match="registry of unique keys, allowed is one of duplicate"):
        PubSub[News]("names").broadcast("topic", News("one"))


async def test_the_end_of_the_bus_ends_its_subscribers(bus: PubSub[News], events: Recorder) -> None:
    a, b = await clients(2)
    await on(a, bus.subscribe, "topic")
    pid = a.pid
    await bus.stop()
    await trio.testing.wait_all_tasks_blocked()
    assert end_of(events, pid) == Shutdown()
    assert is_alive(b)


async def test_a_bus_is_a_duplicate_registry(bus: PubSub[News]) -> None:
    a = await client()
    await on(a, bus.subscribe, "topic", 1)
    topics: RegistryRef[str, int] = RegistryRef(bus)
    assert topics.keys(a) == ["topic"]
    assert topics.info().keys == "duplicate"


async def test_a_bus_is_found_by_name_pid_and_handle(bus: PubSub[News]) -> None:
    a = await client()
    await on(a, bus.subscribe, "topic")
    handles_of: list[PubSub[News]] = [PubSub(bus.pid), PubSub(named("bus")), PubSub(bus)]
    assert [one.broadcast("topic", News("one")) for one in handles_of] == [1, 1, 1]
    assert PubSub[News]("bus") == bus
    assert bus != named("bus")
    assert repr(bus) == "PubSub(named('bus'))"


class Reader(Client):
    """Subscribes as it starts, so again after each restart."""

    def init(self) -> None:
        PubSub[News]("bus").subscribe("topic")


async def test_a_tree_of_a_bus_and_its_subscribers_comes_back(node: Node) -> None:
    children = [PubSub.child_spec("bus"), Reader.child_spec().replace(name="reader")]
    async with open_supervisor(children, strategy="rest_for_one"):
        bus: PubSub[News] = PubSub("bus")
        for victim in ("bus", "reader"):
            await stop_all(named(victim))
            await trio.testing.wait_all_tasks_blocked()
            assert bus.broadcast("topic", News(victim)) == 1
            reader: Ref = named("reader")
            assert await got(reader) == [News(victim)]
