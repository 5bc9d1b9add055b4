"""The runs that the pictures of docs/stages.md show: real stages, in virtual time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeAlias

import msgspec
import trio
import trio.testing

from runtime import ChildSpec, Pid, Ref, open_node, start
from runtime.stages import (
    BroadcastDispatcher,
    Consumer,
    Delivery,
    DemandDispatcher,
    Dispatcher,
    PartitionDispatcher,
    Producer,
    ProducerConsumer,
    Subscription,
    set_demand,
    subscribe,
)
from tests.oracle.playing import in_turn
from tests.pictures.sequence import Arrow, Row, Work, drawn

MakeDispatcher: TypeAlias = Callable[[], Dispatcher[int]]


def told(events: list[int]) -> str:
    """``0 to 4`` for a row of numbers, else all of them."""
    if len(events) > 2 and events == list(range(events[0], events[-1] + 1)):
        return f"{events[0]} to {events[-1]}"
    return ", ".join(map(str, events))


class Scene:
    """Stages by name, and what has happened between them."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.lanes: dict[Pid, str] = {}

    async def start(self, lane: str, spec: ChildSpec) -> Ref:
        """Start a stage that is drawn under this name."""
        stage = await start(spec)
        self.lanes[stage.pid] = lane
        return stage

    def asked(self, subscription: Subscription, count: int) -> None:
        """A consumer wants so many more."""
        producer, consumer = self._ends(subscription)
        text = f"{count} more, please"
        self.rows.append(Arrow(trio.current_time(), consumer, producer, text, asks=True))

    def given(self, subscription: Subscription, events: list[int]) -> None:
        """A producer delivers."""
        producer, consumer = self._ends(subscription)
        self.rows.append(Arrow(trio.current_time(), producer, consumer, told(events)))

    def works(self, stage: Pid, events: list[int]) -> None:
        """A stage begins to handle events."""
        text = f"handles {told(events)}"
        self.rows.append(Work(trio.current_time(), self.lanes[stage], text))

    def _ends(self, subscription: Subscription) -> tuple[str, str]:
        assert subscription.producer is not None
        return self.lanes[subscription.producer], self.lanes[subscription.consumer]


class Told(Dispatcher[int]):
    """A dispatcher, and the scene hears what goes through it."""

    def __init__(self, scene: Scene, inner: Dispatcher[int]) -> None:
        self._scene, self._inner = scene, inner

    @property
    def demand(self) -> int:
        """As the other says."""
        return self._inner.demand

    def subscribe(self, subscription: Subscription) -> None:
        """As the other does."""
        self._inner.subscribe(subscription)

    def cancel(self, subscription: Subscription) -> None:
        """As the other does."""
        self._inner.cancel(subscription)

    def ask(self, subscription: Subscription, count: int) -> Sequence[Delivery[int]]:
        """Told: demand, and what is delivered for it."""
        self._scene.asked(subscription, count)
        return self._tell(self._inner.ask(subscription, count))

    def dispatch(self, events: list[int]) -> tuple[Sequence[Delivery[int]], list[int]]:
        """Told: what is delivered."""
        deliveries, left = self._inner.dispatch(events)
        return self._tell(deliveries), left

    def _tell(self, deliveries: Sequence[Delivery[int]]) -> Sequence[Delivery[int]]:
        for subscription, events in deliveries:
            self._scene.given(subscription, events)
        return deliveries


class Numbers(Producer[int]):
    """Counts, as far as it is asked to."""

    def __init__(self, scene: Scene, total: int, make: MakeDispatcher = DemandDispatcher) -> None:
        self._scene, self._numbers, self._make = scene, list(range(total)), make

    def make_dispatcher(self) -> Dispatcher[int]:
        """The one that was given."""
        return Told(self._scene, self._make())

    def handle_demand(self, demand: int) -> list[int]:
        """So many of those that are left."""
        made, self._numbers = self._numbers[:demand], self._numbers[demand:]
        return made


class Doubling(ProducerConsumer[int, int]):
    """In the middle; quick."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def handle_events(self, events: list[int], subscription: Subscription) -> list[int]:
        """As many as came."""
        self._scene.works(subscription.consumer, events)
        return events

    def make_dispatcher(self) -> Dispatcher[int]:
        """To whoever asks."""
        return Told(self._scene, DemandDispatcher())


class Slow(Consumer[int]):
    """Takes its time for whatever it is given at once."""

    def __init__(self, scene: Scene, seconds: float = 1.0) -> None:
        self._scene, self._seconds = scene, seconds

    async def handle_events(self, events: list[int], subscription: Subscription) -> None:
        """Take the time."""
        self._scene.works(subscription.consumer, events)
        await trio.sleep(self._seconds)


async def demand(scene: Scene) -> None:
    """One producer, one consumer."""
    numbers = await scene.start("producer", Numbers.child_spec(scene, 16))
    slow = await scene.start("consumer", Slow.child_spec(scene))
    await subscribe(slow, numbers, max_demand=10, min_demand=5)
    await trio.sleep(10)


async def chain(scene: Scene) -> None:
    """A slow end holds up the source through a quick middle."""
    numbers = await scene.start("source", Numbers.child_spec(scene, 100))
    middle = await scene.start("middle", Doubling.child_spec(scene))
    slow = await scene.start("slow end", Slow.child_spec(scene))
    await subscribe(slow, middle, max_demand=2, min_demand=1)
    await subscribe(middle, numbers, max_demand=4, min_demand=2)
    await trio.sleep(3.5)


def shared_out(make: MakeDispatcher, **partitions: int) -> Play:
    """One producer and two consumers, under a dispatcher."""

    async def play(scene: Scene) -> None:
        spec = Numbers.child_spec(scene, 12, make)
        numbers = await scene.start("producer", spec)
        await set_demand(numbers, "accumulate")
        for number, lane in enumerate(("consumer A", "consumer B")):
            slow = await scene.start(lane, Slow.child_spec(scene, 1.0 + number / 4))
            partition = number if partitions else msgspec.UNSET
            await subscribe(slow, numbers, max_demand=4, min_demand=2, partition=partition)
        await set_demand(numbers, "forward")
        await trio.sleep(2.5)

    return play


Play: TypeAlias = Callable[[Scene], Awaitable[None]]

PICTURES: Final[dict[str, tuple[str, Play]]] = {
    "demand": ("max_demand=10, min_demand=5, a source of 16", demand),
    "chain": ("a slow end holds up its source", chain),
    "demand-dispatcher": ("each event to the one that wants most", shared_out(DemandDispatcher)),
    "broadcast-dispatcher": ("each event to all", shared_out(BroadcastDispatcher)),
    "partition-dispatcher": (
        "each event to its partition: even to A, odd to B",
        shared_out(lambda: PartitionDispatcher(2, hash=lambda event: event % 2), by=2),
    ),
}
"""By file name: the title, and what happens."""


def picture(name: str) -> str:
    """The SVG of a picture; the same each time."""
    title, play = PICTURES[name]
    scene = Scene()
    with in_turn():
        trio.run(_played, play, scene, clock=trio.testing.MockClock(autojump_threshold=0))
    return drawn(title, tuple(scene.lanes.values()), scene.rows)


async def _played(play: Play, scene: Scene) -> None:
    async with open_node():
        await play(scene)
