"""stages_02_producer_consumer.exs: chains of three stages."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from runtime.stages import (
    ProducerConsumer,
    Subscription,
    SubscriptionEnded,
    buffered_count,
    queue_info,
    subscribe,
)
from tests.oracle.inspecting import inspected
from tests.oracle.stages import Blocking, Count, Sections, Sink, ask
from tests.oracle.trace import Trace, settle


class Middle(ProducerConsumer[int, int]):
    """Makes some events of each; the ``PC`` of the script."""

    def __init__(self, sections: Sections, fn: Callable[[int], Iterable[int]]) -> None:
        self.log = sections.log
        self.fn = fn

    def handle_events(self, events: list[int], subscription: Subscription) -> list[int]:
        self.log(f"B handle_events {inspected(events)}")
        return [made for event in events for made in self.fn(event)]

    def handle_info(self, message: object) -> None:
        self.log(f"B handle_info {inspected(message)}")

    def handle_cancel(self, subscription: Subscription, end: SubscriptionEnded) -> None:
        self.log(f"B handle_cancel {inspected(end)}")


def same(event: int) -> list[int]:
    return [event]


def doubled(event: int) -> list[int]:
    return [event, event]


def nothing(event: int) -> list[int]:
    return []


def five(event: int) -> list[int]:
    return [event * 10 + number for number in range(1, 6)]


async def scenario(trace: Trace) -> None:
    t = Sections(trace)
    for name, body in (
        ("doubler, A->B max 6 min 4, B->C max 4 min 2, total 8", doubler),
        (
            "no downstream consumer: B asks for max_demand once, then holds the events unprocessed",
            no_consumer,
        ),
        ("downstream blocks after first batch: upstream stops", blocks),
        ("filter drops everything: B keeps asking although C never receives", filters),
        (
            "expander 1->5 with C max 3: surplus sits in B's own buffer (unbounded by default)",
            expander,
        ),
        (
            "upstream cancelled while B holds queued events: cancel is handled after the queue",
            cancelled,
        ),
        ("async_info on B waits behind queued events", info_waits),
    ):
        await t.section(name, partial(body, t))


async def doubler(t: Sections) -> None:
    a = await Count.start_link(t, "A", total=8)
    b = await Middle.start_link(t, doubled)
    c = await Sink.start_link(t)
    await subscribe(c, to=b, max_demand=4, min_demand=2)
    await subscribe(b, to=a, max_demand=6, min_demand=4)
    await settle()


async def no_consumer(t: Sections) -> None:
    a = await Count.start_link(t, "A")
    b = await Middle.start_link(t, same)
    await subscribe(b, to=a, max_demand=6, min_demand=4)
    await settle()
    t.log(f"B buffered {await buffered_count(b)}")
    c = await Blocking.start_link(t, block_at=2)
    await subscribe(c, to=b, max_demand=2, min_demand=1)
    await settle()


async def blocks(t: Sections) -> None:
    a = await Count.start_link(t, "A")
    b = await Middle.start_link(t, same)
    c = await Blocking.start_link(t, block_at=1)
    await subscribe(b, to=a, max_demand=4, min_demand=2)
    await subscribe(c, to=b, max_demand=4, min_demand=2)
    await settle()
    t.log(f"B buffered {await buffered_count(b)}")


async def filters(t: Sections) -> None:
    a = await Count.start_link(t, "A", total=10)
    b = await Middle.start_link(t, nothing)
    c = await Sink.start_link(t)
    await subscribe(c, to=b, max_demand=4, min_demand=2)
    await subscribe(b, to=a, max_demand=4, min_demand=2)
    await settle()


async def expander(t: Sections) -> None:
    a = await Count.start_link(t, "A", total=4)
    b = await Middle.start_link(t, five)
    c = await Sink.start_link(t, mode="manual")
    await subscribe(b, to=a, max_demand=2, min_demand=1)
    await subscribe(c, to=b)
    await settle(20)
    await ask(c, 3, 60)
    t.log(f"B buffered {await buffered_count(b)}")
    await ask(c, 3, 60)
    t.log(f"B buffered {await buffered_count(b)}")


async def cancelled(t: Sections) -> None:
    a = await Count.start_link(t, "A")
    b = await Middle.start_link(t, same)
    subscription = await subscribe(b, to=a, max_demand=4, min_demand=2, cancel="temporary")
    await settle(20)
    subscription.cancel("done")
    await settle(20)
    c = await Sink.start_link(t)
    await subscribe(c, to=b, max_demand=4, min_demand=2)
    await settle()


async def info_waits(t: Sections) -> None:
    a = await Count.start_link(t, "A", total=4)
    b = await Middle.start_link(t, same)
    await subscribe(b, to=a, max_demand=4, min_demand=2)
    await settle(20)
    await queue_info(b, "marker")
    await settle(20)
    t.log("subscribing C")
    c = await Sink.start_link(t)
    await subscribe(c, to=b, max_demand=10, min_demand=0)
    await settle()
