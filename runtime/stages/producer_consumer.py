"""ProducerConsumer: a stage in the middle. GenStage: a stage of type ``:producer_consumer``.

It handles events only while its own consumers want some; until then they wait here, with whatever
must not overtake them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Coroutine, Mapping
from typing import Any, Generic, TypeAlias, TypeVar, cast

from runtime.handlers import handles
from runtime.inspection.views import Plain
from runtime.outcomes import NoReply
from runtime.pending_calls import ReplyTo
from runtime.server_loop import ServerLoop
from runtime.stages.consuming import Consuming
from runtime.stages.emitted import Emitted, events_in
from runtime.stages.outlet import UNKNOWN_SUBSCRIPTION, InfoDue
from runtime.stages.producing import Producing
from runtime.stages.requests import DemandMode, GetDemand, SetDemand
from runtime.stages.steps import Performed, Steps, perform
from runtime.stages.subscription import Events, Subscription, SubscriptionEnded
from runtime.user_code import call_user

In = TypeVar("In")
Out = TypeVar("Out")

Waiting: TypeAlias = Events | InfoDue | tuple[Subscription, SubscriptionEnded]


class ProducerConsumer(Consuming[In], Producing[Out], Generic[In, Out]):
    """Subclass it, ``subscribe`` in ``init``, and make events of events: ``handle_events``.

    Its buffer has no limit by default: it holds at most what came of the events it was given.
    """

    buffer_size: int | None = None

    _stage_waiting: deque[Waiting] | None

    def handle_events(
        self, events: list[In], subscription: Subscription
    ) -> Emitted[Out] | Coroutine[Any, Any, Emitted[Out]]:
        """Handle these and return what comes of them, any number. GenStage: ``handle_events/3``.

        See ``Consumer.handle_events``; it is called only while consumers want events.
        """
        raise NotImplementedError(f"{type(self).__name__} has no handle_events()")

    def _stage_handle(self, events: list[In], subscription: Subscription) -> Steps:
        result = yield call_user(self.handle_events, events, subscription)
        emitted = cast("Emitted[Out]", result)
        made, stop = events_in(self._stage_process, self, "handle_events", emitted)
        self._stage_giving.give(made)
        return stop

    # -- what waits until events are wanted -------------------------------------------------

    @handles(Events)
    def _stage_events(self, message: Events) -> Performed:
        upstream = self._stage_producers.get(message.subscription)
        if upstream is None:
            message.subscription.cancel(UNKNOWN_SUBSCRIPTION)
            return None
        if not message.events and upstream.demand is not None:
            return None  # only who asks by hand gets to see that
        self._stage_queue.append(message)
        return perform(self._stage_work())

    def _stage_say_over(self, subscription: Subscription, end: SubscriptionEnded) -> Performed:
        self._stage_queue.append((subscription, end))
        return perform(self._stage_work())

    def _stage_queue_info(self, message: object) -> None:
        if self._stage_queue:
            self._stage_queue.append(InfoDue(message))
        else:
            super()._stage_queue_info(message)

    def _stage_wanted(self, count: int) -> Steps:
        return (yield from self._stage_work())

    def _stage_work(self) -> Steps:
        """Take what waits, in order, as long as events are wanted or it is not events."""
        waiting, outlet = self._stage_queue, self._stage_giving
        while waiting and (outlet.unanswered > 0 or not isinstance(waiting[0], Events)):
            one, stop = waiting.popleft(), None
            if isinstance(one, Events):
                stop = yield from self._stage_handle_all(one.events, one.subscription)
            elif isinstance(one, InfoDue):
                outlet.queue_info(one.message)
            else:
                stop = yield from self._stage_ended(*one)
            if stop is not None or self._stage_process.exiting is not None:
                return stop
        return None

    @property
    def _stage_queue(self) -> deque[Waiting]:
        """Events nobody has wanted yet, and what is behind them."""
        if self._stage_waiting is None:
            self._stage_waiting = deque()
        return self._stage_waiting

    # -- inside -----------------------------------------------------------------------------

    @handles(SetDemand)
    def _stage_set_demand(self, request: SetDemand, reply_to: ReplyTo[None]) -> NoReply | None:
        if request.mode == "forward":
            return None
        name = type(self).__name__
        reply_to.error(
            ValueError(
                f"mode: got 'accumulate', allowed for the ProducerConsumer {name} is 'forward'"
            )
        )
        return NoReply()

    @handles(GetDemand)
    def _stage_get_demand(self, _request: GetDemand) -> DemandMode:
        return "forward"

    def _attach(self, loop: ServerLoop | None) -> None:
        super()._attach(loop)
        self._stage_waiting = None

    def facts(self) -> Mapping[str, Plain]:
        """Those of both halves, and how many messages of events wait to be wanted."""
        return {**super().facts(), "waiting": len(self._stage_queue)}
