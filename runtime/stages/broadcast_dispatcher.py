"""Each event to every consumer, at the pace of the slowest. GenStage: ``BroadcastDispatcher``."""

from __future__ import annotations

from typing import TypeVar

from runtime.containment import short_repr
from runtime.stages.dispatcher import Delivery, Dispatcher
from runtime.stages.refusals import refuse_partition
from runtime.stages.subscription import Subscription
from runtime.stages.subscription_options import AlreadySubscribed, Selector
from runtime.user_code import call_user

T = TypeVar("T")


class BroadcastDispatcher(Dispatcher[T]):
    """Gives each event to every consumer that is subscribed when it leaves the producer.

    Nobody gets an event before all have asked for it, so one that does not ask holds up the others.
    A newcomer gets what leaves after it has subscribed; with ``demand = "accumulate"`` a producer
    waits until all are there.

    A consumer that subscribes with ``selector=`` gets only the events for which that returns
    something true. Events it rejects use up nothing of what the consumer has asked for; if it
    rejects all of them, the consumer is given an empty list, which only manual ones get to see. A
    selector runs in the producer, so one that raises ends that.

    One process may subscribe once; a second time is refused with ``AlreadySubscribed``, and the
    consumer lives on with the first.
    """

    def __init__(self) -> None:
        self._pending: dict[Subscription, int] = {}

    @property
    def demand(self) -> int:
        """What all consumers want: as much as the one that wants least."""
        return min(self._pending.values(), default=0)

    def subscribe(self, subscription: Subscription) -> None:
        """A new consumer; ``AlreadySubscribed`` if its process is one already."""
        refuse_partition(subscription, self)
        if any(known.consumer == subscription.consumer for known in self._pending):
            raise AlreadySubscribed(
                f"already subscribed: {short_repr(subscription.consumer)} gets every event of "
                f"{short_repr(subscription.producer)} once"
            )
        self._pending[subscription] = 0

    def cancel(self, subscription: Subscription) -> None:
        """Forget a consumer: the others need not wait for it any more."""
        self._pending.pop(subscription, None)

    def ask(self, subscription: Subscription, count: int) -> list[Delivery[T]]:
        """A consumer wants so many more."""
        self._pending[subscription] += count
        return []

    def dispatch(self, events: list[T]) -> tuple[list[Delivery[T]], list[T]]:
        """As many as all want to all of them; what selectors reject leaves room for more."""
        pending = dict(self._pending)  # what a selector raises changes nothing
        chosen: dict[Subscription, list[T]] = {}
        start = 0
        while start < len(events) and (count := min(pending.values(), default=0)):
            part = events[start : start + count]
            start += len(part)
            for subscription in pending:
                selector = subscription.options.selector
                own = part if selector is None else call_user(_chosen, selector, part)
                pending[subscription] -= len(own)
                chosen.setdefault(subscription, []).extend(own)
        self._pending = pending
        return list(chosen.items()), events[start:]


def _chosen(selector: Selector, events: list[T]) -> list[T]:
    return [event for event in events if selector(event)]
