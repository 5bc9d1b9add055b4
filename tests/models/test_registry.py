"""Registries, step by step against their model: entries, links, listeners, names, what is read."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple, get_args

from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from runtime import MailboxPolicy, is_alive, link, process_info, self_, unlink, via
from tests.models.clients import Deed, weighted
from tests.models.machine import examples
from tests.models.registry_machine import ENDS, KEY, KIND, MEMBER, SLOT, VALUE, Comings, fitting
from tests.models.registry_model import PREDICATES, Refused
from tests.models.registry_parts import UNHASHABLE, Oops, raises
from tests.models.registry_reading import differing, predict, read
from tests.support import Ask, Do, Note, Scripted

WHAT = "register register register update_value unregister unregister_match link unlink"


class Task(NamedTuple):
    """Something that a member does to a registry; ``fits`` also says how a value is updated."""

    what: str
    number: int
    slot: str
    at: int
    value: object
    fits: str


FIT = st.sampled_from((*PREDICATES, "raises"))
INITS = st.sampled_from(("works", "works", "fails", "ends"))
MEMBER_ENDS = st.sampled_from(("returns", "crashes", "kill", *ENDS))
REASONS = st.sampled_from(("Normal", "Shutdown", "boom", "kill"))
BOTHERS = st.sampled_from(("call", "cast", "exit", "suspend", "suspend", "resume"))
LISTENER, POLICY = st.sampled_from(("ear", "jar")), st.sampled_from(get_args(MailboxPolicy))
LISTENERS = st.lists(st.sampled_from(("ear", "jar", "ghost")), unique=True)
TASK = st.builds(Task, st.sampled_from(WHAT.split()), MEMBER, SLOT, KEY, VALUE, FIT)


DEEDS = {
    "work": (12, TASK),
    "join": (1, st.booleans()),
    "join_by_name": (2, SLOT, KEY, VALUE, st.booleans(), INITS),
    "end_member": (1, MEMBER, MEMBER_ENDS),
    "start_registry": (2, SLOT, KIND, LISTENERS, st.lists(KEY, max_size=2)),
    "end_registry": (1, SLOT, REASONS),
    "bother_registry": (1, SLOT, BOTHERS),
    "listen": (1, LISTENER, POLICY),
    "read_the_jar": (1,),
    "stop_listening": (1, LISTENER),
    "change_meta": (1, SLOT, KEY, VALUE, st.sampled_from(("put", "delete"))),
    "reach_by_key": (1, SLOT, KEY),
    "what_is_no_key": (1, MEMBER, SLOT, st.sampled_from(UNHASHABLE)),
    "dispatch_with_a_mistake": (1, MEMBER, SLOT, KEY),
    "look_at_oneself": (1, MEMBER, SLOT, KEY),
}


class RegistryMachine(Comings):
    """And what they do, who listens, and all that can be read."""

    @rule(deeds=st.lists(weighted(DEEDS), min_size=1, max_size=8))
    def act(self, deeds: list[Deed]) -> None:
        """Several things one after the other, each in a step of its own."""
        for name, arguments in deeds:
            getattr(self, name)(*arguments)

    # -- what members do ----------------------------------------------------------------------

    def work(self, task: Task) -> None:
        """One of the members does something to a registry."""
        self.in_member(task.number, partial(self.do_it, task), partial(self.predict_it, task))

    def do_it(self, task: Task) -> object:
        """In the member's process."""
        registry, key = self.handles[task.slot], self.keys[task.at]

        def change(_old: object) -> object:
            if task.fits == "raises":
                raise Oops
            if task.fits == "no value":
                registry.unregister(key)
            return task.value

        match task.what:
            case "register":
                registry.register(key, task.value)
            case "unregister":
                registry.unregister(key)
            case "unregister_match":
                registry.unregister_match(key, fitting(task.fits))
            case "update_value":
                return registry.update_value(key, change)
            case "link":
                link(registry)
            case _:
                unlink(registry)
        return None

    def predict_it(self, task: Task, who: str) -> object:
        """What the model does and says."""
        world, slot, key = self.world, task.slot, self.keys[task.at]
        match task.what:
            case "register":
                world.register(who, slot, key, task.value)
            case "unregister":
                world.unregister(who, slot, key)
            case "unregister_match":
                world.unregister_match(who, slot, key, task.fits)
            case "update_value":
                return world.update_value(who, slot, key, task.fits, task.value)
            case "link":
                world.link(who, slot)
            case _:
                world.unlink(who, slot)
        return None

    # -- other requests -----------------------------------------------------------------------

    def change_meta(self, slot: str, at: int, value: object, what: str) -> None:
        registry, key = self.handles[slot], self.keys[at]

        async def step() -> object:
            if what == "put":
                return self.words.get(lambda: registry.put_meta(key, value))
            return self.words.get(lambda: registry.delete_meta(key))

        def predicted() -> None:
            model = self.world.registry(slot)
            if what == "put":
                model.put_meta(key, value)
            else:
                model.delete_meta(key)

        self.compare(self.run(step), predicted)

    def what_is_no_key(self, number: int, slot: str, key: Any) -> None:
        registry = self.handles[slot]

        def refused(_who: object = None) -> None:
            self.world.registry(slot)
            raise Refused("TypeError")

        for fn in (registry.register, registry.unregister, registry.lookup, registry.values):
            self.in_member(number, partial(fn, key), refused)

    def reach_by_key(self, slot: str, at: int) -> None:
        """By way of the registry: a call, a cast and a message, or what nobody gets."""
        way, got = via(self.handles[slot], self.keys[at]), list[str]()

        async def step() -> list[object]:
            given: list[object] = []
            try:
                given.append(await way.call(Ask(lambda *_: self.words.of(self_()))))
            except Exception as exc:
                given.append(self.words.of_error(exc))
            hear = partial(self._hear, got)
            given.append(self.words.get(lambda: way.cast(Do(hear))))
            given.append(self.words.get(lambda: way.send(Note(hear))))
            return given

        given = self.run(step)
        expected: tuple[list[object], list[str]]
        try:
            who = self.world.whereis(slot, self.keys[at])
        except Refused as refused:
            expected = ([refused.args] * 3, [])
        else:
            if who is None:
                expected = ([("CallExit", "NoProcess"), [None], ("ProcessNotFound",)], [])
            else:
                expected = ([who, [None], [None]], [who, who])
        assert (given, got) == expected

    def _hear(self, got: list[str], _server: Scripted) -> None:
        got.append(self.words.names[self_()])

    def dispatch_with_a_mistake(self, number: int, slot: str, at: int) -> None:
        """What is called raises in the caller, and nobody else is hurt (REG-022)."""
        registry, key = self.handles[slot], self.keys[at]

        def predicted(_who: str) -> None:
            if self.world.registry(slot).under(key):
                raise Refused("Oops")

        self.in_member(number, lambda: registry.dispatch(key, raises), predicted)

    def look_at_oneself(self, number: int, slot: str, at: int) -> None:
        """A process is the default of what it asks."""
        registry, key = self.handles[slot], self.keys[at]

        def predicted(who: str) -> object:
            model = self.world.registry(slot)
            return model.keys(who), [row.value for row in model.of(who, key)]

        self.in_member(number, lambda: (registry.keys(), registry.values(key)), predicted)

    # -- all that can be seen -----------------------------------------------------------------

    @invariant()
    def everybody_sees_what_the_model_has(self) -> None:
        recent = dict(list(self.refs.items())[-6:])

        async def step() -> dict[str, object]:
            alive = {name for name, one in self.refs.items() if is_alive(one)}
            assert alive == set(self.world.traps)
            infos = {name: process_info(one) for name, one in self.listeners.items()}
            dropped = {name: info and info.dropped for name, info in infos.items()}
            assert dropped == {name: one.dropped for name, one in self.world.listeners.items()}
            return {
                slot: self.words.get(partial(read, one, self.keys, recent, self.words))
                for slot, one in self.handles.items()
            }

        for slot, given in self.run(step).items():
            model = self.world.running[slot]
            if model is None:
                assert given == ("ProcessNotFound",)
            else:
                assert isinstance(given, list), given
                expected = predict(model, self.keys, list(recent), self.world.links)
                assert differing(given[0], expected) == ({}, {})

    @invariant()
    def everybody_has_heard_what_the_model_says(self) -> None:
        model = self.world
        logs = {name: [self.line(one) for one in log] for name, log in self.logs.items()}
        assert logs == model.logs
        heard = {name: list(map(self.line, log)) for name, log in self.heard.items()}
        assert heard == self.heard_by_model
        deaths = sorted((self.words.names[pid], reason, left) for pid, reason, left in self.deaths)
        assert deaths == sorted((name, reason, 0) for name, reason in model.deaths)

    def line(self, one: Any) -> object:
        """What a member or a listener has written down."""
        return one if isinstance(one, str) else self.words.of(one[1])


TestRegistry = RegistryMachine.TestCase
TestRegistry.settings = examples(40, 15)
