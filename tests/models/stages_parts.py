"""Stages for the machine that puts them together: what each makes, gives away, gets and hears.

Every incarnation of a stage has a ``Life``, which outlives it: the log of what it did, by which
all is checked, and what the machine wants it to do next.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, TypeVar

import trio

from runtime import Cast, Pid, Stop, handles
from runtime.stages import (
    NO_PARTITION,
    BroadcastDispatcher,
    Consumer,
    Delivery,
    DemandDispatcher,
    Dispatcher,
    PartitionDispatcher,
    Producer,
    ProducerConsumer,
    Subscription,
    SubscriptionEnded,
)
from runtime.stages.outlet import Outlet
from tests.models.clients import Oops

T = TypeVar("T")
Kind: TypeAlias = Literal["source", "middle", "sink"]
Rules: TypeAlias = Literal["demand", "broadcast", "partition", "bounded partition"]

PARTITIONS = 2
MOST_QUEUED = 3


@dataclass(eq=False, slots=True)
class Item:
    """An event: the ``number``-th that its maker made; the ``key`` leads it."""

    number: int
    key: int


def wants(item: Item) -> bool:
    """The selector of those that have one."""
    return item.key % 2 == 0


def place(item: Item) -> object:
    """The partition of an item; every fifth has none."""
    return NO_PARTITION if item.key % 5 == 4 else item.key % PARTITIONS


@dataclass(eq=False, slots=True)
class Life:
    """One incarnation of a stage."""

    name: str
    kind: Kind
    rules: Rules = "demand"
    buffer_size: int | None = None
    keep: Literal["last", "first"] = "last"
    first_key: int = 0
    pid: Pid | None = None
    stage: Source | Middle | Sink | None = None
    delay: float = 0.0
    crash_in: int | None = None  # handlers until it crashes
    stock: int = 0
    wanted: int = 0
    demanded: int = 0
    asked: dict[Subscription, int] = field(default_factory=dict)
    was_held: bool = False
    emitted_held: bool = False  # then what demand of before gives comes first when it goes on
    discarded: int = 0
    made: list[Item] = field(default_factory=list)
    given: list[tuple[Subscription, Item]] = field(default_factory=list)
    joined: dict[Subscription, int] = field(default_factory=dict)  # what had left by then
    got: defaultdict[Subscription, list[Item]] = field(default_factory=lambda: defaultdict(list))
    ended: list[tuple[Subscription, SubscriptionEnded]] = field(default_factory=list)
    infos_queued: int = 0
    infos: list[int] = field(default_factory=list)
    early: list[int] = field(default_factory=list)

    def make(self, count: int) -> list[Item]:
        """New items, which the caller emits at once."""
        start = len(self.made)
        items = [Item(number, self.first_key + number) for number in range(start, start + count)]
        self.made += items
        return items

    def outlet(self) -> Outlet[Item] | None:
        """What it gives away with, if it lives and has used it."""
        return self.stage._stage_outlet if isinstance(self.stage, Source | Middle) else None

    def kept(self) -> list[Item]:
        """What nobody has asked for, oldest first; held by an accumulating producer, at the end."""
        outlet = self.outlet()
        if outlet is None:
            return []
        held = [one for one in (*outlet.replayed, *(outlet.held or ())) if isinstance(one, list)]
        return [*outlet.buffer._events, *(item for one in held for item in one)]

    def queues(self) -> list[list[Item]]:
        """What waits for the consumers of its partitions."""
        outlet = self.outlet()
        if outlet is None or not isinstance(outlet.dispatcher, PartitionDispatcher):
            return []
        partitions = outlet.dispatcher._partitions.values()
        return [[one for one in each.queue if isinstance(one, Item)] for each in partitions]

    def given_to(self, subscription: Subscription) -> list[Item]:
        """What it has given to one consumer."""
        return [item for to, item in self.given if to is subscription]

    def step(self) -> None:
        """A handler runs: crash if this was to be the last."""
        if self.crash_in is not None:
            self.crash_in -= 1
            if self.crash_in < 0:
                raise Oops

    def soon(self, then: Callable[[], T]) -> T | Coroutine[Any, Any, T]:
        """``then()``, at once or after the delay."""
        return then() if not self.delay else self._later(then)

    async def _later(self, then: Callable[[], T]) -> T:
        await trio.sleep(self.delay)
        return then()

    def dispatcher(self) -> Dispatcher[Item]:
        """By its rules."""
        match self.rules:
            case "demand":
                return self.watched(DemandDispatcher())
            case "broadcast":
                return self.watched(BroadcastDispatcher())
            case "partition":
                return self.watched(PartitionDispatcher(PARTITIONS, hash=place))
            case _:
                most = MOST_QUEUED
                return self.watched(PartitionDispatcher(PARTITIONS, hash=place, max_queued=most))

    def watched(self, dispatcher: Dispatcher[Item]) -> Dispatcher[Item]:
        """It also counts what it is asked for."""
        ask = dispatcher.ask

        def counted(subscription: Subscription, count: int) -> Sequence[Delivery[Item]]:
            self.asked[subscription] = self.asked.get(subscription, 0) + count
            return ask(subscription, count)

        dispatcher.ask = counted  # type: ignore[method-assign]
        return dispatcher


class Make(Cast):
    """There is more to be had: emitted when it is wanted."""

    count: int


class Push(Cast):
    """Emit, wanted or not."""

    count: int


class Mark(Cast):
    """An info for when all that is here now has gone."""


class End(Cast):
    """Stop for this reason."""

    reason: Any


class Logged:
    """What all three have in common."""

    life: Life

    def handle_cancel(self, subscription: Subscription, end: SubscriptionEnded) -> None:
        self.life.ended.append((subscription, end))

    @handles(End)
    def end(self, message: End) -> Stop:
        return Stop(message.reason)


class Giving(Logged):
    """What those with consumers have in common."""

    queue_info: Callable[[object], None]

    def make_dispatcher(self) -> Dispatcher[Item]:
        return self.life.dispatcher()

    def format_discarded(self, discarded: int) -> bool:
        self.life.discarded += discarded
        return False

    def handle_subscribe(self, peer: str, subscription: Subscription) -> None:
        life = self.life
        if peer == "consumer":
            life.joined[subscription] = len(life.made) - len(life.kept())

    def _stage_delivering(self, subscription: Subscription, events: list[Item]) -> None:
        self.life.given += [(subscription, item) for item in events]

    @handles(Mark)
    def mark(self, message: Mark) -> None:
        self.queue_info((self.life.infos_queued, len(self.life.made)))
        self.life.infos_queued += 1

    def handle_info(self, message: tuple[int, int]) -> None:
        number, before = message
        self.life.infos.append(number)
        waiting = [*self.life.kept(), *(item for each in self.life.queues() for item in each)]
        if any(item.number < before for item in waiting):
            self.life.early.append(number)


class Source(Giving, Producer[Item]):
    def __init__(self, life: Life) -> None:
        self.life, life.stage = life, self
        self.buffer_size, self.buffer_keep = life.buffer_size, life.keep

    def handle_demand(self, demand: int) -> Any:
        self.life.wanted += demand
        self.life.demanded += demand
        self.life.step()
        return self.life.soon(self._serve)

    def _serve(self) -> list[Item]:
        life = self.life
        count = min(life.stock, life.wanted)
        life.stock -= count
        life.wanted -= count
        return life.make(count)

    @handles(Make)
    def more(self, message: Make) -> None:
        self.life.stock += message.count
        self._emit(self._serve())

    def _emit(self, items: list[Item]) -> None:
        outlet = self.life.outlet()
        self.life.emitted_held |= outlet is not None and outlet.held is not None
        self.emit(items)

    @handles(Push)
    def push(self, message: Push) -> None:
        self._emit(self.life.make(message.count))
        self.life.wanted = max(self.life.wanted - message.count, 0)


class Middle(Giving, ProducerConsumer[Item, Item]):
    """Makes of an item none, one or two."""

    def __init__(self, life: Life) -> None:
        self.life, life.stage = life, self

    def handle_events(self, events: list[Item], subscription: Subscription) -> Any:
        self.life.got[subscription] += events
        self.life.step()
        return self.life.soon(lambda: self.life.make(sum(item.key % 3 for item in events)))


class Sink(Logged, Consumer[Item]):
    def __init__(self, life: Life) -> None:
        self.life, life.stage = life, self

    def handle_events(self, events: list[Item], subscription: Subscription) -> Any:
        self.life.got[subscription] += events
        self.life.step()
        return self.life.soon(lambda: None)
