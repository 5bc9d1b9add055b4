"""Stages that write down what they see, for the tests of stages.

A log is a list: of a producer each demand, of a consumer each list of events; of both who has
subscribed, ``("over", how, reason, peer)``, ``("info", message)`` and ``("end", reason)``.
The classes named ``Async...`` do the same in ``async def`` callbacks, each with a checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import trio
from trio.testing import wait_all_tasks_blocked

from runtime import Call, Cast, ExitReason, Ref, handles
from runtime.stages import (
    Consumer,
    DemandDispatcher,
    Dispatcher,
    Producer,
    ProducerConsumer,
    Subscription,
    SubscriptionEnded,
    subscribe,
)
from runtime.stages.stage import Stage
from runtime.stages.subscription import Peer

Log = list[Any]
Then = Callable[..., Any]


def nothing(*_args: object) -> None:
    """Returns nothing."""


class Do(Call[Any]):
    """Run ``fn(stage)`` in the stage and reply with what it returns."""

    fn: Callable[[Any], Any]


class Begin(Cast):
    """Run ``fn(stage)`` in the stage; its outcome is the callback's."""

    fn: Callable[[Any], Any]


class Noting(Stage):
    """What all of them write down."""

    log: Log
    mode: Any = None

    def handle_subscribe(self, peer: Peer, subscription: Subscription) -> Any:
        self.log.append(("subscribed", peer))
        return self.mode if peer == "producer" else None

    def handle_cancel(self, subscription: Subscription, end: SubscriptionEnded) -> Any:
        self.log.append(("over", end.how, end.reason, end.peer))

    def handle_info(self, message: object) -> Any:
        self.log.append(("info", message))

    def terminate(self, reason: ExitReason) -> Any:
        self.log.append(("end", reason))

    @handles(Do)
    def do(self, request: Do) -> Any:
        return request.fn(self)

    @handles(Begin)
    def begin(self, message: Begin) -> Any:
        return message.fn(self)


class AsyncNoting(Noting):
    """The same with ``async def``."""

    async def handle_subscribe(self, peer: Peer, subscription: Subscription) -> Any:
        await trio.lowlevel.checkpoint()
        return super().handle_subscribe(peer, subscription)

    async def handle_cancel(self, subscription: Subscription, end: SubscriptionEnded) -> Any:
        await trio.lowlevel.checkpoint()
        return super().handle_cancel(subscription, end)

    async def handle_info(self, message: object) -> Any:
        await trio.lowlevel.checkpoint()
        return super().handle_info(message)

    async def terminate(self, reason: ExitReason) -> Any:
        await trio.lowlevel.checkpoint()
        return super().terminate(reason)


class Source(Noting, Producer[Any]):
    """Counts from 0, exactly as many as wanted, up to ``total``; with 0 it only emits."""

    def __init__(
        self,
        log: Log | None = None,
        total: float = 0,
        *,
        make: Any = DemandDispatcher,
        **attributes: Any,
    ) -> None:
        self.log = [] if log is None else log
        self.total, self.made, self.make = total, 0, make
        vars(self).update(attributes)

    def make_dispatcher(self) -> Dispatcher[Any]:
        made: Dispatcher[Any] = self.make()
        return made

    def handle_demand(self, demand: int) -> Any:
        self.log.append(demand)
        return self.next(demand)

    def next(self, demand: int) -> Iterable[int] | None:
        first = self.made
        self.made = int(min(first + demand, max(self.total, first)))
        return range(first, self.made)


class AsyncSource(AsyncNoting, Source):
    """The same with ``async def``."""

    async def handle_demand(self, demand: int) -> Any:
        await trio.lowlevel.checkpoint()
        return super().handle_demand(demand)


class Sink(Noting, Consumer[Any]):
    """Takes what comes; ``then(events)`` says what ``handle_events`` returns."""

    def __init__(self, log: Log | None = None, then: Then = nothing, mode: Any = None) -> None:
        self.log = [] if log is None else log
        self.then, self.mode = then, mode

    def handle_events(self, events: list[Any], subscription: Subscription) -> Any:
        self.log.append(events)
        return self.then(events)


class AsyncSink(AsyncNoting, Sink):
    """The same with ``async def``; what ``then`` returns is awaited if that can be."""

    async def handle_events(self, events: list[Any], subscription: Subscription) -> Any:
        await trio.lowlevel.checkpoint()
        result = super().handle_events(events, subscription)
        return await result if hasattr(result, "__await__") else result


class Middle(Noting, ProducerConsumer[Any, Any]):
    """Gives on what ``fn`` makes of each event."""

    def __init__(
        self,
        log: Log | None = None,
        fn: Callable[[Any], Any] = lambda event: [event],
        **attributes: Any,
    ) -> None:
        self.log = [] if log is None else log
        self.fn = fn
        vars(self).update(attributes)

    def handle_events(self, events: list[Any], subscription: Subscription) -> Any:
        self.log.append(events)
        return [made for event in events for made in self.fn(event)]


class AsyncMiddle(AsyncNoting, Middle):
    """The same with ``async def``."""

    async def handle_events(self, events: list[Any], subscription: Subscription) -> Any:
        await trio.lowlevel.checkpoint()
        return super().handle_events(events, subscription)


KINDS: list[Any] = [(Source, Middle, Sink), (AsyncSource, AsyncMiddle, AsyncSink)]
"""The classes with plain callbacks, and those with async ones."""


async def settled() -> None:
    """Let everything happen that can without time passing."""
    await wait_all_tasks_blocked()


async def joined(consumer: Ref, to: Ref, **options: Any) -> Subscription:
    """A subscription that both sides know of."""
    subscription = await subscribe(consumer, to, **options)
    await settled()
    return subscription


async def emitted(producer: Ref, *events: Any) -> None:
    """Let a producer emit these, and see what follows."""
    await producer.call(Do(lambda stage: stage.emit(events)))
    await settled()


def chunks(log: Log) -> Log:
    """The lists of events among what a stage has written."""
    return [one for one in log if isinstance(one, list)]


def demands(log: Log) -> Log:
    """The demands among what a producer has written."""
    return [one for one in log if isinstance(one, int)]


def ends(log: Log) -> Log:
    """The ends of subscriptions and of the stage among what it has written."""
    return [one for one in log if isinstance(one, tuple) and one[0] in ("over", "end")]
