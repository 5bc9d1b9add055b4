"""What the machines of both supervisors have in common: a parent, requests, time, and the end."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import trio
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from runtime import (
    BudgetExceeded,
    ChildEnded,
    ChildSpec,
    ChildStartFailed,
    Instrument,
    Pid,
    ProcessEnded,
    StartFailed,
    exit,
    kill,
    named,
    receive,
    ref,
    resume,
    send,
    spawn,
    start_link,
    suspend,
    trap_exits,
)
from runtime.process import table_var
from tests.models.machine import NodeMachine
from tests.models.supervisor_draws import ends, exits, perhaps_plans, picked, picks
from tests.models.supervisor_life import Plan, Recipe
from tests.models.supervisor_parts import Kind, Request, Supervised
from tests.models.supervisor_stage import REASONS, End, Stage

ModelT = TypeVar("ModelT", bound=Supervised)

SUP = named("sup")


class StageMachine(NodeMachine, Generic[ModelT]):
    """One supervisor after another, each under a parent that traps exits, and its model.

    Requests are tasks, since their answers may take their time.
    """

    model: ModelT
    parent: Pid

    def __init__(self) -> None:
        super().__init__()
        self.begun = False
        self.stage = Stage()
        self.requests: dict[int, Request] = {}
        self.answers: dict[int, tuple[float, object]] = {}
        self.scopes: dict[int, trio.CancelScope] = {}
        self.steps_left = self.resumed_in = 0
        self.started: str | None = None
        self.parent_lives = self.looked_at_when_dead = False
        self.run(self._watch)

    async def _watch(self) -> None:
        events = (ProcessEnded, BudgetExceeded, ChildEnded, ChildStartFailed)
        # nothing public adds an instrument to an open node
        table_var.get().instruments.add(Instrument(lambda event: self.stage.told(event), events))

    @property
    def alive(self) -> bool:
        """Whether there is a supervisor, if only one that stops."""
        return self.begun and not self.model.dead

    @property
    def may_end(self) -> bool:
        """Whether it may be ended: not too soon, or nothing would happen before."""
        return self.alive and self.steps_left <= 0

    @property
    def unanswered(self) -> list[Request]:
        """The requests that are under way."""
        return [request for request in self.requests.values() if request.answer is None]

    def new_supervisor(
        self, model: ModelT, plans: dict[str, Plan], steps: int, spec: Callable[[], ChildSpec]
    ) -> None:
        """Start a supervisor; it is not ended for so many steps."""
        self.begun, self.model, self.stage = True, model, Stage()
        self.requests, self.answers, self.scopes = {}, {}, {}
        self.steps_left, self.resumed_in = steps, 0
        self.started, self.parent_lives, self.looked_at_when_dead = None, True, False
        for tag, plan in plans.items():
            self.plan(tag, [plan])
        self.run(lambda: self._start(spec().replace(name="sup")))

    async def _start(self, spec: ChildSpec) -> None:
        async def parent() -> None:
            trap_exits()
            try:
                await start_link(spec)
            except StartFailed as error:
                self.started = self.stage.reason(error.reason)
            else:
                self.started = "up"
            while True:
                order = await receive()
                if isinstance(order, str):
                    exit(SUP, REASONS[order])

        self.parent = spawn(parent)

    # -- requests ---------------------------------------------------------------------------

    def look(self) -> None:
        """Ask for what can be seen of the children."""
        raise NotImplementedError

    @precondition(lambda self: not self.model.idle and not self.looked_at_when_dead)
    @rule()
    def it_is_looked_at(self) -> None:
        self.looked_at_when_dead = self.model.dead
        self.look()

    def ask(self, kind: Kind, what: Recipe | str, call: Callable[[], Awaitable[object]]) -> None:
        """Make a request in a task of its own."""
        answers = self.answers
        request = Request(len(self.requests), kind, what)

        async def asking() -> None:
            with scope:
                try:
                    answer = await call()
                except Exception as error:
                    answer = error
                answers[request.number] = (trio.current_time(), answer)
            if scope.cancelled_caught:
                answers[request.number] = (trio.current_time(), "cancelled")

        self.requests[request.number] = request
        self.scopes[request.number] = scope = trio.CancelScope()
        self.model.ask(request)
        self.background(asking)

    @precondition(lambda self: self.alive and not self.resumed_in)
    @rule(steps=st.integers(1, 5))
    def it_is_suspended(self, steps: int) -> None:
        self.resumed_in = steps + 1
        self.ask("suspend", "", lambda: suspend(SUP, timeout=math.inf))

    @precondition(lambda self: self.unanswered)
    @rule(data=st.data())
    def a_request_is_given_up(self, data: st.DataObject) -> None:
        request = data.draw(st.sampled_from(self.unanswered))

        async def give_up() -> None:
            self.scopes[request.number].cancel()

        self.model.cancel(request)
        self.run(give_up)

    # -- the children -----------------------------------------------------------------------

    def plan(self, tag: str, how: list[Plan] | None) -> None:
        """What the next times the ``init`` of a child runs are to do; ``None`` leaves it."""
        if how is not None:
            self.stage.plans[tag] = list(how)
            self.model.plans[tag] = list(how)

    def befall(self, *what: tuple[str, str]) -> None:
        """Let all these things befall children in one step."""

        async def act() -> None:
            for tag, end in what:
                self._befall(tag, end)

        for tag, end in what:
            self.model.befall(tag, end)
        self.run(act)

    def _befall(self, tag: str, end: str) -> None:
        pid = self.stage.latest.get(tag)
        if pid is None:
            return
        if end == "kill":
            kill(pid)
        elif end.startswith("signal "):
            exit(pid, REASONS[end.removeprefix("signal ")])
        else:
            ref(pid).cast(End(REASONS.get(end)))

    @precondition(lambda self: self.alive)
    @rule(pick=picks, end=ends, how=perhaps_plans)
    def one_ends(self, pick: int, end: str, how: list[Plan] | None) -> None:
        tag = picked(pick, self.model.running)
        self.plan(tag, how)
        self.befall((tag, end))

    @precondition(lambda self: self.alive)
    @rule(pick=picks, end=st.sampled_from(["crash oops", "boom", "kill"]))
    def one_crashes(self, pick: int, end: str) -> None:
        self.befall((picked(pick, self.model.running), end))

    @precondition(lambda self: self.alive)
    @rule(pick=picks, end=st.sampled_from(["normal", "shutdown", "shutdown done"]))
    def one_is_done(self, pick: int, end: str) -> None:
        self.befall((picked(pick, self.model.running), end))

    @precondition(lambda self: self.alive)
    @rule(one=picks, ones=ends, other=picks, others=ends)
    def two_end_in_one_step(self, one: int, ones: str, other: int, others: str) -> None:
        running = self.model.running
        self.befall((picked(one, running), ones), (picked(other, running), others))

    # -- time, and the end ------------------------------------------------------------------

    @precondition(lambda self: self.alive)
    @rule(seconds=st.sampled_from([0.25, 0.5, 1.0, 2.0, 5.0]))
    def time_passes(self, seconds: float) -> None:
        self.advance(seconds)
        self.model.advance(seconds, self.stage.log)

    @precondition(lambda self: self.alive and self.steps_left % 3 == 0)
    @rule(reason=exits)
    def it_is_disturbed(self, reason: str) -> None:
        """A stranger's signal and a cast that it does not know are nothing to it."""

        async def disturb() -> None:
            exit(SUP.pid, REASONS[reason])
            SUP.cast(End(reason))

        self.run(disturb)

    @precondition(lambda self: self.may_end)
    @rule(reason=exits)
    def stop(self, reason: str) -> None:
        self.ask("stop", reason, lambda: SUP.stop(REASONS[reason]))

    @precondition(lambda self: self.may_end and self.model.up and self.parent_lives)
    @rule(reason=exits)
    def its_parent_ends_it(self, reason: str) -> None:
        async def order() -> None:
            send(self.parent, reason)

        self.model.signal(reason)
        self.run(order)

    @precondition(lambda self: self.may_end and self.parent_lives)
    @rule()
    def its_parent_is_killed(self) -> None:
        async def kill_parent() -> None:
            kill(self.parent)

        if self.model.up:
            self.model.signal("killed")
        else:
            self.model.kill()
        self.parent_lives = False
        self.run(kill_parent)

    @precondition(lambda self: self.may_end)
    @rule()
    def it_is_killed(self) -> None:
        async def kill_it() -> None:
            kill(SUP.pid)

        self.model.kill()
        self.run(kill_it)

    # -- what is compared -------------------------------------------------------------------

    @invariant()
    def they_agree(self) -> None:
        self.steps_left -= 1
        self.compare()
        self._resume()
        if self.parent_lives:
            ended = self.model.ending if self.model.dead else None
            expected = "up" if self.model.up else ended
            assert self.stage.named(str(self.started)) == self.model.named(str(expected))
        if self.model.idle:
            self.look()
            self.compare()

    def _resume(self) -> None:
        """If it was suspended so many steps ago."""
        self.resumed_in = max(0, self.resumed_in - 1)
        if self.resumed_in == 1:
            self.ask("resume", "", lambda: resume(SUP, timeout=math.inf))
            self.compare()

    def compare(self) -> None:
        """Let the model do what has been done, and see that it has come to the same."""
        self.model.settle(self.stage.log)
        assert self.stage.seen == self.model.seen
        answers = {
            number: (at, self.stage.answer(answer)) for number, (at, answer) in self.answers.items()
        }
        expected = {
            request.number: (request.answer[0], self.model.named(request.answer[1]))
            for request in self.requests.values()
            if request.answer is not None
        }
        assert answers == expected
