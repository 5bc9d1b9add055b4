"""A whole scenario against what Elixir printed for it, line by line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import trio

from runtime import (
    AlreadyStarted,
    CallExit,
    Cast,
    Node,
    NoProcess,
    ProcessNotFound,
    Ref,
    Shutdown,
    StartFailed,
    is_alive,
    send,
    start,
)
from runtime.registry import Registered, Unregistered
from runtime.registry_entries import Entry
from runtime.registry_ref import AlreadyRegistered, RegistryRef
from runtime.via import via
from tests.conftest import Recorder
from tests.runtime.registering import Client, Do, client, got, on, start_registry
from tests.support import end_of, stop_all

EXPECTED = """
-- duplicate dispatch in registration order
register ok
register ok
register ok
register ok
lookup [1,2,3,4] count 4
dispatch [1,2,3,4]
a got 1
b got 2
a got 3
c got 4
dispatch to nobody ok
a keys [topic,topic] a values [1,3]
-- unregister affects only the caller's entries, all of them
main unregister ok lookup [1,2,3,4]
a unregister ok lookup [2,4]
-- unregister_match
lookup [{y,2}] keys [m]
match [{y,2}] none []
-- death cleans up
lookup [4] count 2
-- a failing dispatch callback fails in the dispatcher only
dispatch raise ValueError: cb c alive true
-- unique keys, listeners
a registers ok
listener register k 1
a again already_registered value [1]
c refused, holder is a true
c update_value error a update_value {2,1}
-- holder dies: no unregister event, key is free
lookup []
c registers ok
listener register k 9
c unregister ok
listener unregister k
-- 1 and 1.0 are different keys
listener register 1 int
listener register 1.0 float
int [int] float [float]
-- via names
listener register agent nil
get 5 whereis true
second start already_started same true
whereis after stop nil call exit noproc cast ok
restart under the same name ok get 7
listener register agent nil
duplicate registry as via: raise StartFailed
unknown registry: raise ProcessNotFound
-- stopping the registry shuts its registrants down
c down shutdown
"""


def show(value: object) -> str:
    """A value as the lines above have it."""
    match value:
        case None:
            return "nil"
        case bool():
            return str(value).lower()
        case list():
            return f"[{','.join(map(show, value))}]"
        case tuple():
            return f"{{{','.join(map(show, value))}}}"
        case _:
            return str(value)


def values(entries: list[Entry[Any]]) -> str:
    return show([entry.value for entry in entries])


class Scenario:
    """Three clients, a main process that listens, and what was seen."""

    def __init__(self, main: Ref, a: Ref, b: Ref, c: Ref) -> None:
        self.main, self.a, self.b, self.c = main, a, b, c
        self.lines: list[str] = []
        self.heard = 0

    def out(self, line: str) -> None:
        self.lines.append(line)

    async def do(self, process: Ref, fn: Callable[..., object], *args: Any) -> str:
        """``fn(*args)`` in a process: ``ok``, or what became of it."""
        try:
            result = await on(process, fn, *args)
        except AlreadyRegistered:
            return "already_registered"
        except ValueError as exc:
            return f"raise {type(exc).__name__}: {exc}"
        return "ok" if result is None else show(result)

    async def ears(self) -> None:
        """What the listener has heard since."""
        messages = await got(self.main)
        for message in messages[self.heard :]:
            if isinstance(message, Registered):
                self.out(f"listener register {show(message.key)} {show(message.value)}")
            elif isinstance(message, Unregistered):
                self.out(f"listener unregister {show(message.key)}")
        self.heard = len(messages)

    # -- the parts of the scenario ----------------------------------------------------------

    async def duplicates(self, bus: RegistryRef[str, Any]) -> None:
        a, b, c, out = self.a, self.b, self.c, self.out
        out("-- duplicate dispatch in registration order")
        for process, value in ((a, 1), (b, 2), (a, 3), (c, 4)):
            out(f"register {await self.do(process, bus.register, 'topic', value)}")
        out(f"lookup {values(bus.lookup('topic'))} count {bus.count()}")
        entries: list[Entry[Any]] = []
        await on(self.main, bus.dispatch, "topic", entries.extend)
        out(f"dispatch {values(entries)}")
        called = {a.pid: (a, "a"), b.pid: (b, "b"), c.pid: (c, "c")}
        for entry in entries:
            process, name = called[entry.pid]
            send(entry.pid, entry.value)
            out(f"{name} got {(await got(process))[-1]}")
        out(f"dispatch to nobody {await self.do(self.main, bus.dispatch, 'silence', out)}")
        out(f"a keys {show(bus.keys(a))} a values {show(bus.values('topic', a))}")
        out("-- unregister affects only the caller's entries, all of them")
        for name, process in (("main", self.main), ("a", a)):
            done = await self.do(process, bus.unregister, "topic")
            out(f"{name} unregister {done} lookup {values(bus.lookup('topic'))}")

    async def matching(self, bus: RegistryRef[str, Any]) -> None:
        a, c, out = self.a, self.c, self.out
        out("-- unregister_match")
        for pair in (("x", 1), ("y", 2), ("x", 3)):
            await on(a, bus.register, "m", pair)
        await on(a, bus.unregister_match, "m", lambda pair: pair[0] == "x")
        out(f"lookup {values(bus.lookup('m'))} keys {show(bus.keys(a))}")
        above_1 = bus.match("m", lambda pair: pair[1] > 1)
        floats = bus.match("m", lambda pair: pair[1] == 2.0 and type(pair[1]) is float)
        out(f"match {values(above_1)} none {values(floats)}")
        out("-- death cleans up")
        await stop_all(self.b)
        out(f"lookup {values(bus.lookup('topic'))} count {bus.count()}")
        out("-- a failing dispatch callback fails in the dispatcher only")

        def fail(_entries: object) -> None:
            raise ValueError("cb")

        failed = await self.do(self.main, bus.dispatch, "topic", fail)
        out(f"dispatch {failed} c alive {show(is_alive(c))}")

    async def uniques(self, names: RegistryRef[Any, Any]) -> None:
        a, c, out = self.a, self.c, self.out

        def add_one(value: int) -> int:
            return value + 1

        out("-- unique keys, listeners")
        out(f"a registers {await self.do(a, names.register, 'k', 1)}")
        await self.ears()
        again = await self.do(a, names.register, "k", 2)
        out(f"a again {again} value {values(names.lookup('k'))}")
        try:
            await on(c, names.register, "k", 3)
        except AlreadyRegistered as exc:
            out(f"c refused, holder is a {show(exc.pid is a.pid)}")
        assert await on(c, names.update_value, "k", add_one) is None
        updated = await self.do(a, names.update_value, "k", add_one)
        out(f"c update_value error a update_value {updated}")
        out("-- holder dies: no unregister event, key is free")
        await stop_all(a)
        await self.ears()
        out(f"lookup {values(names.lookup('k'))}")
        out(f"c registers {await self.do(c, names.register, 'k', 9)}")
        await self.ears()
        out(f"c unregister {await self.do(c, names.unregister, 'k')}")
        await self.ears()
        out("-- 1 and 1.0 are different keys")
        await on(c, names.register, 1, "int")
        await on(c, names.register, 1.0, "float")
        await self.ears()
        out(f"int {values(names.lookup(1))} float {values(names.lookup(1.0))}")

    async def names_by_way_of(self, names: RegistryRef[Any, Any]) -> None:
        out = self.out
        name = via("names", "agent")
        out("-- via names")
        agent = await start(Client.child_spec().replace(name=name))
        await self.ears()
        out(f"get {await on(name, lambda: 5)} whereis {show(name.whereis() is agent.pid)}")
        try:
            await start(Client.child_spec().replace(name=name))
        except AlreadyStarted as exc:
            out(f"second start already_started same {show(exc.pid is agent.pid)}")
        await agent.stop()
        try:
            await name.call(Do(lambda: 6))
        except CallExit as exc:
            ended = "noproc" if exc.reason == NoProcess() else show(exc.reason)
            name.cast(Whatever())
            out(f"whereis after stop {show(name.whereis())} call exit {ended} cast ok")
        await start(Client.child_spec().replace(name=name))
        out(f"restart under the same name ok get {await on(name, lambda: 7)}")
        await self.ears()
        try:
            await start(Client.child_spec().replace(name=via("bus", "z")))
        except StartFailed as exc:
            out(f"duplicate registry as via: raise {type(exc).__name__}")
        try:
            RegistryRef[int, int]("no_such").lookup(1)
        except ProcessNotFound as exc:
            out(f"unknown registry: raise {type(exc).__name__}")


class Whatever(Cast):
    """A cast to nobody."""


async def test_oracle_12_registry(node: Node, events: Recorder) -> None:
    """Differs only in how Python says an error."""
    main = await client(name="ears")
    scenario = Scenario(main, *[await client() for _ in range(3)])
    bus = await start_registry("duplicate", "bus")
    await scenario.duplicates(bus)
    await scenario.matching(bus)
    names = await start_registry("unique", "names", listeners=["ears"])
    await scenario.uniques(names)
    await scenario.names_by_way_of(names)
    scenario.out("-- stopping the registry shuts its registrants down")
    pid = scenario.c.pid
    await names.stop()
    await trio.testing.wait_all_tasks_blocked()
    down = "shutdown" if end_of(events, pid) == Shutdown() else "otherwise"
    scenario.out(f"c down {down}")
    assert scenario.lines == EXPECTED.strip().splitlines()
