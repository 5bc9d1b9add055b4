"""Stages put together at random, that crash, are cancelled, slow, revived: nothing goes astray."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from runtime import CallExit, Crashed, ProcessCrashed, is_alive, kill, named, start
from runtime.current import find_process
from runtime.exits import NORMAL, SHUTDOWN, is_clean
from runtime.instruments import EventsInExcess
from runtime.process import Process
from runtime.stages import (
    AlreadySubscribed,
    BadSubscription,
    Subscription,
    resubscribe,
    set_demand,
    subscribe,
)
from tests.models import stages_checks as checks
from tests.models.clients import Deed, Oops, weighted
from tests.models.machine import NodeMachine, examples
from tests.models.stages_parts import End, Kind, Life, Make, Mark, Middle, Push, Sink, Source, wants

KINDS: dict[str, Kind] = {
    "p0": "source", "p1": "source", "m0": "middle", "m1": "middle", "c0": "sink", "c1": "sink",
    "c2": "sink",
}  # fmt: skip
CLASSES = {"source": Source, "middle": Middle, "sink": Sink}
GIVING = ("p0", "p1", "m0", "m1")
BEFORE = {"m0": ("p0", "p1"), "m1": ("p0", "p1", "m0"), **dict.fromkeys(("c0", "c1", "c2"), GIVING)}
EDGES = st.sampled_from([(to, of) for to, those in BEFORE.items() for of in those])
RULES = st.sampled_from(("demand", "demand", "broadcast", "partition", "bounded partition"))
SIZES = st.sampled_from((None, None, 3))
KEEPS = st.sampled_from(("last", "first"))
WINDOWS = st.sampled_from(((1, 0), (2, 1), (4, 2), (5, 0), (10, 8), (10, 2)))
CANCELS = st.sampled_from(("temporary", "temporary", "temporary", "transient", "permanent"))
WAYS = st.sampled_from(("automatic", "automatic", "automatic", "manual"))
PLACES = st.sampled_from((0, 1, 0, 1, 0, 1, 7))
NAME, GIVER = st.sampled_from(tuple(KINDS)), st.sampled_from(GIVING)
SOURCE = st.sampled_from(("p0", "p1"))
NUMBER, COUNT = st.integers(0, 30), st.integers(1, 12)
SECONDS = st.sampled_from((0.25, 0.5, 3.0))
HOW = st.sampled_from(("kill", "Normal", "Shutdown", "boom", "soon", "soon"))
DEEDS = {
    "subscribe": (5, EDGES, WINDOWS, CANCELS, WAYS, PLACES, st.booleans()),
    "make": (6, SOURCE, COUNT),
    "push": (3, SOURCE, COUNT),
    "ask": (3, NUMBER, COUNT),
    "resubscribe": (1, NUMBER, WINDOWS),
    "cancel": (2, NUMBER, st.sampled_from((NORMAL, SHUTDOWN, "boom"))),
    "end_stage": (2, NAME, HOW),
    "revive": (3, NAME, RULES, SIZES, KEEPS),
    "hurry": (2, NAME, st.sampled_from((0.0, 0.25, 1.0))),
    "mark": (1, GIVER),
    "hold": (1, SOURCE, st.booleans()),
    "let_time_pass": (3, SECONDS),
}


class StagesMachine(NodeMachine):
    """Sources, stages in the middle and sinks, of which any may subscribe to any before it."""

    def __init__(self) -> None:
        super().__init__()
        self.lives: dict[object, Life] = {}  # by pid
        self.now_is: dict[str, Life] = {}
        self.subscriptions: list[Subscription] = []
        self.asked: dict[Subscription, int] = {}

    @initialize(
        rules=st.tuples(RULES, RULES, RULES, RULES),
        edges=st.lists(st.tuples(EDGES, WINDOWS, st.booleans()), min_size=3, max_size=8),
    )
    def begin(self, rules: tuple[str, ...], edges: list[Any]) -> None:
        for name, which in zip(KINDS, (*rules, "demand", "demand", "demand"), strict=True):
            self.revive(name, which, None, "last")
        for number, (edge, window, selects) in enumerate(edges):
            self.subscribe(edge, window, "temporary", "automatic", number % 2, selects)

    async def end(self) -> None:
        for life in self.now_is.values():
            assert life.pid is not None
            kill(life.pid)

    @rule(deeds=st.lists(weighted(DEEDS), min_size=3, max_size=12))
    def act(self, deeds: list[Deed]) -> None:
        """Several things, one after the other, each in a step of its own."""
        for name, arguments in deeds:
            getattr(self, name)(*arguments)
            self.nothing_goes_astray()

    @rule()
    def everything_comes_to_rest(self) -> None:
        """Nobody is slow any more: whatever can go on does."""
        for life in self.now_is.values():
            life.delay = 0.0
        self.advance(2.0)
        assert all(process.parked for process in self.processes().values())

    def do(self, fn: Callable[[], object]) -> None:
        """A plain function, in the node."""

        async def step() -> None:
            fn()

        self.run(step)

    # -- stages -----------------------------------------------------------------------------

    def revive(self, name: str, rules: Any, size: int | None, keep: Any) -> None:
        """The next incarnation of one that has ended, of its own rules."""
        before = self.now_is.get(name)
        if before is not None and self.lives_on(before):
            return
        kind = KINDS[name]
        life = Life(name, kind, rules, first_key=len(self.lives) % 7, keep=keep)
        if kind == "source" and rules != "broadcast":
            life.buffer_size = size

        async def step() -> None:
            life.pid = (await start(CLASSES[kind].child_spec(life).replace(name=name))).pid

        self.run(step)
        self.now_is[name] = self.lives[life.pid] = life

    def lives_on(self, life: Life) -> bool:
        async def step() -> bool:
            assert life.pid is not None
            return is_alive(life.pid)

        return self.run(step)

    def end_stage(self, name: str, how: str) -> None:
        """At once, in its turn, or in one of its next handlers."""
        life = self.now_is[name]
        if how == "soon":
            life.crash_in = len(life.made) % 4
        elif how == "kill":
            assert life.pid is not None
            self.do(partial(kill, life.pid))
        else:
            reason = {"Normal": NORMAL, "Shutdown": SHUTDOWN}.get(how, how)
            self.cast(name, End(reason))

    def hurry(self, name: str, delay: float) -> None:
        self.now_is[name].delay = delay

    def cast(self, name: str, message: Any) -> None:
        self.do(lambda: named(name).cast(message))

    # -- subscriptions ----------------------------------------------------------------------

    def subscribe(
        self,
        edge: tuple[str, str],
        window: tuple[int, int],
        cancel: Any,
        mode: Any,
        partition: int,
        selects: bool,
    ) -> None:
        to, of = edge
        options: dict[str, Any] = {}
        if "partition" in self.now_is[of].rules:
            options["partition"] = partition
        elif self.now_is[of].rules == "broadcast" and selects:
            options["selector"] = wants

        async def ask_for_it() -> None:
            try:
                subscription = await subscribe(
                    to, of, max_demand=window[0], min_demand=window[1], cancel=cancel, mode=mode,
                    timeout=math.inf, **options,
                )  # fmt: skip
            except CallExit:
                return
            self.remember(subscription)

        self.background(ask_for_it)

    def pick(self, number: int) -> list[Subscription]:
        """One of them, or none; also one that has ended."""
        there = self.subscriptions
        return [there[number % len(there)]] if there else []

    def ask(self, number: int, count: int) -> None:
        """Of a manual one."""
        for subscription in self.pick(number):
            if subscription.options.mode == "manual":
                self.asked[subscription] += count
                self.do(partial(subscription.ask, count))

    def cancel(self, number: int, reason: Any) -> None:
        for subscription in self.pick(number):
            self.do(partial(subscription.cancel, reason))

    def resubscribe(self, number: int, window: tuple[int, int]) -> None:
        """The same again, with another window."""
        for earlier in self.pick(number):
            self.background(partial(self.ask_for_it_again, earlier, window))

    async def ask_for_it_again(self, earlier: Subscription, window: tuple[int, int]) -> None:
        options = earlier.options
        if earlier.producer is None:
            return
        try:
            subscription = await resubscribe(
                earlier, earlier.producer, max_demand=window[0], min_demand=window[1],
                cancel=options.cancel, mode=options.mode, partition=options.partition,
                selector=options.selector, timeout=math.inf,
            )  # fmt: skip
        except (CallExit, BadSubscription):  # it is gone, or the subscription has ended
            return
        self.remember(subscription)

    def remember(self, subscription: Subscription) -> None:
        self.subscriptions.append(subscription)
        self.asked[subscription] = 0

    # -- events -----------------------------------------------------------------------------

    def make(self, name: str, count: int) -> None:
        self.cast(name, Make(count))

    def push(self, name: str, count: int) -> None:
        self.cast(name, Push(count))

    def mark(self, name: str) -> None:
        self.cast(name, Mark())

    def hold(self, name: str, holds: bool) -> None:
        self.now_is[name].was_held = True

        async def step() -> None:
            try:
                await set_demand(name, "accumulate" if holds else "forward", timeout=math.inf)
            except CallExit:
                pass

        self.background(step)

    def let_time_pass(self, seconds: float) -> None:
        self.advance(seconds)

    # -- what must hold ---------------------------------------------------------------------

    def processes(self) -> dict[Life, Process]:
        """Of those that live."""

        async def step() -> dict[Life, Process]:
            found = {life: find_process(life.pid) for life in self.now_is.values() if life.pid}
            return {life: process for life, process in found.items() if process is not None}

        return self.run(step)

    @invariant()
    def nothing_goes_astray(self) -> None:
        for life in self.lives.values():
            checks.gives_in_order(life)
            checks.gets_what_it_was_sent(life, self.lives)
            checks.hears_each_end_once(life)
            checks.asks_for_no_more_than_is_wanted(life)
        for life, process in self.processes().items():
            checks.loses_nothing(life)
            checks.broadcasts_to_all(life)
            checks.counts_its_demand(life, process)
            checks.knows_what_is_under_way(life, process, self.lives)
            self.is_not_to_have_ended(life)

    @invariant()
    def nobody_gets_more_than_it_asked_for(self) -> None:
        for subscription in self.subscriptions:
            if subscription.producer is None:
                continue  # there was nobody
            sent = self.lives[subscription.producer].given_to(subscription)
            got = self.lives[subscription.consumer].got[subscription]
            if subscription.options.mode == "manual":
                assert len(sent) <= self.asked[subscription]
            else:
                assert len(sent) - len(got) <= subscription.max_demand
        assert self.events.of(EventsInExcess) == []

    @invariant()
    def nothing_crashes_but_what_is_to(self) -> None:
        for event in self.events.of(ProcessCrashed):
            if isinstance(event.reason, Crashed):
                assert isinstance(event.reason.exception, Oops | BadSubscription)

    def is_not_to_have_ended(self, life: Life) -> None:
        """A subscription that has ended would have been the end of it."""
        for subscription, end in life.ended:
            if end.peer == "producer":
                reason = end.reason
                twice = isinstance(reason, Crashed) and isinstance(
                    reason.exception, AlreadySubscribed
                )
                mode = subscription.cancel_mode
                assert twice or mode == "temporary" or (mode == "transient" and is_clean(reason))


TestStages = StagesMachine.TestCase
TestStages.settings = examples(80, 15)
