"""Events as an async iterator, for whoever is no stage. GenStage: ``GenStage.stream``.

A subscription needs a process at the consumer's end, and a reader need not be one. So the block has
a small consumer of its own that only hands on what it gets; the reader asks for more, when it has
used a chunk up, and the consumer is gone when the block is left.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import AsyncIterator, Hashable
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, Final, TypeAlias

import msgspec
import trio
from trio.lowlevel import current_task, enable_ki_protection

from runtime.containment import short_repr
from runtime.current import current_process, current_table, find_process
from runtime.exits import Crashed, ExitReason
from runtime.pid import Pid
from runtime.process import Process
from runtime.spawning import spawn_process
from runtime.stages.consumer import Consumer
from runtime.stages.consuming import ends_consumer
from runtime.stages.pending_demand import PendingDemand
from runtime.stages.producer import Forward, Producer
from runtime.stages.subscription import Peer, Subscription, SubscriptionEnded
from runtime.stages.subscription_options import (
    DEFAULT_MAX_DEMAND,
    CancelMode,
    Mode,
    Selector,
    SubscriptionOptions,
)
from runtime.stages.wanted import ProducerTarget, SubscriptionKeywords, Wanted
from runtime.stops import stop_processes

_News: TypeAlias = (
    "tuple[Subscription, list[Any], int] | tuple[Subscription, SubscriptionEnded, None]"
)
"""A chunk of events and what to ask for when it is used up, or the end of a subscription."""

_LEFT: Final = "the block of these events has been left"


class ProducerExit(Exception):
    """There are no more events of a producer, and that was not to be; ``reason`` says why.

    ``producer`` is its pid, ``None`` if nobody had its name. If it crashed, its exception is the
    ``__cause__``.
    """

    def __init__(self, producer: Pid | None, reason: ExitReason) -> None:
        who = "a producer" if producer is None else repr(producer)
        super().__init__(f"{who} gives no more events: {short_repr(reason)}")
        self.producer = producer
        self.reason = reason
        self.__cause__ = reason.exception if isinstance(reason, Crashed) else None


class _Reading(Consumer[Any]):
    """The consumer of a block."""

    def __init__(
        self,
        wanted: Wanted,
        subscriptions: dict[Subscription, PendingDemand[Any]],
        news: trio.MemorySendChannel[_News],
    ) -> None:
        self._wanted, self._subscriptions, self._news = wanted, subscriptions, news

    def init(self) -> None:
        """Subscribe; nothing is asked for before that has been done with all."""
        for one in self._wanted.subscribe(self):
            self._subscriptions[one] = PendingDemand(one.max_demand, one.min_demand)

    def handle_subscribe(self, peer: Peer, subscription: Subscription) -> Mode:
        """Ask for the first events; who holds them back does so no longer."""
        subscription.ask(subscription.max_demand)
        producer = None if subscription.producer is None else find_process(subscription.producer)
        if producer is not None and isinstance(getattr(producer.body, "server", None), Producer):
            producer.post_system(Forward())
        return "manual"

    def handle_events(self, events: list[Any], subscription: Subscription) -> None:
        """Hand them on, in the chunks of any other consumer."""
        chunks, excess = self._subscriptions[subscription].split(events)
        if excess:
            self._stage_report_excess(subscription, excess)
        for chunk, ask in chunks:
            self._news.send_nowait((subscription, chunk, ask))

    def handle_cancel(self, subscription: Subscription, end: SubscriptionEnded) -> None:
        """Hand that on, behind the events."""
        self._subscriptions.pop(subscription)
        self._news.send_nowait((subscription, end, None))


class EventReader(AsyncIterator[Any]):
    """The iterator of one block."""

    @enable_ki_protection
    def __init__(self, wanted: Wanted, cancel: CancelMode) -> None:
        self._cancel: CancelMode = cancel
        self._live = len(wanted)
        self._subscriptions: dict[Subscription, PendingDemand[Any]] = {}
        self._chunk: deque[Any] = deque()
        self._due: tuple[Subscription, int] | None = None  # to be asked for after the chunk
        self._over = self._closed = self._busy = False
        self._reason: ExitReason = None
        self._send, self._news = trio.open_memory_channel[_News](math.inf)
        self._table, self._owner = current_table(), current_process()
        body = _Reading.child_spec(wanted, self._subscriptions, self._send).make_body()
        self._process = spawn_process(self._table, body, label="events_of", begins=True)
        self._process.watches[self] = None
        if self._owner is not None:
            self._owner.claim(self)

    def __aiter__(self) -> EventReader:
        return self

    async def __anext__(self) -> Any:
        """The next event. Cancelling loses none: the next call goes on."""
        if self._busy:
            raise trio.BusyResourceError("another task is waiting for one of these events")
        self._busy = True
        try:
            await trio.lowlevel.checkpoint_if_cancelled()
            return await self._step()
        finally:
            self._busy = False

    async def _step(self) -> Any:
        may_go_on = self._goes_on()
        while not self._closed:
            if not (may_go_on or not (self._chunk or self._over)):
                await trio.lowlevel.checkpoint()
            elif self._chunk:
                return self._chunk.popleft()
            elif self._over:
                raise StopAsyncIteration
            else:
                self._ask_again()
                await self._next()
            may_go_on = True
        raise trio.ClosedResourceError(_LEFT)

    def _goes_on(self) -> bool:
        """Whether an event that is there may be taken without letting others run; see ``Turn``."""
        turn = self._table.turn
        return turn is not None and not turn.is_over(current_task())

    def _ask_again(self) -> None:
        due, self._due = self._due, None
        if due is not None:
            subscription, count = due
            subscription.ask(count)

    async def _next(self) -> None:
        """Wait for what comes next."""
        try:
            subscription, news, ask = await self._news.receive()
        except trio.EndOfChannel:
            if self._closed:
                return
            self._over = True
            raise ProducerExit(None, self._reason) from None
        if not isinstance(news, SubscriptionEnded):
            self._chunk.extend(news)
            self._due = (subscription, ask or 0)
            return
        self._live -= 1
        self._over = not self._live
        if ends_consumer(self._cancel, news.reason):
            self._over = True
            raise ProducerExit(subscription.producer, news.reason)

    # -- the end ----------------------------------------------------------------------------

    only_end = True

    def wake(self, reason: ExitReason) -> None:
        """The consumer of the block has ended; if that was not by leaving it, the reader hears."""
        self._reason = reason
        self._send.close()

    def owner_ended(self, process: Process) -> None:
        """The process that reads has ended without leaving the block."""
        self._process.given_up = True  # it is not needed any more, and that is no news
        self._process.kill()

    async def close(self) -> None:
        """Cancel the subscriptions; when this returns nothing of the block is left."""
        self._closed = True
        if self._owner is not None:
            self._owner.drop_claim(self)
        if self._process.status != "ended":
            for subscription in self._subscriptions:
                subscription.cancel()
        with trio.CancelScope(shield=True):
            await stop_processes([(self._process, "brutal_kill")], self._table.owner)


class EventBlock(AbstractAsyncContextManager[AsyncIterator[Any]]):
    """Events that are not read yet: ``async with events_of(...) as events``."""

    def __init__(self, wanted: Wanted, cancel: CancelMode) -> None:
        self._wanted = wanted
        self._cancel: CancelMode = cancel
        self._reader: EventReader | None = None

    async def __aenter__(self) -> AsyncIterator[Any]:
        """Subscribe."""
        if self._reader is not None:
            raise RuntimeError("the events are in use: ask for others, or leave the block first")
        self._reader = EventReader(self._wanted, self._cancel)
        return self._reader

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _exc: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Cancel the subscriptions."""
        reader, self._reader = self._reader, None
        assert reader is not None
        await reader.close()


def events_of(
    *producers: ProducerTarget,
    max_demand: int = DEFAULT_MAX_DEMAND,
    min_demand: int | None = None,
    cancel: CancelMode = "transient",
    partition: Hashable | msgspec.UnsetType = msgspec.UNSET,
    selector: Selector | None = None,
) -> EventBlock:
    """Read the events of producers in any Trio task of the node. GenStage: ``GenStage.stream``.

    Used as ``async with events_of("numbers") as events: async for event in events``. The options
    are those of ``subscribe``: at most ``max_demand`` events of each producer are under way, and
    more are asked for when a chunk of them has been used up, so with ``max_demand=1`` the next one
    is asked for only when the reader wants it. A producer that accumulates is told to begin.

    ``cancel`` says what the end of a producer is to the reader. It comes after all its events.

    - ``"transient"``: the events end when the last producer has; but if one crashes or is not
      there, ``ProducerExit`` is raised, with its reason.
    - ``"permanent"``: any end raises ``ProducerExit``.
    - ``"temporary"``: no end does.

    Leaving the block cancels the subscriptions with ``Normal()``; what was under way is dropped,
    and no more is asked for. A step that is cancelled loses no event. One task at a time takes a
    step (``trio.BusyResourceError``), and none after the block (``trio.ClosedResourceError``).
    """
    if not producers:
        raise TypeError("producers: got none, allowed are names, pids and Refs")
    SubscriptionOptions(max_demand, min_demand, cancel, None, partition, selector)  # to check them
    options = SubscriptionKeywords(
        max_demand=max_demand,
        min_demand=min_demand,
        cancel="temporary",  # the reader hears of every end, and decides by itself
        mode="manual",
        partition=partition,
        selector=selector,
    )
    return EventBlock(Wanted(producers, options, "producers"), cancel)
