"""Producers of what an iterable or a channel gives. GenStage: ``GenStage.from_enumerable``.

Nothing is taken from a source before a consumer has asked for it. A plain iterable is asked in the
producer's own turn; what must be awaited is asked by one task beside it, in a nursery of the
process, so that the producer answers calls while it waits for an item.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from contextlib import AsyncExitStack, aclosing
from itertools import islice
from typing import Generic, Literal, TypeAlias, TypeVar, get_args

import msgspec
import trio

from runtime.child_spec import ChildSpec
from runtime.containment import crash_of, outcome_of, short_repr
from runtime.exits import NORMAL, ExitReason
from runtime.handlers import handles
from runtime.outcomes import Stop
from runtime.stages.dispatcher import Dispatcher
from runtime.stages.producer import Producer
from runtime.stages.requests import DemandMode
from runtime.stages.subscription import Peer, Subscription, SubscriptionEnded

T = TypeVar("T")

OnCancel: TypeAlias = Literal["continue", "stop"]
"""What a source does when its last consumer leaves: wait for others, or end."""


class SourceOver(msgspec.Struct, frozen=True):
    """All that the source had has gone; with ``error`` that is how it ended."""

    error: BaseException | None = None


class Source(Producer[T], Generic[T]):
    """What sources have in common. Its buffer has no limit: nothing is taken but what is wanted."""

    buffer_size: int | None = None

    def __init__(
        self,
        on_cancel: OnCancel,
        demand: DemandMode,
        dispatcher: Callable[[], Dispatcher[T]] | None,
    ) -> None:
        _check_choice("on_cancel", on_cancel, get_args(OnCancel))
        _check_choice("demand", demand, get_args(DemandMode))
        if dispatcher is not None and not callable(dispatcher):
            raise TypeError(
                f"dispatcher: got {short_repr(dispatcher)}, allowed is what makes one, such as "
                "BroadcastDispatcher"
            )
        self.demand = demand
        self._on_cancel, self._make_dispatcher = on_cancel, dispatcher
        self._consumers = 0
        self._over = False  # there is no more to come

    def make_dispatcher(self) -> Dispatcher[T]:
        """The one that was wanted."""
        return (
            super().make_dispatcher() if self._make_dispatcher is None else self._make_dispatcher()
        )

    def handle_subscribe(self, peer: Peer, subscription: Subscription) -> None:
        """Count it."""
        self._consumers += 1

    def handle_cancel(self, subscription: Subscription, end: SubscriptionEnded) -> Stop | None:
        """End with the last consumer, if that is wanted."""
        self._consumers -= 1
        return Stop(NORMAL) if self._on_cancel == "stop" and not self._consumers else None

    def _ends(self, error: BaseException | None = None) -> None:
        """End when everything before has gone."""
        self._over = True
        self.queue_info(SourceOver(error))

    @handles(SourceOver)
    def _is_over(self, message: SourceOver) -> Stop:
        if message.error is None:
            return Stop(NORMAL)
        try:
            raise message.error
        finally:
            del message  # this frame is in its traceback: break the cycle


class IterableSource(Source[T], Generic[T]):
    """A producer of the items of a plain iterable."""

    def __init__(
        self,
        items: Iterable[T],
        on_cancel: OnCancel = "continue",
        demand: DemandMode = "forward",
        dispatcher: Callable[[], Dispatcher[T]] | None = None,
    ) -> None:
        super().__init__(on_cancel, demand, dispatcher)
        self._items = items
        self._iterator: Iterator[T] | None = None

    def handle_demand(self, demand: int) -> None:
        """As many as are wanted, at once; a failure comes behind those that were there."""
        if self._over:
            return
        if self._iterator is None:
            self._iterator = iter(self._items)
        events: list[T] = []
        _, error = crash_of(events.extend, islice(self._iterator, demand))
        self.emit(events)
        if error is not None or len(events) < demand:
            self._ends(error)
            error = None  # this frame is in its traceback: break the cycle

    def terminate(self, reason: ExitReason) -> None:
        """Let a generator clean up; anything else belongs to whoever made it."""
        if inspect.isgenerator(self._iterator):
            self._iterator.close()


class AsyncSource(Source[T], Generic[T]):
    """A producer of the items of an async iterable, a Trio channel for example."""

    def __init__(
        self,
        items: AsyncIterable[T],
        on_cancel: OnCancel = "continue",
        demand: DemandMode = "forward",
        dispatcher: Callable[[], Dispatcher[T]] | None = None,
    ) -> None:
        super().__init__(on_cancel, demand, dispatcher)
        self._items = items
        self._wanted_count = 0
        self._more_wanted = trio.Event()

    async def init(self) -> None:
        """Begin the task that asks the source."""
        nursery = await self.enter(trio.open_nursery())
        nursery.start_soon(self._pull)

    def handle_demand(self, demand: int) -> None:
        """The task has something to do."""
        self._wanted_count += demand
        self._more_wanted.set()

    async def _pull(self) -> None:
        _, error = await outcome_of(self._pull_all())
        self._ends(error)
        error = None  # this frame is in its traceback: break the cycle

    async def _pull_all(self) -> None:
        async with AsyncExitStack() as stack:
            iterator = aiter(self._items)
            if inspect.isasyncgen(iterator):
                await stack.enter_async_context(aclosing(iterator))
            while True:
                await self._until_wanted()
                events = await self._next_of(iterator)
                if not events:
                    return
                self._wanted_count -= len(events)
                self.emit(events)

    async def _until_wanted(self) -> None:
        while not self._wanted_count:
            self._more_wanted = trio.Event()
            await self._more_wanted.wait()

    async def _next_of(self, iterator: AsyncIterator[T]) -> list[T]:
        """The next item, from a memory channel also those that are there; none at the end."""
        try:
            events = [await anext(iterator)]
        except StopAsyncIteration:
            return []
        if isinstance(iterator, trio.MemoryReceiveChannel):
            while len(events) < self._wanted_count:
                try:
                    events.append(iterator.receive_nowait())
                except (trio.WouldBlock, trio.EndOfChannel):
                    break
        return events


def from_iterable(
    items: Iterable[T] | AsyncIterable[T],
    *,
    on_cancel: OnCancel = "continue",
    demand: DemandMode = "forward",
    dispatcher: Callable[[], Dispatcher[T]] | None = None,
) -> ChildSpec:
    """A spec of a producer of these items. GenStage: ``GenStage.from_enumerable``.

    Items are taken when consumers ask for them, and no more than they ask for: from a plain
    iterable all that are wanted in one step, so it must not block; from an async one, one by one in
    a task of the producer. It ends with ``Normal()`` when there are no more, after the last has
    gone. An iterable that raises ends it with that, after all before it have gone.

    - ``on_cancel``: ``"stop"`` ends it when its last consumer leaves, ``"continue"`` does not.
    - ``demand``: ``"accumulate"`` begins only with ``set_demand(producer, "forward")``.
    - ``dispatcher``: what makes its dispatcher, such as ``BroadcastDispatcher``.

    The spec is ``temporary``: a source that was interrupted is seldom one to be begun anew, and a
    generator would seem to be at its end. With ``.replace(restart="transient")`` it is asked for an
    iterator again. A generator is closed at the end; anything else belongs to whoever made it.
    """
    if isinstance(items, AsyncIterable):
        spec = AsyncSource[T].child_spec(items, on_cancel, demand, dispatcher)
    elif isinstance(items, Iterable):
        spec = IterableSource[T].child_spec(items, on_cancel, demand, dispatcher)
    else:
        raise TypeError(
            f"items: got {short_repr(items)}, allowed is an iterable or an async iterable"
        )
    Source(on_cancel, demand, dispatcher)  # only to check them
    return spec.replace(restart="temporary")


def from_channel(
    channel: trio.abc.ReceiveChannel[T],
    *,
    on_cancel: OnCancel = "continue",
    demand: DemandMode = "forward",
    dispatcher: Callable[[], Dispatcher[T]] | None = None,
) -> ChildSpec:
    """A spec of a producer of what a Trio channel gives: ``from_iterable``, by another name.

    What nobody wants stays in the channel, and so holds its senders up. The producer ends when the
    channel does, and does not close it: who made it does, or the senders wait for ever.
    """
    if not isinstance(channel, trio.abc.ReceiveChannel):
        raise TypeError(f"channel: got {short_repr(channel)}, allowed is a Trio receive channel")
    return from_iterable(channel, on_cancel=on_cancel, demand=demand, dispatcher=dispatcher)


def _check_choice(field: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        names = ", ".join(map(repr, allowed))
        raise ValueError(f"{field}: got {short_repr(value)}, allowed are {names}")
