"""What the tests of sources, sinks and readers of events share: stages that log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trio.testing import wait_all_tasks_blocked

from runtime import Call, ExitReason, Ref, Stop, handles, start
from runtime.stages import (
    Consumer,
    Delivery,
    DemandMode,
    Dispatcher,
    Producer,
    Subscription,
    SubscriptionEnded,
)
from tests.supervisors.tree_parts import say

settle = wait_all_tasks_blocked
"""Let everything happen that can happen without the clock moving."""


class Push(Call[None]):
    """Let a producer emit these."""

    events: list[Any]


class Finish(Call[None]):
    """Let a stage stop itself."""

    reason: Any


class Crash(Call[None]):
    """Let a stage raise this."""

    error: BaseException


class Noting(Producer[Any]):
    """Logs what it is asked for, and how subscriptions end; emits what it is told to."""

    def __init__(
        self,
        log: list[str],
        name: str = "P",
        demand: DemandMode = "forward",
        dispatcher: Callable[[], Dispatcher[Any]] | None = None,
    ) -> None:
        self.log, self.name, self.demand, self.dispatcher = log, name, demand, dispatcher
        self.asked = 0

    def make_dispatcher(self) -> Dispatcher[Any]:
        return super().make_dispatcher() if self.dispatcher is None else self.dispatcher()

    def handle_demand(self, demand: int) -> Any:
        self.asked += demand
        self.log.append(f"{self.name} handle_demand {demand}")
        return None

    def handle_cancel(self, subscription: Subscription, end: SubscriptionEnded) -> None:
        self.log.append(f"{self.name} handle_cancel {end.how} {say(end.reason)}")

    @handles(Push)
    def push(self, request: Push) -> None:
        self.emit(request.events)

    @handles(Finish)
    def finish(self, request: Finish) -> Stop:
        return Stop(request.reason, None)

    @handles(Crash)
    def crash(self, request: Crash) -> None:
        raise request.error


class Careless(Dispatcher[Any]):
    """Gives everything to the consumer that came first, whether it has asked or not."""

    def __init__(self) -> None:
        self.consumers: list[Subscription] = []
        self.asked = 0

    @property
    def demand(self) -> int:
        return self.asked

    def subscribe(self, subscription: Subscription) -> None:
        self.consumers.append(subscription)

    def cancel(self, subscription: Subscription) -> None:
        if subscription in self.consumers:
            self.consumers.remove(subscription)

    def ask(self, subscription: Subscription, count: int) -> list[Delivery[Any]]:
        self.asked += count
        return []

    def dispatch(self, events: list[Any]) -> tuple[list[Delivery[Any]], list[Any]]:
        self.asked = max(0, self.asked - len(events))
        return [(self.consumers[0], events)], []


class Count(Noting):
    """Counts up from 0 and emits exactly what is asked, up to ``total`` events."""

    def __init__(self, log: list[str], total: int | None = None, **how: Any) -> None:
        super().__init__(log, **how)
        self.total = total
        self.next = 0

    def handle_demand(self, demand: int) -> Any:
        super().handle_demand(demand)
        first = self.next
        self.next += demand
        if self.total is not None:
            self.next = min(self.next, self.total)
        return range(first, self.next)


class Sink(Consumer[Any]):
    """Logs chunks and the end of subscriptions."""

    def __init__(self, log: list[str], name: str = "C") -> None:
        self.log, self.name = log, name

    def handle_events(self, events: list[Any], subscription: Subscription) -> None:
        self.log.append(f"{self.name} handle_events {events}")

    def handle_cancel(self, subscription: Subscription, end: SubscriptionEnded) -> None:
        self.log.append(f"{self.name} handle_cancel {end.how} {say(end.reason)}")

    def terminate(self, reason: ExitReason) -> None:
        self.log.append(f"{self.name} terminate {say(reason)}")


async def start_count(log: list[str], total: int | None = None, **how: Any) -> Ref:
    """A counting producer in the node's root."""
    return await start(Count.child_spec(log, total, **how))


async def start_noting(log: list[str], **how: Any) -> Ref:
    """A producer in the node's root that emits what it is told to."""
    return await start(Noting.child_spec(log, **how))


async def start_sink(log: list[str], name: str = "C") -> Ref:
    """A consumer in the node's root."""
    return await start(Sink.child_spec(log, name))
