"""Pools, step by step against their model: who gets which worker when, and what becomes of them."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any, cast

import pytest
import trio
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from runtime import (
    CallExit,
    Pid,
    StartFailed,
    exit,
    is_alive,
    kill,
    ref,
    resume,
    start,
    suspend,
    wait_exit,
)
from runtime.exits import NORMAL, SHUTDOWN
from supervisors import Backoff, ChildCounts, Pool, PoolFull, PoolRef, PoolStatus, PoolWorker
from tests.models.clients import Caller, Deed, Office, at_once, say, weighted
from tests.models.machine import NodeMachine, examples
from tests.models.pool_fleet import Fleet
from tests.models.pool_model import Ask, PoolModel
from tests.models.pool_workers import End, Made

LATE = 2.0**-30  # so no time-out is due together with the start of a worker
SECONDS = st.sampled_from((0.25, 0.25, 0.5, 1.0, 3.0))
PATIENCE = st.sampled_from((math.inf, math.inf, 0.0, *(s + LATE for s in (0.5, 1.0, 3.0))))
WHO = st.sampled_from(("plain", "a", "a", "b"))
OFFICE = st.sampled_from(("a", "b"))
HOW = st.sampled_from(("checks out", "checks out", "in a block", "without block"))
NUMBER = st.integers(0, 9)
SIZES = st.sampled_from(((1, 0), (1, 1), (2, 0), (2, 1), (0, 2), (1, 2), (2, 2)))
OPTIONS = st.fixed_dictionaries(
    {
        "sizes": SIZES,
        "lifo": st.booleans(),
        "max_queue": st.sampled_from((None, None, 0, 1)),
        "replaces": st.booleans(),
        "max_restarts": st.sampled_from((50, 50, 1)),
        "backoff": st.sampled_from((None, (0.5, 1.0))),
    }
)
ENDS = st.sampled_from(("kill", "boom", "Normal", "crash Oops"))
OFFICE_ENDS = st.sampled_from(("kill", "returns", "crashes", "boom"))
REASONS = st.sampled_from(("Normal", "Shutdown", "boom", "kill"))
STARTS, STOPS = st.sampled_from((0.0, 0.0, 0.5)), st.sampled_from((0.0, 0.5, 2.0))
FAULTS = st.sampled_from(("none", "none", "none", "raises", "ignores"))
DEEDS = {
    "ask": (6, WHO, HOW, PATIENCE),
    "let_time_pass": (5, SECONDS),
    "check_in": (3, NUMBER),
    "leave": (1, NUMBER),
    "cancel": (2, NUMBER),
    "end_a_worker": (2, NUMBER, ENDS),
    "end_office": (2, OFFICE, OFFICE_ENDS),
    "open_office": (2, OFFICE),
    "suspend_or_resume": (2, st.booleans()),
    "change_the_fleet": (2, STARTS, STOPS, FAULTS),
    "end_pool": (1, REASONS),
    "change_options": (1, OPTIONS),
    "what_is_no_worker_is_refused": (1,),
}
Outcome = tuple[object, ...]


class PoolMachine(NodeMachine):
    """A pool by its name, which may end and be started anew, its workers, and those who ask it."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = PoolRef("pool")
        self.fleet = Fleet()
        self.made = Made(self.fleet)
        self.model = PoolModel(0.0, self.fleet, 0, 0, True, None, True, 0, 1.0, None, "ended")
        self.offices: dict[str, Office] = {}
        self.names: dict[Pid, str] = {}
        self.asks: list[tuple[Caller[PoolWorker], Ask]] = []
        self.ends: list[tuple[str, float]] = []
        self.models: list[PoolModel] = []

    @initialize(options=OPTIONS)
    def begin(self, options: dict[str, Any]) -> None:
        self.change_options(options)
        self.start()
        self.open_office("a")

    async def end(self) -> None:
        kill(self.pool)
        for office in self.offices.values():
            kill(office.pid)
        for caller, _ in self.asks:
            caller.scope.cancel()

    def do(self, fn: Callable[[], object]) -> None:
        """A plain function, in the node and in no process."""

        async def step() -> None:
            fn()

        self.run(step)

    @rule(deeds=st.lists(weighted(DEEDS), min_size=1, max_size=8))
    def act(self, deeds: list[Deed]) -> None:
        """Several things one after the other, each in a step of its own."""
        if self.model.phase == "ended":
            self.start()
        for name, arguments in deeds:
            getattr(self, name)(*arguments)
            self.everybody_got_what_the_model_says()

    # -- the pool -----------------------------------------------------------------------------

    def change_options(self, options: dict[str, Any]) -> None:
        """Of the next pool."""
        self.options = options

    def start(self) -> None:
        options = self.options
        size, overflow = options["sizes"]
        backoff, restarts = options["backoff"], options["max_restarts"]
        spec = Pool.child_spec(
            self.made.spec,
            size=size,
            max_overflow=overflow,
            strategy="lifo" if options["lifo"] else "fifo",
            max_queue=options["max_queue"],
            on_holder_death="replace" if options["replaces"] else "return",
            max_restarts=restarts,
            max_seconds=1.0,
            backoff=backoff and Backoff(backoff[0], backoff[1], 2.0, 0.0),
        )
        given: list[str] = []

        async def begin() -> None:
            try:
                pool = await start(spec.replace(name="pool"))
            except StartFailed as exc:
                given.append(f"StartFailed {say(exc.reason)}")
            else:
                given.append("up")
                self.ends.append((say(await wait_exit(pool)), trio.current_time()))

        self.background(begin)
        self.models.append(self.model)
        self.model = PoolModel(
            self.now, self.fleet, size, size + overflow, options["lifo"], options["max_queue"],
            options["replaces"], restarts, 1.0, backoff,
        )  # fmt: skip
        end = self.now + 4.0
        predicted = self.model.start()
        self.advance(4.0)
        self.model.advance(end - self.model.now)
        assert given == [predicted]

    def end_pool(self, how: str) -> None:
        if self.model.phase != "running":
            return
        reason = {"Normal": NORMAL, "Shutdown": SHUTDOWN}.get(how, how)

        async def stop() -> None:
            with suppress(CallExit):  # it may be killed meanwhile
                await self.pool.stop(reason)

        if how == "kill":
            self.do(lambda: kill(self.pool))
        else:
            self.background(stop)
        self.model.end("Killed" if how == "kill" else how, killed=how == "kill")

    def suspend_or_resume(self, suspends: bool) -> None:
        if self.model.phase != "running":
            return

        async def step() -> None:
            if suspends:
                await suspend(self.pool)
            else:
                await resume(self.pool)

        self.run(partial(at_once, step))
        if suspends:
            self.model.suspended = True
        else:
            self.model.resume()

    # -- its workers --------------------------------------------------------------------------

    def change_the_fleet(self, starts: float, stops: float, fault: str) -> None:
        """How workers that are made from now on start, and how all of them stop."""
        self.fleet.start, self.fleet.stop, self.fleet.fault = starts, stops, fault

    def end_a_worker(self, number: int, how: str) -> None:
        alive = [row.worker for row in self.model.rows if row.worker.state != "dead"]
        if not alive:
            return
        worker = alive[number % len(alive)]
        (pid,) = [pid for pid, one in self.made.numbers.items() if one == worker.number]
        match how:
            case "kill":
                self.do(lambda: kill(pid))
                self.model.kill(worker)
            case "boom":
                self.do(lambda: exit(pid, "boom"))
                self.model.tell(worker, how)
            case _ if worker.state == "up":
                reason = NORMAL if how == "Normal" else None
                self.do(lambda: ref(pid).cast(End(reason)))
                self.model.tell(worker, how)
            case _:
                pass

    # -- who asks -----------------------------------------------------------------------------

    def ask(self, who: str, how: str, patience: float) -> None:
        """A plain task or a process."""
        office = self.offices.get(who)
        if office is None and who != "plain":
            return
        holder = None if office is None else office.name
        if office is not None and any(ask.in_block for _, ask in self.asks if ask.holder == holder):
            how = "checks out"  # which of two blocks of a process is left first is open
        block = how != "without block"
        patient = "none" if patience == 0 else "queue" if block else "start"
        refusal = "CallTimeout" if block and patience == 0 else "PoolFull"
        ask = Ask(holder, patient, refusal, self.now + patience if patience else math.inf)
        ask.in_block = how == "in a block"
        fn: Callable[[], Awaitable[PoolWorker]] = partial(self.in_a_block, patience)
        if not ask.in_block:
            fn = partial(self.pool.checkout_worker, timeout=patience, block=block)
        caller = Caller(fn, self.in_words)
        self.asks.append((caller, ask))
        if office is None:
            self.background(caller.run)
        else:
            self.do(partial(office.start, caller.run))
        self.model.ask(ask)

    async def in_a_block(self, patience: float) -> PoolWorker:
        caller = self.asks[-1][0]
        async with self.pool.checkout(timeout=patience) as worker:
            caller.has(worker)
            await caller.leave.wait()
        return worker

    def in_words(self, given: PoolWorker | Exception) -> Outcome:
        """What an ask gave, as the model says it."""
        match given:
            case PoolWorker():
                return ("worker", self.made.numbers[given.pid])
            case PoolFull():
                return ("PoolFull", given.limit, given.waiting)
            case StartFailed():
                return ("StartFailed", say(given.reason))
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
            self.give_up(ask)
            if ask.in_block:
                ask.check_in()

    def give_up(self, ask: Ask) -> None:
        if ask.outcome is None:
            ask.in_block = False
            ask.end(self.now, "gone")

    def leave(self, number: int) -> None:
        """A block that holds a worker."""
        for caller, ask in self.pick(number, lambda ask: ask.in_block and ask.worker is not None):
            self.do(caller.leave.set)
            ask.check_in()

    def check_in(self, number: int) -> None:
        """A worker: also another's, also a second time, or of a pool that has ended."""
        for caller, ask in self.pick(number, lambda ask: ask.worker is not None):
            self.do(partial(self.pool.checkin, cast("PoolWorker", caller.got)))
            in_block = ask.in_block
            ask.check_in()
            ask.in_block = in_block

    def open_office(self, who: str) -> None:
        if who not in self.offices:
            self.do(lambda: self.offices.update({who: Office(f"{who}{len(self.names)}")}))
            self.names[self.offices[who].pid] = self.offices[who].name

    def end_office(self, who: str, how: str) -> None:
        """Whoever waits there is gone; who is told to end in a block dies with the worker."""
        office = self.offices.pop(who, None)
        if office is None:
            return
        self.do(partial(office.end, how))
        mine = [ask for _, ask in self.asks if ask.holder == office.name]
        for ask in mine:
            self.give_up(ask)
        for ask in mine:
            if ask.in_block and how in ("returns", "crashes"):
                ask.check_in()
            ask.in_block = False
        self.model.holder_died(office.name)

    # -- time, and all that can be seen -------------------------------------------------------

    def let_time_pass(self, seconds: float) -> None:
        self.advance(seconds)
        self.model.advance(seconds)

    def what_is_no_worker_is_refused(self) -> None:
        async def step() -> None:
            with pytest.raises(TypeError, match="worker: got"):
                self.pool.checkin(cast("PoolWorker", self.pool))
            with pytest.raises(ValueError, match="timeout: got"):
                await self.pool.checkout_worker(timeout=-1.0)

        self.run(step)

    @invariant()
    def everybody_got_what_the_model_says(self) -> None:
        given = [caller.outcome for caller, _ in self.asks]
        assert given == [ask.outcome for _, ask in self.asks]
        models = (*self.models, self.model)
        assert self.ends == [model.ended for model in models if model.ended is not None]

    @invariant()
    def workers_live_and_are_reached_as_the_model_says(self) -> None:
        async def step() -> tuple[set[int], list[Pid | None]]:
            alive = {number for pid, number in self.made.numbers.items() if is_alive(pid)}
            got = [caller.got for caller, _ in self.asks]
            return alive, [None if worker is None else worker.whereis() for worker in got]

        alive, reached = self.run(step)
        rows = [row.worker for row in self.model.rows if row.worker.state != "dead"]
        assert alive == {worker.number for worker in rows}
        for (_, ask), pid in zip(self.asks, reached, strict=True):
            lives = ask.worker is not None and ask.worker.state != "dead" and not ask.checked_in
            assert (pid is not None) == lives

    @invariant()
    def the_numbers_are_the_models(self) -> None:
        model = self.model
        if model.phase != "running" or model.suspended:
            return

        async def step() -> tuple[PoolStatus, list[tuple[int | None, str]], ChildCounts]:
            children = [
                (None if one.pid is None else self.made.numbers[one.pid], str(one.status))
                for one in await self.pool.which_children()
            ]
            return await self.pool.status(), children, await self.pool.count_children()

        status, children, counts = self.run(partial(at_once, step))
        idle, used = len(model.usable()), model.used()
        state = "ready" if idle else "overflow" if used < model.limit else "full"
        overflow, waiting = max(0, model.staying() - model.size), len(model.in_line())
        assert status == PoolStatus(cast("Any", state), idle, overflow, len(model.leases), waiting)
        assert children == [row.described() for row in reversed(model.rows)]
        active = sum(row.book != "put off" for row in model.rows)
        assert counts == ChildCounts(used, active, 0, used)


TestPool = PoolMachine.TestCase
TestPool.settings = examples(60, 15)
