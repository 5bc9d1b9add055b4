"""Each event to one consumer, the one that wants most. GenStage: ``GenStage.DemandDispatcher``."""

from __future__ import annotations

import random as randomness
from bisect import insort_right
from typing import TypeVar

from runtime.current import find_process
from runtime.instruments import DemandUneven
from runtime.stages.dispatcher import Delivery, Dispatcher
from runtime.stages.refusals import check_limit, refuse_partition, refuse_selector
from runtime.stages.subscription import Subscription

T = TypeVar("T")


class _Wanting:
    """A consumer and how many events it still wants."""

    __slots__ = ("pending", "subscription", "told")

    def __init__(self, subscription: Subscription) -> None:
        self.subscription = subscription
        self.pending = 0
        self.told = False  # that it asks for too many at a time


def _fewest_last(wanting: _Wanting) -> int:
    return -wanting.pending


class DemandDispatcher(Dispatcher[T]):
    """Gives each event to the consumer that wants most; among equals, to who has waited longest.

    - ``max_demand``: how many events consumers are expected to ask for at a time; by default what
      the first of them asks for. One that asks for more is served first and may leave the others
      with nothing, so the event ``DemandUneven`` is told, once for each subscription.
    - ``shuffle_first``: the first events go to those that want equally many in random order instead
      of the order in which they asked; ``random`` draws it. GenStage:
      ``:shuffle_demands_on_first_dispatch``. There the whole list is shuffled.
    """

    def __init__(
        self,
        *,
        max_demand: int | None = None,
        shuffle_first: bool = False,
        random: randomness.Random | None = None,
    ) -> None:
        self._expected = check_limit("max_demand", max_demand, 1)
        self._shuffles = shuffle_first
        self._random = random or randomness.Random()
        self._known: dict[Subscription, _Wanting] = {}
        self._order: list[_Wanting] = []  # who wants most comes first
        self._demand = 0

    @property
    def demand(self) -> int:
        """All that the consumers want together."""
        return self._demand

    def subscribe(self, subscription: Subscription) -> None:
        """A new consumer; ``BadSubscription`` for options that mean nothing here."""
        refuse_partition(subscription, self)
        refuse_selector(subscription, self)
        wanting = self._known[subscription] = _Wanting(subscription)
        self._order.append(wanting)

    def cancel(self, subscription: Subscription) -> None:
        """Forget a consumer and what it wants."""
        wanting = self._known.pop(subscription, None)
        if wanting is not None:
            self._order.remove(wanting)
            self._demand -= wanting.pending

    def ask(self, subscription: Subscription, count: int) -> list[Delivery[T]]:
        """A consumer wants so many more; behind those that want as many."""
        wanting = self._known[subscription]
        if self._expected is None:
            self._expected = count
        elif count > self._expected and not wanting.told:
            wanting.told = True
            _tell_uneven(subscription, count, self._expected)
        wanting.pending += count
        self._demand += count
        if len(self._order) > 1:
            self._order.remove(wanting)
            insort_right(self._order, wanting, key=_fewest_last)
        return []

    def dispatch(self, events: list[T]) -> tuple[list[Delivery[T]], list[T]]:
        """To the one that wants most, as many as it wants; the rest to the next."""
        if self._shuffles and self._demand:
            self._shuffle()
        deliveries: list[Delivery[T]] = []
        order, start = self._order, 0
        while start < len(events) and self._demand:
            wanting = order[0]
            part = events[start : start + wanting.pending]
            start += len(part)
            wanting.pending -= len(part)
            self._demand -= len(part)
            if len(order) > 1:
                del order[0]
                insort_right(order, wanting, key=_fewest_last)
            deliveries.append((wanting.subscription, part))
        return deliveries, events[start:]

    def _shuffle(self) -> None:
        self._shuffles = False
        self._random.shuffle(self._order)
        self._order.sort(key=_fewest_last)


def _tell_uneven(subscription: Subscription, count: int, expected: int) -> None:
    process = None if subscription.producer is None else find_process(subscription.producer)
    if process is not None:
        process.table.instruments.emit(
            DemandUneven(process.pid, process.name, subscription.consumer, count, expected)
        )
