"""Subscriptions without a stage, and a producer as far as its dispatcher can tell."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

from runtime.pid import Pid
from runtime.stages.dispatcher import Delivery, Dispatcher
from runtime.stages.event_buffer import EventBuffer
from runtime.stages.subscription import Subscription
from runtime.stages.subscription_options import SubscriptionOptions

_numbers = count(1)


def subscription(name: str = "C", *, producer: Pid | None = None, **options: Any) -> Subscription:
    """One of a consumer of its own."""
    return Subscription(producer, Pid(next(_numbers), name), SubscriptionOptions(**options))


class Driven:
    """A dispatcher of numbers, its consumers by name, and the buffer behind it.

    What happens is in ``log``, as it does: ``("A", [1, 2])`` is what A gets, ``4`` a
    ``handle_demand(4)``, a text an info.
    """

    def __init__(self, dispatcher: Dispatcher[int], *names: str) -> None:
        self.dispatcher = dispatcher
        self.buffer = EventBuffer[int](None)
        self.unanswered = 0
        self.log: list[tuple[str, list[int]] | int | object] = []
        self.consumers: dict[str, Subscription] = {}
        for name in names:
            self.join(name)

    def join(self, name: str, **options: Any) -> None:
        consumer = subscription(name, **options)
        self.dispatcher.subscribe(consumer)
        self.consumers[name] = consumer
        self._go_on()

    def leave(self, name: str) -> None:
        self.dispatcher.cancel(self.consumers.pop(name))
        self._go_on()

    def ask(self, name: str, count: int) -> None:
        self._deliver(self.dispatcher.ask(self.consumers[name], count))
        self._go_on()

    def push(self, *events: int) -> None:
        self.unanswered = max(self.unanswered - len(events), 0)
        self._dispatch(list(events))
        self._go_on()

    def info(self, message: object) -> None:
        if self.buffer.mark(message):
            self._info(message)

    def came(self) -> list[object]:
        """What has happened since this was last asked."""
        log, self.log = self.log, []
        return log

    def _go_on(self) -> None:
        while len(self.buffer) and (wanted := self.dispatcher.demand):
            events, infos = self.buffer.take(wanted)
            deliveries, left = self.dispatcher.dispatch(events)
            assert left == [], "as many as it wants it takes"
            self._deliver(deliveries)
            for info in infos:
                self._info(info)
        missing = self.dispatcher.demand - self.unanswered
        assert self.dispatcher.demand >= 0
        if missing > 0:
            self.unanswered += missing
            self.log.append(missing)

    def _dispatch(self, events: list[int]) -> None:
        left = events
        if not len(self.buffer):
            deliveries, left = self.dispatcher.dispatch(events)
            assert not left or self.dispatcher.demand == 0
            self._deliver(deliveries)
        self.buffer.put(left)

    def _info(self, message: object) -> None:
        if self.dispatcher.mark(message):
            self.log.append(message)

    def _deliver(self, deliveries: Sequence[Delivery[int]]) -> None:
        self.log.extend((to.consumer.label, events) for to, events in deliveries)
        self.log.extend(self.dispatcher.released())
