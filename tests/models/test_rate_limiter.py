"""Limiters, step by step against their model: who gets a permit when, and every number."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, cast

import pytest
import trio
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from runtime import (
    Call,
    Cast,
    Pid,
    Ref,
    UnhandledMessage,
    is_alive,
    kill,
    resume,
    start,
    suspend,
    wait_exit,
)
from runtime.exits import NORMAL, SHUTDOWN
from supervisors import LimiterFull, LimiterStats, Permit, RateLimiter, RateLimiterRef
from tests.models.clients import Caller, Deed, Office, at_once, say, weighted
from tests.models.limiter_model import Ask, Bucket, LimiterModel, Outcome
from tests.models.machine import NodeMachine, examples

LATE = 2.0**-30  # so no time-out is due together with a token
SECONDS = st.sampled_from((0.25, 0.5, 1.0, 2.0, 6.0))
PATIENCE = st.sampled_from((math.inf, math.inf, 0.0, *(s + LATE for s in (0.5, 1.0, 3.0))))
LIMITS = st.sampled_from((None, 1, 2, 3))
IDLE = st.sampled_from((None, None, 0.5, 1.5))
RATES = st.sampled_from(
    ((None, 1.0, None), (1, 1.0, None), (4, 1.0, None), (2, 1.0, 3), (1, 2.0, 2), (0.5, 1.0, None))
)
WHO = st.sampled_from(("plain", "a", "a", "b"))
OFFICE = st.sampled_from(("a", "b"))
HOW = st.sampled_from(("acquires", "acquires", "in a block", "tries"))
NUMBER = st.integers(0, 9)
REASONS = st.sampled_from(("Normal", "Shutdown", "boom", "kill"))
BOTHERS = st.sampled_from(
    ("suspend", "suspend", "resume", "resume", "call", "cast", "send", "send")
)
OFFICE_ENDS = st.sampled_from(("kill", "returns", "crashes", "boom"))
DEEDS = {
    "ask": (7, WHO, HOW, PATIENCE),
    "let_time_pass": (4, SECONDS),
    "release": (3, NUMBER),
    "leave": (1, NUMBER),
    "cancel": (2, NUMBER),
    "end_office": (2, OFFICE, OFFICE_ENDS),
    "open_office": (2, OFFICE),
    "resize": (1, LIMITS),
    "set_rate": (1, RATES),
    "bother_it": (2, BOTHERS),
    "change_options": (1, LIMITS, RATES, LIMITS, IDLE),
    "end_limiter": (1, REASONS),
    "what_is_refused_at_the_call": (1, st.sampled_from((-1.0, math.nan)), st.integers(-1, 0)),
}
Rate = tuple[float | None, float, int | None]


class Strange(Call[int]):
    """A call no limiter knows."""


class Odd(Cast):
    """A cast no limiter knows."""


class LimiterMachine(NodeMachine):
    """A limiter by its name, which may end and be started anew, and those who ask it."""

    def __init__(self) -> None:
        super().__init__()
        self.limiter = RateLimiterRef("limiter")
        self.model = LimiterModel(0.0, 1, None, None, None, running=False)
        self.offices: dict[str, Office] = {}
        self.asks: list[tuple[Caller[Any], Ask]] = []
        self.changes: list[tuple[Caller[None], Ask]] = []
        self.names: dict[Pid, str] = {}
        self.models: list[LimiterModel] = []  # those before
        self.ends: list[tuple[str, float]] = []

    @initialize(limit=LIMITS, rate=RATES, max_queue=LIMITS, idle=IDLE)
    def begin(
        self, limit: int | None, rate: Rate, max_queue: int | None, idle: float | None
    ) -> None:
        self.change_options(limit, rate, max_queue, idle)
        self.open_office("a")

    @rule(deeds=st.lists(weighted(DEEDS), min_size=1, max_size=8))
    def act(self, deeds: list[Deed]) -> None:
        """Several things one after the other, each in a step of its own."""
        if not self.model.running:
            self.start()
        for name, arguments in deeds:
            getattr(self, name)(*arguments)
            self.everybody_got_what_the_model_says()

    async def end(self) -> None:
        kill(self.limiter)
        for office in self.offices.values():
            kill(office.pid)
        for caller, _ in (*self.asks, *self.changes):
            caller.scope.cancel()

    def do(self, fn: Callable[[], object]) -> None:
        """A plain function, in the node and in no process."""

        async def step() -> None:
            fn()

        self.run(step)

    # -- the limiter --------------------------------------------------------------------------

    def change_options(
        self, limit: int | None, rate: Rate, max_queue: int | None, idle: float | None
    ) -> None:
        """Of the next limiter."""
        self.options = limit, rate, max_queue, idle

    def start(self) -> None:
        limit, (number, per, burst), max_queue, idle_stop = self.options
        if limit is None and number is None:
            with pytest.raises(ValueError, match="one of them or both"):
                RateLimiter.child_spec(None)
            limit = 1
        spec = RateLimiter.child_spec(
            limit, rate=number, per=per, burst=burst, max_queue=max_queue, idle_stop=idle_stop
        )

        async def step() -> Ref:
            return await start(spec.replace(name="limiter"))

        limiter = self.run(step)

        async def watch() -> None:
            self.ends.append((say(await wait_exit(limiter)), trio.current_time()))

        self.background(watch)
        bucket = None if number is None else Bucket.full(number, per, burst, self.now)
        self.models.append(self.model)
        self.model = LimiterModel(self.now, limit, bucket, max_queue, idle_stop)

    def end_limiter(self, how: str) -> None:
        if not self.model.running:
            return
        reason = {"Normal": NORMAL, "Shutdown": SHUTDOWN}.get(how, how)

        async def step() -> None:
            if how == "kill":
                kill(self.limiter)
            else:
                await self.limiter.stop(reason)

        self.run(step)
        self.model.end("Killed" if how == "kill" else how)

    def bother_it(self, what: str) -> None:
        """It lives through all of this."""
        if not self.model.running or (what == "call" and self.model.suspended):
            return

        async def step() -> None:
            match what:
                case "suspend":
                    await suspend(self.limiter)
                case "resume":
                    await resume(self.limiter)
                case "call":
                    with pytest.raises(UnhandledMessage):
                        await self.limiter.call(Strange())
                case "cast":
                    self.limiter.cast(Odd())
                case _:
                    self.limiter.send("a stray message")

        self.run(step)
        if what == "suspend":
            self.model.suspended = True
        elif what == "resume":
            self.model.resume()
        elif what == "call":
            self.model.request()

    # -- who asks -----------------------------------------------------------------------------

    def ask(self, who: str, how: str, patience: float) -> None:
        """A plain task or a process."""
        office = self.offices.get(who)
        if office is None and who != "plain":
            return
        deadline = self.now + patience if patience else math.inf
        holder = None if office is None else office.name
        ask = Ask(holder, deadline, None if patience else ("CallTimeout",))
        fn: Callable[[], Awaitable[Permit | None]]
        match how:
            case "tries":
                fn, ask.deadline, ask.tries = self.limiter.try_acquire, math.inf, ("nothing",)
            case "acquires":
                fn = partial(self.limiter.acquire, timeout=patience)
            case _:
                ask.in_block = True
                fn = partial(self.in_a_block, patience)
        caller = Caller(fn, self.in_words)
        self.asks.append((caller, ask))
        if office is None:
            self.background(caller.run)
        else:
            self.do(partial(office.start, caller.run))
        self.model.ask(ask)

    async def in_a_block(self, patience: float) -> Permit:
        caller = self.asks[-1][0]
        async with self.limiter.permit(timeout=patience) as permit:
            caller.has(permit)
            await caller.leave.wait()
        return permit

    def in_words(self, given: Permit | Exception | None) -> Outcome:
        """What an ask gave, as the model says it."""
        match given:
            case None:
                return ("nothing",)
            case Permit():
                holder = given.holder and self.names[given.holder]
                return ("permit", given.number, holder)
            case LimiterFull():
                return ("LimiterFull", given.limit, given.queued)
            case _:
                return (type(given).__name__,)

    def pick(self, number: int, fits: Callable[[Ask], bool]) -> list[tuple[Caller[Any], Ask]]:
        """One of the asks that fit, or none."""
        there = [pair for pair in self.asks if fits(pair[1])]
        return [there[number % len(there)]] if there else []

    def cancel(self, number: int) -> None:
        """A waiter, or whoever is in a block."""
        for caller, ask in self.pick(number, lambda ask: ask.outcome is None or ask.in_block):
            self.do(caller.scope.cancel)
            self.model.give_up(ask, "gone")
            ask.leave_block()

    def leave(self, number: int) -> None:
        """A block that holds a permit."""
        for caller, ask in self.pick(number, lambda ask: ask.in_block and ask.number > 0):
            self.do(caller.leave.set)
            ask.leave_block()

    def release(self, number: int) -> None:
        """A permit: also another's, also a second time, or of a limiter that has ended."""
        for caller, ask in self.pick(number, lambda ask: ask.number > 0):
            assert isinstance(caller.got, Permit)
            self.do(partial(self.limiter.release, caller.got))
            ask.give_back()

    def open_office(self, who: str) -> None:
        if who not in self.offices:
            self.do(lambda: self.offices.update({who: Office(f"{who}{len(self.names)}")}))
            self.names[self.offices[who].pid] = self.offices[who].name

    def end_office(self, who: str, how: str) -> None:
        """Whoever waits there is gone, blocks are left, and what else it holds is reclaimed."""
        office = self.offices.pop(who, None)
        if office is not None:
            self.do(partial(office.end, how))
            mine = [ask for _, ask in self.asks if ask.holder == office.name]
            for ask in mine:
                self.model.give_up(ask, "gone")
            for ask in mine:
                ask.leave_block()
            self.model.holder_died(office.name)

    # -- changes and time ---------------------------------------------------------------------

    def resize(self, limit: int | None) -> None:
        self.change(partial(self.limiter.resize, limit), partial(LimiterModel.resize, limit=limit))

    def set_rate(self, rate: Rate) -> None:
        number, per, burst = rate
        self.change(
            partial(self.limiter.set_rate, number, per=per, burst=burst),
            partial(LimiterModel.set_rate, rate=number, per=per, burst=burst),
        )

    def change(
        self, made: Callable[[], Awaitable[None]], predicted: Callable[[LimiterModel], str]
    ) -> None:
        caller, ask, model = Caller(made, done_or_not), Ask(None), self.model
        self.changes.append((caller, ask))
        self.background(caller.run)
        model.change(ask, lambda: predicted(model))

    def let_time_pass(self, seconds: float) -> None:
        self.advance(seconds)
        self.model.advance(seconds)

    def what_is_refused_at_the_call(self, bad: float, limit: int) -> None:
        """And changes nothing."""

        async def step() -> None:
            with pytest.raises(ValueError, match="timeout: got"):
                await self.limiter.acquire(timeout=bad)
            with pytest.raises(ValueError, match="limit: got"):
                await self.limiter.resize(limit)
            with pytest.raises(ValueError, match="rate: got"):
                await self.limiter.set_rate(bad)
            with pytest.raises(TypeError, match="permit: got"):
                self.limiter.release(cast("Permit", 1))

        self.run(step)

    # -- all that can be seen -----------------------------------------------------------------

    @invariant()
    def everybody_got_what_the_model_says(self) -> None:
        pairs = (*self.asks, *self.changes)
        assert [caller.outcome for caller, _ in pairs] == [ask.outcome for _, ask in pairs]
        ends = [model.ended for model in (*self.models, self.model) if model.ended is not None]
        assert self.ends == ends

    @invariant()
    def the_numbers_are_the_models(self) -> None:
        model = self.model

        async def step() -> LimiterStats | None:
            if not is_alive(self.limiter):
                return None
            return None if model.suspended else await self.limiter.stats()

        stats = self.run(partial(at_once, step))
        if not model.running or model.suspended:
            assert stats is None
            return
        bucket = model.bucket
        assert stats == LimiterStats(
            limit=model.limit,
            rate=None if bucket is None else bucket.rate,
            per=None if bucket is None else bucket.per,
            burst=None if bucket is None else bucket.size,
            in_use=len(model.held),
            queued=len(model.waiting),
            granted=model.granted,
            refused=model.refused,
            abandoned=model.abandoned,
            reclaimed=model.reclaimed,
            longest_wait=model.longest_wait,
            total_wait=model.total_wait,
        )
        model.request()  # to ask is a use


def done_or_not(given: Exception | None) -> Outcome:
    """What a change gave."""
    return ("done",) if given is None else (type(given).__name__,)


TestRateLimiter = LimiterMachine.TestCase
TestRateLimiter.settings = examples(60, 15)
