"""The first half of the machine of registries: who comes and goes, and how results compare."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, get_args

import pytest
import trio.testing
from hypothesis import strategies as st
from hypothesis.stateful import initialize

from runtime import (
    AlreadyStarted,
    CallExit,
    ExitReason,
    MailboxLimit,
    MailboxPolicy,
    Ref,
    Registry,
    RegistryKeys,
    RegistryRef,
    Stop,
    UnhandledMessage,
    exit,
    kill,
    monitor,
    resume,
    start,
    suspend,
    via,
)
from runtime.exits import NORMAL, SHUTDOWN
from tests.models.machine import NodeMachine
from tests.models.registry_model import PREDICATES, Listener, Refused, RegistryModel, World
from tests.models.registry_parts import (
    VALUES,
    Names,
    Odd,
    Oops,
    Strange,
    Witness,
    Words,
    confusable_keys,
    member_spec,
    raises,
)
from tests.support import Ask, Do, Scripted

SLOT = st.sampled_from(("one", "one", "two"))
MEMBER = st.sampled_from((0, 0, 1, 1, 2, 3, 4))
KEY = st.sampled_from((0, 0, 1, 1, 2, 3))
KIND = st.sampled_from(get_args(RegistryKeys))
VALUE = st.sampled_from(VALUES)
ENDS: dict[str, ExitReason] = {"Normal": NORMAL, "Shutdown": SHUTDOWN, "boom": "boom"}


def fitting(name: str) -> Callable[[object], bool]:
    """A predicate by its name."""
    return raises if name == "raises" else PREDICATES[name]


class Comings(NodeMachine):
    """Two registries, one by its name and one by its pid; members; two listeners."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.words = Words()
        self.handles: dict[str, Names] = {"one": RegistryRef("one"), "two": RegistryRef("nobody")}
        self.refs: dict[str, Ref] = {}
        self.logs: dict[str, list[Any]] = {}
        self.listeners: dict[str, Ref] = {}
        self.heard: dict[str, list[Any]] = {"ear": [], "jar": []}
        self.heard_by_model: dict[str, list[str]] = {"ear": [], "jar": []}
        self.deaths: list[Any] = []
        self.keys: list[Hashable] = []

    @initialize(keys=confusable_keys(4), kind=KIND)
    def begin(self, keys: list[Hashable], kind: RegistryKeys) -> None:
        self.keys = keys
        witness = Witness.child_spec(self.handles, self.deaths)
        self.witness = self.started(witness)
        self.listen("ear", "raise")
        self.listen("jar", "drop_oldest")
        self.start_registry("one", "unique", ["ear", "jar"], [])
        self.start_registry("two", kind, ["ghost", "ear"], [0])
        for trap in (False, False, True):
            self.join(trap)

    async def end(self) -> None:
        for one in (*self.refs.values(), *self.listeners.values(), self.witness):
            kill(one)
        for slot, registry in self.handles.items():
            if self.world.running[slot] is not None:
                kill(registry)

    def started(self, spec: Any) -> Ref:
        async def step() -> Ref:
            return await start(spec)

        return self.run(step)

    def do(self, fn: Callable[[], object]) -> None:
        """A plain function, in the node and in no process."""

        async def step() -> None:
            fn()

        self.run(step)

    # -- how the two are compared -------------------------------------------------------------

    def compare(self, given: object, predicted: Callable[[], object]) -> None:
        """What an operation gave, and what the model says of it."""
        try:
            expected: object = [predicted()]
        except Refused as refused:
            expected = refused.args
        assert repr(given) == repr(expected)

    def member(self, number: int) -> str:
        """The last one that has died, for 4; else one that lives."""
        dead = [name for name in self.refs if name not in self.world.traps]
        alive = list(self.world.traps)
        if not alive or (number == 4 and dead):
            return dead[-1]
        return alive[number % len(alive)]

    def in_member(
        self, number: int, fn: Callable[[], object], predicted: Callable[[str], Any]
    ) -> None:
        """Do something in the process of a member, dead or alive."""
        name = self.member(number)

        async def step() -> object:
            (given,) = await self.refs[name].call(Ask(lambda *_: (self.words.get(fn),)))
            return given

        def expected() -> object:
            if name not in self.world.traps:
                raise Refused("CallExit", "NoProcess")
            return predicted(name)

        try:
            given = self.run(step)
        except CallExit as exc:
            given = self.words.of_error(exc)
        self.compare(given, expected)

    # -- registries come and go ---------------------------------------------------------------

    def start_registry(
        self, slot: str, kind: RegistryKeys, listeners: list[str], meta: list[int]
    ) -> None:
        running = self.world.running[slot]
        if slot == "two" and running is not None:
            return
        stored = {self.keys[at]: at for at in meta}
        spec = Registry.child_spec(kind, listeners=listeners, meta=stored)
        if running is not None:
            with pytest.raises(AlreadyStarted) as info:
                self.started(spec.replace(name="one"))
            assert self.words.of(info.value.pid) == running.pid
            return
        registry = self.started(spec.replace(name="one") if slot == "one" else spec)
        pid = self.words.names[registry.pid] = f"r{len(self.words.names)}"
        called = "one" if slot == "one" else pid
        model = RegistryModel(pid, called, kind == "unique", tuple(listeners), [*stored.items()])
        self.world.running[slot] = model
        if slot == "two":
            self.handles["two"] = RegistryRef(registry)
            self.world.handles["two"] = pid

    def end_registry(self, slot: str, how: str) -> None:
        if self.world.running[slot] is None:
            return
        registry = self.handles[slot]

        async def step() -> None:
            if how == "kill":
                kill(registry)
            else:
                await registry.stop(ENDS[how])

        self.run(step)
        self.world.end_registry(slot, "Killed" if how == "kill" else how)

    def bother_registry(self, slot: str, what: str) -> None:
        """It lives through all of this, and is read also while it is suspended."""
        if self.world.running[slot] is None:
            return
        registry = self.handles[slot]

        async def call() -> None:
            await resume(registry)
            await registry.call(Strange())

        async def other() -> None:
            match what:
                case "cast":
                    registry.cast(Odd())
                case "exit":
                    exit(registry, "boom")
                case "suspend":
                    await suspend(registry)
                case _:
                    await resume(registry)

        if what == "call":
            with pytest.raises(UnhandledMessage):
                self.run(call)
        else:
            self.run(other)

    # -- members come and go ------------------------------------------------------------------

    def join(self, trap: bool) -> None:
        name = f"m{len(self.logs)}"
        spec, self.logs[name] = member_spec(name, self.words, self.handles, trap=trap)
        self.joined(name, self.started(spec))
        self.world.join(name, trap=trap)

    def joined(self, name: str, member: Ref) -> None:
        self.refs[name] = member

        def watch(_witness: object) -> None:
            monitor(member)

        self.do(lambda: self.witness.cast(Do(watch)))

    def join_by_name(self, slot: str, at: int, value: object, trap: bool, init: str) -> None:
        name, how = f"m{len(self.logs)}", f"{init} {slot}"
        spec, self.logs[name] = member_spec(name, self.words, self.handles, trap=trap, init=how)
        by_name = spec.replace(name=via(self.handles[slot], self.keys[at], value))
        given: object = [None]
        try:
            self.joined(name, self.started(by_name))
        except Exception as exc:
            given = self.words.of_error(exc)
        self.world.logs[name] = []
        self.compare(
            given,
            lambda: self.world.start_by_name(
                name, slot, self.keys[at], value, trap=trap, init=init
            ),
        )

    def end_member(self, number: int, how: str) -> None:
        name = self.member(number)
        member = self.refs[name]

        def oops(_server: Scripted) -> None:
            raise Oops

        match how:
            case "returns":
                self.do(lambda: member.cast(Do(lambda _: Stop(NORMAL))))
            case "crashes":
                self.do(lambda: member.cast(Do(oops)))
            case "kill":
                self.do(lambda: kill(member))
            case _:
                self.do(lambda: exit(member, ENDS[how]))
        if name in self.world.traps:
            match how:
                case "returns" | "crashes":
                    self.world.end_member(name, "Normal" if how == "returns" else "crash Oops")
                case "kill":
                    self.world.end_member(name, "Killed", killed=True)
                case _:
                    self.world.signal(name, "None", how)

    # -- listeners ----------------------------------------------------------------------------

    def listen(self, name: str, policy: MailboxPolicy) -> None:
        """A listener starts: the ear hears at once, the jar has room for two."""
        if name in self.listeners:
            return
        room = 2 if name == "jar" else None
        limit = None if room is None else MailboxLimit(room, policy)
        spec = Scripted.child_spec(self.heard[name]).replace(name=name, mailbox=limit)
        self.listeners[name] = listener = self.started(spec)
        heard = self.heard_by_model[name]
        self.world.listeners[name] = Listener(heard, room, policy == "drop_oldest")

        async def step() -> None:
            await suspend(listener)

        if name == "jar":
            self.run(step)

    def read_the_jar(self) -> None:
        if "jar" not in self.listeners:
            return

        async def step() -> None:
            await resume(self.listeners["jar"])
            await trio.testing.wait_all_tasks_blocked()
            await suspend(self.listeners["jar"])

        self.run(step)
        self.world.listeners["jar"].read()

    def stop_listening(self, name: str) -> None:
        if name not in self.listeners:
            return
        self.do(lambda: kill(self.listeners.pop(name)))
        del self.world.listeners[name]
