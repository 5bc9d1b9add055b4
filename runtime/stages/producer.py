"""Producer: where events come from. GenStage: a stage of type ``:producer``."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, Generic, TypeVar

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
        raise NotImplementedError

    @property
    def _accumulates(self) -> bool:
        return self.demand == "accumulate"

    def _wanted(self, count: int) -> Steps:
        outlet = self._giving("handle_demand")
        if outlet.held is not None:
            outlet.held.append(count)
            return None
        result = yield call_user(self.handle_demand, count)
        events: list[T]
        events, stop = events_in(self._process, self, "handle_demand", result)
        outlet.emit(events)
        return stop

    @handles(SetDemand)
    def _set_demand(self, request: SetDemand) -> None:
        outlet = self._giving("set_demand")
        if request.mode == "forward":
            self._process.post_system(Forward())
        elif outlet.held is None:
            outlet.held = []

    @handles(Forward)
    def _forward(self, _message: Forward) -> Performed:
        outlet = self._giving("set_demand")
        held, outlet.held = outlet.held, None
        return perform(self._replay(held or []))

    def _replay(self, held: list[int | list[T]]) -> Steps:
        """What was held, in order."""
        outlet = self._giving("set_demand")
        for one in held:
            if isinstance(one, int):
                stop = yield from self._wanted(one)
                if stop is not None:
                    return stop
            else:
                outlet.emit(one)
        return None

    @handles(GetDemand)
    def _get_demand(self, _request: GetDemand) -> DemandMode:
        return "forward" if self._giving("demand").held is None else "accumulate"
