"""What the rows of stages share: stages that write down what they see, each in a log of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar, Unpack

import trio
import trio.testing

from runtime import Call, ExitReason, Ref, handles
from runtime.stages import (
    Consumer,
    DemandDispatcher,
    Dispatcher,
    Mode,
    Peer,
    Producer,
    ProducerConsumer,
    Subscription,
    SubscriptionEnded,
    subscribe,
)
from tests.oracle.stages import ProducerOptions

T = TypeVar("T")

Log = list[Any]
"""A producer writes each demand and the ends of its subscriptions, a consumer its chunks and ends;
infos and ``terminate`` are marked."""


async def settled() -> None:
    """Let everything happen that can without time passing."""
    await trio.testing.wait_all_tasks_blocked()


class Kept(Producer[Any]):
    """What the producers share."""

    def __init__(self, log: Log, **options: Unpack[ProducerOptions]) -> None:
        self.log = log
        self.dispatcher = options.pop("dispatcher", None)
        vars(self).update(options)

    def make_dispatcher(self) -> Dispatcher[Any]:
        return self.dispatcher or DemandDispatcher()

    def handle_cancel(self, subscription: Subscription, end: SubscriptionEnded) -> None:
        self.log.append((end.how, end.reason))

    def handle_info(self, message: object) -> None:
        self.log.append(("info", message))

    def terminate(self, reason: ExitReason) -> None:
        self.log.append(("terminate", reason))


class Source(Kept):
    """Counts from 0: exactly what is asked for, up to ``total`` events."""

    def __init__(
        self, log: Log, total: int | None = None, **options: Unpack[ProducerOptions]
    ) -> None:
        super().__init__(log, **options)
        self.total = total
        self.next = 0

    def handle_demand(self, demand: int) -> Iterable[int]:
        self.log.append(demand)
        first = self.next
        self.next += demand if self.total is None else min(demand, self.total - first)
        return range(first, self.next)


class Emit(Call[None]):
    """Emit these."""

    events: list[Any]


class Pushed(Kept):
    """Ignores demand; ``push`` says what it emits."""

    def handle_demand(self, demand: int) -> None:
        self.log.append(demand)

    @handles(Emit)
    def push(self, request: Emit) -> None:
        self.emit(request.events)


async def push(producer: Ref, *events: Any) -> None:
    """Let a ``Pushed`` emit these at once, and see what follows."""
    await producer.call(Emit(list(events)))
    await settled()


class Do(Call[Any]):
    """Do this in the stage."""

    fn: Callable[[Any], Any]


class Sink(Consumer[Any]):
    """Takes what comes. ``then`` is asked what ``handle_events`` returns."""

    def __init__(
        self,
        log: Log,
        mode: Mode | None = None,
        *,
        then: Callable[[list[Any]], Any] = lambda events: None,
    ) -> None:
        self.log = log
        self.mode: Mode | None = mode
        self.then = then

    def handle_subscribe(self, peer: Peer, subscription: Subscription) -> Mode | None:
        return self.mode

    def handle_events(self, events: list[Any], subscription: Subscription) -> Any:
        self.log.append(events)
        return self.then(events)

    @handles(Do)
    def do(self, request: Do) -> Any:
        return request.fn(self)

    def handle_cancel(self, subscription: Subscription, end: SubscriptionEnded) -> None:
        self.log.append((end.how, end.reason))

    def handle_info(self, message: object) -> None:
        self.log.append(("info", message))

    def terminate(self, reason: ExitReason) -> None:
        self.log.append(("terminate", reason))


class Stuck(Sink):
    """Does not come back once it has seen so many events."""

    def __init__(self, log: Log, after: int) -> None:
        super().__init__(log)
        self.left = after

    async def handle_events(self, events: list[Any], subscription: Subscription) -> None:
        self.log.append(events)
        self.left -= len(events)
        if self.left <= 0:
            await trio.sleep_forever()


class Through(ProducerConsumer[Any, Any]):
    """Makes some events of each."""

    def __init__(
        self, log: Log, fn: Callable[[Any], Iterable[Any]] = lambda event: [event]
    ) -> None:
        self.log = log
        self.fn = fn

    def handle_events(self, events: list[Any], subscription: Subscription) -> list[Any]:
        self.log.append(events)
        return [made for event in events for made in self.fn(event)]

    def handle_cancel(self, subscription: Subscription, end: SubscriptionEnded) -> None:
        self.log.append((end.how, end.reason))

    def handle_info(self, message: object) -> None:
        self.log.append(("info", message))


async def consumer_of(
    producer: Ref, log: Log, *, mode: Mode | None = None, **options: Any
) -> Subscription:
    """A fresh ``Sink`` that has subscribed, by default with the mode of the subscription."""
    subscription = await subscribe(await Sink.start(log, mode), to=producer, **options)
    await settled()
    return subscription


async def manual(producer: Ref, log: Log, **options: Any) -> Subscription:
    """A fresh ``Sink`` that asks by hand."""
    return await consumer_of(producer, log, mode="manual", **options)


async def ask(subscription: Subscription, count: int) -> None:
    """Ask by hand, and see what follows."""
    subscription.ask(count)
    await settled()


async def ran(total: int, most: int, least: int | None) -> tuple[Log, Log]:
    """What a ``Source`` of so many and a ``Sink`` see: the asks, and the chunks."""
    asks: Log = []
    chunks: Log = []
    await consumer_of(await Source.start(asks, total), chunks, max_demand=most, min_demand=least)
    return asks, chunks


async def raised_by(asked: Awaitable[object]) -> Exception:
    """What it raises."""
    try:
        await asked
    except Exception as error:
        return error
    raise AssertionError("nothing is raised")
