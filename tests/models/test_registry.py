"""Registries, step by step against their model: entries, links, listeners, names, what is read."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from runtime import is_alive, link, self_, unlink, via
from tests.models.machine import examples
from tests.models.registry_machine import KEY, MEMBER, SLOT, VALUE, Comings, fitting
from tests.models.registry_model import PREDICATES, Refused
from tests.models.registry_parts import UNHASHABLE, Oops, raises
from tests.models.registry_reading import differing, predict, read
from tests.support import Ask, Do, Note, Scripted

WHAT = "register register register update_value unregister unregister_match link unlink"


class Deed(NamedTuple):
    """Something that a member does to a registry; ``fits`` also says how a value is updated."""

    what: str
    number: int
    slot: str
    at: int
    value: object
    fits: str


FIT = st.sampled_from((*PREDICATES, "raises"))
DEED = st.builds(Deed, st.sampled_from(WHAT.split()), MEMBER, SLOT, KEY, VALUE, FIT)


class RegistryMachine(Comings):
    """And what they do, who listens, and all that can be read."""

    # -- what members do ----------------------------------------------------------------------

    @rule(deeds=st.lists(DEED, min_size=1, max_size=8))
    def work(self, deeds: list[Deed]) -> None:
        """Several things one after the other: a state of some size comes of it sooner."""
        for deed in deeds:
            self.act(deed.number, partial(self.do_it, deed), partial(self.predict_it, deed))

    def do_it(self, deed: Deed) -> object:
        """In the member's process."""
        registry, key = self.handles[deed.slot], self.keys[deed.at]

        def change(_old: object) -> object:
            if deed.fits == "raises":
                raise Oops
            if deed.fits == "no value":
                registry.unregister(key)
            return deed.value

        match deed.what:
            case "register":
                registry.register(key, deed.value)
            case "unregister":
                registry.unregister(key)
            case "unregister_match":
                registry.unregister_match(key, fitting(deed.fits))
            case "update_value":
                return registry.update_value(key, change)
            case "link":
                link(registry)
            case _:
                unlink(registry)
        return None

    def predict_it(self, deed: Deed, who: str) -> object:
        """What the model does and says."""
        world, slot, key = self.world, deed.slot, self.keys[deed.at]
        match deed.what:
            case "register":
                world.register(who, slot, key, deed.value)
            case "unregister":
                world.unregister(who, slot, key)
            case "unregister_match":
                world.unregister_match(who, slot, key, deed.fits)
            case "update_value":
                return world.update_value(who, slot, key, deed.fits, deed.value)
            case "link":
                world.link(who, slot)
            case _:
                world.unlink(who, slot)
        return None

    # -- other requests -----------------------------------------------------------------------

    @rule(slot=SLOT, at=KEY, value=VALUE, what=st.sampled_from(("put", "delete")))
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

    @rule(number=MEMBER, slot=SLOT, key=st.sampled_from(UNHASHABLE))
    def what_is_no_key(self, number: int, slot: str, key: Any) -> None:
        registry = self.handles[slot]

        def refused(_who: object = None) -> None:
            self.world.registry(slot)
            raise Refused("TypeError")

        for fn in (registry.register, registry.unregister, registry.lookup, registry.values):
            self.act(number, partial(fn, key), refused)

    @rule(slot=SLOT, at=KEY)
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

    @rule(number=MEMBER, slot=SLOT, at=KEY)
    def dispatch_with_a_mistake(self, number: int, slot: str, at: int) -> None:
        """What is called raises in the caller, and nobody else is hurt (REG-022)."""
        registry, key = self.handles[slot], self.keys[at]

        def predicted(_who: str) -> None:
            if self.world.registry(slot).under(key):
                raise Refused("Oops")

        self.act(number, lambda: registry.dispatch(key, raises), predicted)

    @rule(number=MEMBER, slot=SLOT, at=KEY)
    def look_at_oneself(self, number: int, slot: str, at: int) -> None:
        """A process is the default of what it asks."""
        registry, key = self.handles[slot], self.keys[at]

        def predicted(who: str) -> object:
            model = self.world.registry(slot)
            return model.keys(who), [row.value for row in model.of(who, key)]

        self.act(number, lambda: (registry.keys(), registry.values(key)), predicted)

    # -- all that can be seen -----------------------------------------------------------------

    @invariant()
    def everybody_sees_what_the_model_has(self) -> None:
        recent = dict(list(self.refs.items())[-6:])

        async def step() -> dict[str, object]:
            alive = {name for name, one in self.refs.items() if is_alive(one)}
            assert alive == set(self.world.traps)
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
TestRegistry.settings = examples(40)
