"""What the checkers know about registries: keys, values, and what is published."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import assert_type

from runtime import ChildSpec, Pid, Ref, named
from runtime.pubsub import PubSub
from runtime.registry import Registry
from runtime.registry_entries import Entry
from runtime.registry_ref import RegistryInfo, RegistryRef
from runtime.via import Via, via


class Event:
    """What is published here."""


class Special(Event):
    """An event of a kind."""


names: RegistryRef[str, int] = RegistryRef("names")
flags: RegistryRef[tuple[str, int], None] = RegistryRef(named("flags"))
bus: PubSub[Event] = PubSub("bus")


def the_options_are_checked(words: dict[str, int], keyed: dict[object, int]) -> None:
    assert_type(Registry.child_spec(), ChildSpec)
    Registry.child_spec("unique", listeners=["ears"], meta={"a": 1})
    Registry.child_spec("duplicate", listeners=("ears", "more"), meta={1: "x", "y": 2})
    Registry.child_spec(meta=words)
    Registry.child_spec("unique").replace(name="names")
    Registry.child_spec("many")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Registry.child_spec(listeners=[1])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    Registry.child_spec(partitions=4)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Registry.child_spec("unique", ["ears"])  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def a_registration_has_the_value_the_registry_is_of(anything: object) -> None:
    names.register("k", 1)
    flags.register(("k", 1))
    flags.register(("k", 1), None)
    names.register("k")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    names.register("k", "v")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    names.register(7, 1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    flags.register(("k", 1), 1)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    names.unregister("k")
    names.unregister(7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    names.unregister_match("k", lambda value: value > 1)
    names.unregister_match("k", lambda value: value.x)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]


def what_is_found_is_typed(pid: Pid, ref: Ref) -> None:
    assert_type(names.lookup("k"), list[Entry[int]])
    assert_type(names.lookup("k")[0].value, int)
    assert_type(names.lookup("k")[0].pid, Pid)
    assert_type(names.whereis_name("k"), Pid | None)
    assert_type(names.keys(), list[str])
    assert_type(flags.keys(pid), list[tuple[str, int]])
    assert_type(names.values("k", ref), list[int])
    assert_type(names.count(), int)
    assert_type(names.match("k", lambda value: value > 1), list[Entry[int]])
    found = names.select(lambda key, _pid, value: key == "k" and value > 1)
    assert_type(found, list[tuple[str, Pid, int]])
    assert_type(names.update_value("k", lambda value: value + 1), tuple[int, int] | None)
    assert_type(names.info(), RegistryInfo)
    assert_type(names.meta("k"), object)
    assert_type(names.lock(("any", "key")), AbstractAsyncContextManager[None])
    names.lookup(7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    names.whereis_name(7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    names.keys("k")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    names.values("k", "who")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    names.match("k", len)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    names.update_value("k", str)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    names.count_select(lambda value: value)  # type: ignore[arg-type,misc]  # pyright: ignore[reportArgumentType]
    names.lock([])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    entry = names.lookup("k")[0]
    entry.value = 2  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]


def a_dispatched_function_gets_the_entries() -> None:
    def take(entries: list[Entry[int]]) -> int:
        return sum(entry.value for entry in entries)

    def take_words(entries: list[Entry[str]]) -> None: ...

    names.dispatch("k", take)
    names.dispatch("k", take_words)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    names.dispatch(7, take)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def a_handle_is_made_of_what_leads_there(pid: Pid) -> None:
    RegistryRef[str, int](pid)
    RegistryRef[str, int](bus)
    RegistryRef[str, int](7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    RegistryRef[list[int], int]("names")  # type: ignore[type-var]  # pyright: ignore[reportInvalidTypeArguments]
    assert_type(via("names", 7), Via)
    via(names, ("user", 7), "value")
    via("names", [])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    via(7, "k")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Registry.child_spec().replace(name=via("names", 7))
    Registry.child_spec().replace(name=named("names"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def what_is_published_is_of_the_type_of_the_bus(special: PubSub[Special]) -> None:
    assert_type(bus.broadcast("topic", Event()), int)
    assert_type(bus.broadcast_from("topic", Special()), int)
    assert_type(bus.subscribers("topic"), list[Entry[object]])
    assert_type(PubSub.child_spec("bus"), ChildSpec)
    bus.subscribe("topic")
    narrow: PubSub[Special] = bus
    narrow.broadcast("topic", Special())
    wide: PubSub[Event] = special  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    wide.broadcast("topic", Event())
    bus.broadcast("topic", "news")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    bus.broadcast(Event(), "topic")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    bus.subscribe(7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    PubSub.child_spec()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
