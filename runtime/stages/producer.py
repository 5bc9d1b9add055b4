"""Producer: where events come from. GenStage: a stage of type ``:producer``."""

from __future__ import annotations

from collections import deque
from collections.abc import Coroutine
from typing import Any, Generic, TypeVar, cast, get_args

from runtime.containment import short_repr
from runtime.handlers import handles
from runtime.stages.emitted import Emitted, events_in
from runtime.stages.producing import Producing
from runtime.stages.requests import DemandMode, GetDemand, SetDemand
from runtime.stages.steps import Performed, Steps, perform
from runtime.stages.subscription import StageCast
from runtime.user_code import call_user

T = TypeVar("T")


class Forward(StageCast, frozen=True):
    """To the producer itself: go on with what was held."""


class Hold(StageCast, frozen=True):
    """To the producer itself, behind a ``Forward``: hold what comes from now on."""


class Producer(Producing[T], Generic[T]):
    """Subclass it and make events when they are asked for: ``handle_demand``.

    It is a ``GenServer`` too: calls, casts, timers, ``init`` and ``terminate`` as always, and each
    of these callbacks may ``emit`` events as well, asked for or not.

    With ``demand`` ``"accumulate"``, demand and events are held until ``set_demand(stage,
    "forward")``, so that all consumers can subscribe first. It may be set on the class, or on the
    instance before its first use.
    """

    demand: DemandMode = "forward"

    def handle_demand(self, demand: int) -> Emitted[T] | Coroutine[Any, Any, Emitted[T]]:
        """Consumers want ``demand`` events more: return them, in order.

        Fewer, if there are no more now; then remember how many were wanted, since nobody asks for
        them again, and ``emit`` them when they come. More are buffered. ``Stop(reason)`` ends the
        stage. Demand that consumers have for events that nobody got is asked for again. GenStage:
        ``handle_demand/2``.
        """
        raise NotImplementedError(f"{type(self).__name__} has no handle_demand()")

    @property
    def _stage_accumulates(self) -> bool:
        if self.demand not in get_args(DemandMode):
            got = short_repr(self.demand)
            raise ValueError(f"demand: got {got}, allowed are 'forward', 'accumulate'")
        return self.demand == "accumulate"

    def _stage_wanted(self, count: int) -> Steps:
        held = self._stage_giving.held
        if held is not None:
            held.append(count)
            return None
        result = yield call_user(self.handle_demand, count)
        emitted = cast("Emitted[T]", result)
        events, stop = events_in(self._stage_process, self, "handle_demand", emitted)
        self._stage_giving.give(events)
        return stop

    @handles(SetDemand)
    def _stage_set_demand(self, request: SetDemand) -> None:
        outlet = self._stage_giving
        if request.mode == "forward":
            outlet.forwards += 1
            self._stage_process.post_system(Forward())
        elif outlet.forwards:
            self._stage_process.post_system(Hold())
        elif outlet.held is None:
            outlet.held = deque()

    @handles(Forward)
    def _stage_forward(self, _message: Forward) -> Performed:
        outlet = self._stage_giving
        outlet.forwards -= 1
        if outlet.held is not None:
            outlet.replayed, outlet.held = outlet.held, None
        return perform(self._stage_replay())

    @handles(Hold)
    def _stage_hold(self, _message: Hold) -> None:
        outlet = self._stage_giving
        if outlet.held is None:
            outlet.held = deque()

    def _stage_replay(self) -> Steps:
        """What was held, in order."""
        outlet = self._stage_giving
        while outlet.replayed and self._stage_process.exiting is None:
            one = outlet.replayed.popleft()
            if isinstance(one, int):
                stop = yield from self._stage_wanted(one)
                if stop is not None:
                    return stop
            else:
                outlet.replay(one)
        return None

    @handles(GetDemand)
    def _stage_get_demand(self, _request: GetDemand) -> DemandMode:
        return "forward" if self._stage_giving.held is None else "accumulate"
