"""12_registry.exs: keys that are unique or not, dispatch, listeners, owners, names by ``via``."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec

from runtime import (
    Agent,
    AgentRef,
    Call,
    Cast,
    Entry,
    Pid,
    Registered,
    Registry,
    RegistryRef,
    Unregistered,
    is_alive,
    monitor,
    receive,
    register,
    self_,
    send,
    spawn,
    start,
    start_link,
    via,
)
from tests.oracle.rendering import or_error, say
from tests.oracle.trace import (
    Trace,
    answer,
    answered,
    attempt,
    await_down,
    flush,
    kill_and_wait,
    refusal,
)


class Run(msgspec.Struct, frozen=True):
    """Do this and send ``Ran`` with the result."""

    fn: Callable[[], object]
    sender: Pid


class Ran(msgspec.Struct, frozen=True):
    result: object


class Event(msgspec.Struct, frozen=True):
    value: object


class Ask(Call[object]):
    """For an agent, which does not know it."""


class Tell(Cast):
    """Likewise."""


async def client(trace: Trace, name: str) -> None:
    """Does what it is told, and prints the events it gets."""
    while True:
        match await receive((Run, Event)):
            case Run(fn, sender):
                send(sender, Ran(fn()))
            case Event(value):
                trace.out(f"{name} got {say(value)}")


async def on(p: Pid, fn: Callable[[], object]) -> object:
    """What a function returns in a client."""
    send(p, Run(fn, self_()))
    return (await receive(Ran)).result


async def answer_on(p: Pid, fn: Callable[[], object]) -> object:
    """What the OTP function returns in a client."""
    return await on(p, partial(answered, fn))


def ok(result: object) -> str:
    match result:
        case ("error", ("already_registered", _)):
            return "already_registered"
        case _:
            return say(result)


def values(entries: list[Entry[Any]]) -> str:
    return say([entry.value for entry in entries])


async def ears(trace: Trace) -> None:
    """Print what this process, which listens, has heard."""
    for message in await flush(30):
        match message:
            case Registered(key=key, value=value):
                trace.out(f"listener register {say(key)} {say(value)}")
            case Unregistered(key=key):
                trace.out(f"listener unregister {say(key)}")
            case _:
                raise AssertionError(message)


async def scenario(trace: Trace) -> None:
    out = trace.out
    register("ears")
    await start_link(Registry.child_spec("duplicate").replace(name="bus"))
    a, b, c = [spawn(client, trace, name) for name in "abc"]
    bus: RegistryRef[str, Any] = RegistryRef("bus")
    await duplicate_keys(trace, bus, a, b, c)
    out("-- unique keys, listeners")
    await start_link(Registry.child_spec("unique", listeners=["ears"]).replace(name="names"))
    names: RegistryRef[Any, Any] = RegistryRef("names")
    await unique_keys(trace, names, a, c)
    await via_names(trace)
    out("-- stopping the registry shuts its registrants down")
    m = monitor(c)
    await names.stop()
    out(f"c down {say(await await_down(m))}")


async def duplicate_keys(trace: Trace, bus: RegistryRef[str, Any], a: Pid, b: Pid, c: Pid) -> None:
    out = trace.out
    out("-- duplicate dispatch in registration order")
    for p, value in ((a, 1), (b, 2), (a, 3), (c, 4)):
        out(f"register {ok(await answer_on(p, partial(bus.register, 'topic', value)))}")
    out(f"lookup {values(bus.lookup('topic'))} count {bus.count()}")
    await dispatch(trace, bus)
    silence = answered(lambda: bus.dispatch("silence", lambda _entries: out("never")))
    out(f"dispatch to nobody {say(silence)}")
    out(f"a keys {say(bus.keys(a))} a values {say(bus.values('topic', a))}")
    out("-- unregister affects only the caller's entries, all of them")
    mine = answered(lambda: bus.unregister("topic"))
    out(f"main unregister {say(mine)} lookup {values(bus.lookup('topic'))}")
    of_a = await answer_on(a, lambda: bus.unregister("topic"))
    out(f"a unregister {say(of_a)} lookup {values(bus.lookup('topic'))}")
    out("-- unregister_match")
    for pair in (("x", 1), ("y", 2), ("x", 3)):
        await on(a, partial(bus.register, "m", pair))
    await on(a, lambda: bus.unregister_match("m", lambda value: value[0] == "x"))
    out(f"lookup {values(bus.lookup('m'))} keys {say(bus.keys(a))}")
    matching = bus.match("m", lambda value: value[1] > 1)
    none = bus.match("m", lambda value: isinstance(value[1], float) and value[1] == 2.0)
    out(f"match {values(matching)} none {values(none)}")
    out("-- death cleans up")
    await kill_and_wait(b)
    out(f"lookup {values(bus.lookup('topic'))} count {bus.count()}")
    out("-- a failing dispatch callback fails in the dispatcher only")

    def fail(_entries: object) -> None:
        raise RuntimeError("cb")

    result = await attempt(lambda: bus.dispatch("topic", fail))
    out(f"dispatch {result} c alive {say(is_alive(c))}")


async def dispatch(trace: Trace, bus: RegistryRef[str, Any]) -> None:
    """The function of a dispatch is a plain one, so what is awaited for each entry comes after."""
    found: list[Entry[Any]] = []

    def print_and_keep(entries: list[Entry[Any]]) -> None:
        trace.out(f"dispatch {values(entries)}")
        found.extend(entries)

    bus.dispatch("topic", print_and_keep)
    for entry in found:
        send(entry.pid, Event(entry.value))
        await on(entry.pid, lambda: None)


async def unique_keys(trace: Trace, names: RegistryRef[Any, Any], a: Pid, c: Pid) -> None:
    out = trace.out
    out(f"a registers {ok(await answer_on(a, lambda: names.register('k', 1)))}")
    await ears(trace)
    again = ok(await answer_on(a, lambda: names.register("k", 2)))
    out(f"a again {again} value {values(names.lookup('k'))}")
    refused = await answer_on(c, lambda: names.register("k", 3))
    holder = refusal(refused, "already_registered")
    out(f"c refused, holder is a {say(holder is a)}")

    def add_one() -> object:
        return or_error(names.update_value("k", lambda value: value + 1))

    by_c, by_a = await on(c, add_one), await on(a, add_one)
    out(f"c update_value {say(by_c)} a update_value {say(by_a)}")
    out("-- holder dies: no unregister event, key is free")
    await kill_and_wait(a)
    await ears(trace)
    out(f"lookup {values(names.lookup('k'))}")
    out(f"c registers {ok(await answer_on(c, lambda: names.register('k', 9)))}")
    await ears(trace)
    out(f"c unregister {say(await answer_on(c, lambda: names.unregister('k')))}")
    await ears(trace)
    out("-- 1 and 1.0 are different keys")
    await on(c, lambda: names.register(1, "int"))
    await on(c, lambda: names.register(1.0, "float"))
    await ears(trace)
    out(f"int {values(names.lookup(1))} float {values(names.lookup(1.0))}")


def same(state: int) -> int:
    return state


async def via_names(trace: Trace) -> None:
    out = trace.out
    out("-- via names")
    name = via("names", "agent")
    by_name: AgentRef[int] = AgentRef(name)
    ag = await start(Agent.child_spec(lambda: 5).replace(name=name))
    await ears(trace)
    out(f"get {say(await by_name.get(same))} whereis {say(name.whereis() is ag.pid)}")
    second = await answer(start(Agent.child_spec(lambda: 6).replace(name=name)))
    again = refusal(second, "already_started")
    out(f"second start already_started same {say(again is ag.pid)}")
    await ag.stop()
    out(
        f"whereis after stop {say(name.whereis())} call {await attempt(lambda: name.call(Ask()))} "
        f"cast {say(answered(lambda: name.cast(Tell())))}"
    )
    third = await answer(start(Agent.child_spec(lambda: 7).replace(name=name)))
    word = third[0] if isinstance(third, tuple) else third
    out(f"restart under the same name {say(word)} get {say(await by_name.get(same))}")
    await ears(trace)
    duplicate = Agent.child_spec(lambda: 0).replace(name=via("bus", "z"))
    out(f"duplicate registry as via: {await attempt(lambda: answer(start(duplicate)))}")
    unknown: RegistryRef[int, Any] = RegistryRef("no_such")
    out(f"unknown registry: {await attempt(lambda: unknown.lookup(1))}")
