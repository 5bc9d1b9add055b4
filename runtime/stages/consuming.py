"""The half of a stage that has producers. GenStage: a ``:consumer``.

It asks for events by itself, as ``pending_demand`` says, or leaves that to the user.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Final, Generic, Literal, TypeAlias, TypeVar

import msgspec
from trio.lowlevel import enable_ki_protection

from runtime.calls import Ref
from runtime.containment import attempt
from runtime.exits import NO_PROCESS, NORMAL, Crashed, ExitReason, is_clean
from runtime.handle import as_ref
from runtime.handlers import handles
from runtime.inspection.views import Plain
from runtime.instruments import EventsInExcess
from runtime.outcomes import NoReply, Stop
from runtime.pending_calls import ReplyTo
from runtime.pid import Pid
from runtime.server_loop import ServerLoop
from runtime.stages.emitted import stop_in
from runtime.stages.outlet import UNKNOWN_SUBSCRIPTION
from runtime.stages.peers import Upstream
from runtime.stages.pending_demand import PendingDemand
from runtime.stages.requests import Resubscribe, Subscribe
from runtime.stages.stage import Stage
from runtime.stages.steps import Performed, Steps, perform
from runtime.stages.subscription import (
    Cancelled,
    Events,
    ProducerDown,
    SubscribeAsked,
    Subscribed,
    Subscription,
    SubscriptionEnded,
    refusal,
)
from runtime.stages.subscription_options import (
    DEFAULT_MAX_DEMAND,
    AlreadySubscribed,
    BadSubscription,
    CancelMode,
    Mode,
    Selector,
    SubscriptionOptions,
)
from runtime.user_code import call_user

T = TypeVar("T")

How: TypeAlias = Literal["cancel", "down"]

_MODES: Final = "'automatic', 'manual', "


class Consuming(Stage, Generic[T]):
    """A stage with producers."""

    _stage_upstreams: dict[Subscription, Upstream[T]] | None

    # -- for the user -----------------------------------------------------------------------

    @enable_ki_protection
    def subscribe(
        self,
        to: str | Pid | Ref,
        *,
        max_demand: int = DEFAULT_MAX_DEMAND,
        min_demand: int | None = None,
        cancel: CancelMode = "permanent",
        mode: Mode | None = None,
        partition: Hashable | msgspec.UnsetType = msgspec.UNSET,
        selector: Selector | None = None,
    ) -> Subscription:
        """Subscribe to a producer, from a callback, ``init`` too. GenStage: ``:subscribe_to``.

        A request: the producer may refuse it, and what a name leads to may not be there. Both end
        the subscription. For the options see ``SubscriptionOptions``. Never blocks.
        """
        self._stage_running("subscribe")
        options = SubscriptionOptions(max_demand, min_demand, cancel, mode, partition, selector)
        return self._stage_begin(as_ref(to, "to"), options)

    # -- callbacks of the halves ------------------------------------------------------------

    def _stage_handle(self, events: list[T], subscription: Subscription) -> Steps:
        """Let the user handle a chunk of events."""
        raise NotImplementedError

    # -- subscribing ------------------------------------------------------------------------

    @property
    def _stage_producers(self) -> dict[Subscription, Upstream[T]]:
        """The producers by subscription."""
        if self._stage_upstreams is None:
            self._stage_upstreams = {}
        return self._stage_upstreams

    def _stage_begin(
        self,
        to: Ref,
        options: SubscriptionOptions,
        earlier: Subscription | None = None,
        reason: ExitReason = NORMAL,
    ) -> Subscription:
        mine, producer = self._stage_process, to.find()
        if producer is mine:
            raise BadSubscription(f"to: got {to!r}, which is this stage itself")
        if earlier is not None:
            if earlier not in self._stage_producers:
                raise BadSubscription(f"earlier: got {earlier!r}, which has ended")
            earlier.cancel(reason)  # first, for a producer that takes one of a kind only
        pid = to.incarnation if producer is None else producer.pid
        subscription = Subscription(pid, mine.pid, options)
        self._stage_producers[subscription] = Upstream(mine, producer, subscription)
        mine.post_system(Subscribed(subscription))
        if producer is None:
            return subscription
        if producer.body.is_server:
            producer.post_system(SubscribeAsked(subscription))
        else:
            mine.post_system(refusal(subscription, producer.pid, producer.behaviour))
        return subscription

    @handles(Subscribe)
    def _stage_subscribe(
        self, request: Subscribe, reply_to: ReplyTo[Subscription]
    ) -> Subscription | NoReply:
        subscription, error = attempt(self._stage_begin, request.to, request.options)
        return _replied(subscription, error, reply_to)

    @handles(Resubscribe)
    def _stage_resubscribe(
        self, request: Resubscribe, reply_to: ReplyTo[Subscription]
    ) -> Subscription | NoReply:
        subscription, error = attempt(
            self._stage_begin, request.to, request.options, request.earlier, request.reason
        )
        return _replied(subscription, error, reply_to)

    @handles(Subscribed)
    def _stage_subscribed(self, message: Subscribed) -> Performed:
        subscription = message.subscription
        upstream = self._stage_producers[subscription]
        if upstream.process is None:
            return self._stage_over(subscription, "down", NO_PROCESS)
        return perform(self._stage_joined_to(subscription, upstream))

    def _stage_joined_to(self, subscription: Subscription, upstream: Upstream[T]) -> Steps:
        result = yield call_user(self.handle_subscribe, "producer", subscription)
        options = subscription.options
        mode = options.mode or "automatic"
        if result == "automatic" or result == "manual":
            mode, result = result, None
        stop = stop_in(self._stage_process, self, "handle_subscribe", result, _MODES)
        if stop is None and mode == "automatic":
            upstream.demand = PendingDemand(options.max_demand, options.at_least)
            subscription.ask(options.max_demand)
        return stop

    # -- events -----------------------------------------------------------------------------

    @handles(Events)
    def _stage_events(self, message: Events) -> Performed:
        subscription = message.subscription
        if subscription not in self._stage_producers:
            subscription.cancel(UNKNOWN_SUBSCRIPTION)
            return None
        return perform(self._stage_handle_all(message.events, subscription))

    def _stage_handle_all(self, events: list[T], subscription: Subscription) -> Steps:
        """Handle them in chunks, asking for more after each; in one, once nobody can be asked."""
        upstream = self._stage_producers.get(subscription)
        if upstream is None or upstream.demand is None:
            return (yield from self._stage_handle(events, subscription))
        chunks, excess = upstream.demand.split(events)
        if excess:
            self._stage_report_excess(subscription, excess)
        for chunk, ask in chunks:
            stop = yield from self._stage_handle(chunk, subscription)
            if stop is not None or self._stage_process.exiting is not None:
                return stop
            subscription.ask(ask)
        return None

    def _stage_report_excess(self, subscription: Subscription, excess: int) -> None:
        process = self._stage_process
        if process.table.instruments.want(EventsInExcess):
            process.table.instruments.emit(
                EventsInExcess(process.pid, process.name, subscription.producer, excess)
            )

    # -- the end of a subscription ----------------------------------------------------------

    @handles(Cancelled)
    def _stage_cancelled(self, message: Cancelled) -> Performed:
        return self._stage_over(message.subscription, "cancel", message.reason)

    @handles(ProducerDown)
    def _stage_producer_down(self, message: ProducerDown) -> Performed:
        return self._stage_over(message.subscription, "down", message.reason)

    def _stage_over(self, subscription: Subscription, how: How, reason: ExitReason) -> Performed:
        upstream = self._stage_producers.pop(subscription, None)
        if upstream is None:
            return None
        upstream.leave()
        return self._stage_say_over(subscription, SubscriptionEnded(how, reason, "producer"))

    def _stage_say_over(self, subscription: Subscription, end: SubscriptionEnded) -> Performed:
        return perform(self._stage_ended(subscription, end))

    def _stage_ended(self, subscription: Subscription, end: SubscriptionEnded) -> Steps:
        """Tell the user; then end too, if that was agreed."""
        result = yield call_user(self.handle_cancel, subscription, end)
        stop = stop_in(self._stage_process, self, "handle_cancel", result)
        if stop is None and ends_consumer(subscription.cancel_mode, end.reason):
            return Stop(end.reason)
        return stop

    # -- inside -----------------------------------------------------------------------------

    def _attach(self, loop: ServerLoop | None) -> None:
        super()._attach(loop)
        if loop is None:
            for upstream in self._stage_producers.values():
                upstream.leave()
        self._stage_upstreams = None

    def facts(self) -> Mapping[str, Plain]:
        """Producers, and events under way; see ``GenServer.facts``."""
        demands = [one.demand for one in self._stage_producers.values() if one.demand is not None]
        return {
            **super().facts(),
            "producers": len(self._stage_producers),
            "pending demand": sum(one.pending for one in demands),
        }


def _replied(
    subscription: Subscription | None, error: Exception | None, reply_to: ReplyTo[Subscription]
) -> Subscription | NoReply:
    """What cannot be is the error of who asked for it."""
    if subscription is not None:
        return subscription
    assert error is not None
    reply_to.error(error)
    del error  # this frame may get into its traceback: break the cycle
    return NoReply()


def ends_consumer(mode: CancelMode, reason: ExitReason) -> bool:
    """Whether the end of a subscription for this reason is the end of its consumer."""
    if isinstance(reason, Crashed) and isinstance(reason.exception, AlreadySubscribed):
        return False
    return mode == "permanent" or (mode == "transient" and not is_clean(reason))
