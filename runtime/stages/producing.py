"""The half of a stage that has consumers. GenStage: a ``:producer``.

It is asked for events by consumers, and asks the user for them: see ``outlet``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Generic, Literal, TypeVar

from trio.lowlevel import enable_ki_protection

from runtime.current import find_process
from runtime.exits import ExitReason
from runtime.handlers import handles
from runtime.inspection.views import Plain
from runtime.server_loop import ServerLoop
from runtime.stages.demand_dispatcher import DemandDispatcher
from runtime.stages.dispatcher import Dispatcher
from runtime.stages.emitted import iterated, stop_in
from runtime.stages.event_buffer import Keep
from runtime.stages.outlet import InfoDue, Outlet, Refill
from runtime.stages.requests import CountBuffered, QueueInfo
from runtime.stages.stage import Stage
from runtime.stages.steps import Performed, Steps, perform
from runtime.stages.subscription import (
    Asked,
    CancelAsked,
    Cancelled,
    ConsumerDown,
    SubscribeAsked,
    Subscription,
    SubscriptionEnded,
)
from runtime.user_code import call_user

T = TypeVar("T")


class Producing(Stage, Generic[T]):
    """A stage with consumers.

    ``buffer_size`` limits the events that nobody has asked for yet, ``None`` is no limit; a full
    buffer keeps the ``buffer_keep`` ones. Both may be set on the class, or on the instance before
    it is first used.
    """

    buffer_size: int | None = 10_000
    buffer_keep: Keep = "last"

    _stage_outlet: Outlet[T] | None

    # -- for the user -----------------------------------------------------------------------

    def make_dispatcher(self) -> Dispatcher[T]:
        """The rules by which events are shared out; called once. GenStage: ``:dispatcher``."""
        return DemandDispatcher()

    def format_discarded(self, discarded: int) -> bool:
        """So many events did not fit into the buffer; whether the event ``EventsDiscarded`` tells.

        GenStage: ``format_discarded/2``.
        """
        return True

    @enable_ki_protection
    def emit(self, events: Iterable[T]) -> None:
        """Give these to the consumers, now and in order; what none has asked for is buffered.

        For every callback of a running stage, and for tasks in a nursery of its own. Events emitted
        while a call is handled are on their way before its caller goes on. Never blocks; a full
        buffer discards. GenStage: the events of ``{:noreply, events, state}``.
        """
        self._stage_running("emit")
        self._stage_giving.emit(iterated(events))

    @enable_ki_protection
    def queue_info(self, message: object) -> None:
        """``handle_info(message)`` once all events that are here now have gone.

        GenStage: ``async_info/2``.
        """
        self._stage_running("queue_info")
        self._stage_queue_info(message)

    # -- callbacks of the halves ------------------------------------------------------------

    @property
    def _stage_accumulates(self) -> bool:
        return False

    def _stage_wanted(self, count: int) -> Steps:
        """So many events more are wanted."""
        raise NotImplementedError

    def _stage_queue_info(self, message: object) -> None:
        self._stage_giving.queue_info(message)

    def _stage_delivering(self, subscription: Subscription, events: list[T]) -> None:
        """These events leave for that consumer."""

    # -- messages ---------------------------------------------------------------------------

    @handles(SubscribeAsked)
    def _stage_subscribe_asked(self, message: SubscribeAsked) -> Performed:
        return perform(self._stage_joined(message.subscription))

    def _stage_joined(self, subscription: Subscription) -> Steps:
        consumer = find_process(subscription.consumer)
        if consumer is None or not self._stage_giving.join(subscription, consumer):
            return None
        result = yield call_user(self.handle_subscribe, "consumer", subscription)
        result = None if result == "automatic" else result
        allowed = "'automatic' (only a consumer can be 'manual'), "
        stop = stop_in(self._stage_process, self, "handle_subscribe", result, allowed)
        return stop or (yield from self._stage_settle())

    @handles(Asked)
    def _stage_asked(self, message: Asked) -> Performed:
        outlet = self._stage_giving
        if message.subscription not in outlet.downstreams:
            outlet.refuse(message.subscription)
            return None
        outlet.ask(message.subscription, message.count)
        need = outlet.take_need()
        return perform(self._stage_wanted(need)) if need else None

    @handles(CancelAsked)
    def _stage_cancel_asked(self, message: CancelAsked) -> Performed:
        subscription, reason = message.subscription, message.reason
        consumer = self._stage_giving.leave(subscription)
        if consumer is None:
            self._stage_giving.refuse(subscription)
            return None
        return perform(self._stage_left(subscription, "cancel", reason))

    @handles(ConsumerDown)
    def _stage_consumer_down(self, message: ConsumerDown) -> Performed:
        if self._stage_giving.leave(message.subscription) is None:
            return None
        return perform(self._stage_left(message.subscription, "down", message.reason))

    def _stage_left(
        self, subscription: Subscription, how: Literal["cancel", "down"], reason: ExitReason
    ) -> Steps:
        end = SubscriptionEnded(how, reason, "consumer")
        result = yield call_user(self.handle_cancel, subscription, end)
        consumer = find_process(subscription.consumer)
        if how == "cancel" and consumer is not None:
            consumer.post_system(Cancelled(subscription, reason))
        stop = stop_in(self._stage_process, self, "handle_cancel", result)
        return stop or (yield from self._stage_settle())

    def _stage_settle(self) -> Steps:
        """What has changed may let buffered events go, or more be wanted."""
        outlet = self._stage_giving
        outlet.drain()
        need = outlet.take_need()
        if need:
            return (yield from self._stage_wanted(need))
        return None

    @handles(Refill)
    def _stage_refill(self, _message: Refill) -> Performed:
        return perform(self._stage_settle())

    @handles(InfoDue)
    def _stage_info_due(self, message: InfoDue) -> Any:
        return call_user(self.handle_info, message.message)

    @handles(CountBuffered)
    def _stage_count_buffered(self, _request: CountBuffered) -> int:
        return len(self._stage_giving.buffer)

    @handles(QueueInfo)
    def _stage_queue_info_asked(self, request: QueueInfo) -> None:
        self._stage_queue_info(request.message)

    # -- inside -----------------------------------------------------------------------------

    def _attach(self, loop: ServerLoop | None) -> None:
        super()._attach(loop)
        if loop is None and self._stage_outlet is not None:
            self._stage_outlet.close()
        self._stage_outlet = None

    @property
    def _stage_giving(self) -> Outlet[T]:
        """Made with the first use: until then ``init`` may say how it is to be."""
        outlet = self._stage_outlet
        if outlet is None:
            outlet = self._stage_outlet = Outlet(self._stage_process, self)
        return outlet

    def facts(self) -> Mapping[str, Plain]:
        """Consumers, buffered events, demand; see ``GenServer.facts``."""
        outlet = self._stage_outlet
        if outlet is None:
            return super().facts()
        return {
            **super().facts(),
            "consumers": len(outlet.downstreams),
            "buffered": len(outlet.buffer),
            "queued": outlet.dispatcher.queued,
            "unanswered demand": outlet.unanswered,
        }
