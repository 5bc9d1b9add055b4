"""What the checkers know about stages: the events they make and take, ``def`` or ``async def``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any, Literal, assert_type

from runtime import Continue, ExitReason, Pid, Ref, Stop
from runtime.stages import (
    BroadcastDispatcher,
    Consumer,
    DemandDispatcher,
    DemandMode,
    Dispatcher,
    Mode,
    PartitionDispatcher,
    Peer,
    Producer,
    ProducerConsumer,
    Subscription,
    SubscriptionEnded,
    buffered_count,
    get_demand,
    queue_info,
    resubscribe,
    set_demand,
    subscribe,
)


class Numbers(Producer[int]):
    buffer_size = 100
    buffer_keep = "first"
    demand = "accumulate"

    def make_dispatcher(self) -> Dispatcher[int]:
        return BroadcastDispatcher()

    def handle_demand(self, demand: int) -> list[int]:
        self.emit([1])
        self.emit(range(demand))
        self.emit(["1"])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
        self.emit(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        self.queue_info("any message")
        return [demand]

    def format_discarded(self, discarded: int) -> bool:
        return discarded > 1


class Endless(Producer[int]):
    buffer_size = None

    def handle_demand(self, demand: int) -> Iterator[int]:
        yield from range(demand)


class Later(Producer[int]):
    async def handle_demand(self, demand: int) -> Iterable[int] | Stop | None:
        return None if demand > 5 else range(demand)


class Silent(Producer[int]):
    def handle_demand(self, demand: int) -> None: ...


class OfOthers(Producer[int]):
    def handle_demand(self, demand: int) -> list[str]:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        return ["1"]


class LaterOfOthers(Producer[int]):
    async def handle_demand(self, demand: int) -> list[str]:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        return ["1"]


class OneByOne(Producer[int]):
    async def handle_demand(self, demand: int) -> AsyncIterator[int]:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        yield 1


class Going(Producer[int]):
    def handle_demand(self, demand: int) -> Continue:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        return Continue(1)


class WithoutCount(Producer[int]):
    def handle_demand(self) -> list[int]:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        return []


class Badly(Producer[int]):
    buffer_size = "many"  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    buffer_keep = "all"  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    demand = "later"  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]

    def make_dispatcher(self) -> Dispatcher[str]:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        return DemandDispatcher()


class ByLength(Producer[str]):
    def make_dispatcher(self) -> PartitionDispatcher[str]:
        return PartitionDispatcher(3, hash=len)


class Texts(ProducerConsumer[int, str]):
    def handle_events(self, events: list[int], subscription: Subscription) -> list[str]:
        self.emit(["1"])
        self.emit([1])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
        assert_type(self.subscribe("numbers"), Subscription)
        return [str(event) for event in events]


class TextsLater(ProducerConsumer[int, str]):
    async def handle_events(
        self, events: list[int], subscription: Subscription
    ) -> Iterator[str] | Stop:
        return (str(event) for event in events)


class OtherTexts(ProducerConsumer[int, str]):
    def handle_events(self, events: list[int], subscription: Subscription) -> list[int]:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        return events


class OfTexts(ProducerConsumer[int, str]):
    def handle_events(self, events: list[str], subscription: Subscription) -> list[str]:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        return events


class Sink(Consumer[int]):
    def init(self) -> None:
        self.subscribe("numbers", max_demand=10, min_demand=5, cancel="transient", mode="manual")
        self.subscribe(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        self.subscribe("numbers", cancel="always")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        self.subscribe("numbers", max_demand="10")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        self.subscribe("numbers", selector=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        self.emit([1])  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]

    def handle_events(self, events: list[int], subscription: Subscription) -> Stop | None:
        return Stop("enough") if sum(events) > 100 else None

    def handle_subscribe(self, peer: Peer, subscription: Subscription) -> Mode:
        return "manual"

    def handle_cancel(self, subscription: Subscription, end: SubscriptionEnded) -> None:
        assert_type(end.reason, ExitReason)
        assert_type(end.how, Literal["cancel", "down"])


class SinkLater(Consumer[int]):
    async def handle_events(self, events: list[int], subscription: Subscription) -> None: ...

    async def handle_subscribe(self, peer: Peer, subscription: Subscription) -> Mode | None:
        return None

    async def handle_cancel(
        self, subscription: Subscription, end: SubscriptionEnded
    ) -> Stop | None:
        return None


class Returning(Consumer[int]):
    def handle_events(self, events: list[int], subscription: Subscription) -> list[int]:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        return events


class Choosing(Consumer[int]):
    def handle_events(self, events: list[int], subscription: Subscription) -> None: ...

    def handle_subscribe(self, peer: Peer, subscription: Subscription) -> str:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        return "auto"


async def what_is_asked_of_stages(producer: Ref, consumer: Pid) -> None:
    one = await subscribe(consumer, producer, max_demand=5, selector=lambda event: event > 5)
    assert_type(one, Subscription)
    assert_type(await subscribe("consumer", to="producer", partition=("a", 1)), Subscription)
    assert_type(await resubscribe(one, producer, "changed", min_demand=0), Subscription)
    assert_type(await get_demand(producer), DemandMode)
    assert_type(await buffered_count(producer), int)
    await set_demand(producer, "forward")
    await queue_info(producer, "any message")
    await set_demand(producer, "later")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await subscribe(consumer, 5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await subscribe(consumer)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await subscribe(consumer, producer, 5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await subscribe(consumer, producer, partition=[1])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await resubscribe(producer, producer)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def what_a_subscription_says(one: Subscription) -> None:
    assert_type(one.producer, Pid | None)
    assert_type(one.consumer, Pid)
    assert_type(one.max_demand, int)
    one.ask(5)
    one.cancel("enough")
    one.ask("5")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    one.max_demand = 5  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]


def a_dispatcher_is_of_the_events_it_shares_out(numbers: DemandDispatcher[int]) -> None:
    of_numbers: Dispatcher[int] = numbers
    of_texts: Dispatcher[str] = numbers  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    anything: Dispatcher[Any] = numbers
    print(of_numbers, of_texts, anything)
