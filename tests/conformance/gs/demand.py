"""Rows of GS about demand as the consumer sees it: when it asks, and for how many."""

from __future__ import annotations

from typing import Any

import pytest

from runtime import BadResult, Crashed, TraceEvent, UnhandledMessage, is_alive, trace
from runtime.instruments import EventsInExcess
from runtime.stages import (
    BadSubscription,
    DemandDispatcher,
    Subscription,
    subscribe,
)
from runtime.stages.dispatcher import Delivery
from tests.conformance.gs.parts import (
    Do,
    Log,
    Pushed,
    Sink,
    Source,
    Stuck,
    ask,
    consumer_of,
    manual,
    push,
    raised_by,
    ran,
    settled,
)
from tests.conformance.scenarios import row
from tests.conftest import Recorder


@row("GS-01")
async def by_default_a_thousand_in_halves() -> None:
    asks: Log = []
    chunks: Log = []
    c = await Stuck.start(chunks, after=2000)
    subscription = await subscribe(c, to=await Source.start(asks))
    await settled()
    assert (subscription.max_demand, subscription.min_demand) == (1000, 500)
    assert asks == [1000, 500, 500, 500]
    assert [(chunk[0], len(chunk)) for chunk in chunks] == [
        (0, 500), (500, 500), (1000, 500), (1500, 500),
    ]  # fmt: skip


@row("GS-02")
async def a_subscription_asks_once_for_the_most_it_wants() -> None:
    asks: Log = []
    await consumer_of(await Pushed.start(asks), [], max_demand=7)
    assert asks == [7]


@row("GS-03")
async def a_message_is_split_into_chunks() -> None:
    chunks: Log = []
    p = await Pushed.start([])
    await consumer_of(p, chunks, max_demand=10, min_demand=5)
    await push(p, *range(10))
    assert chunks == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]


@row("GS-04")
async def it_asks_again_when_no_more_than_the_least_is_under_way() -> None:
    asks: Log = []
    p = await Pushed.start(asks)
    await consumer_of(p, [], max_demand=10, min_demand=3)
    for number in range(6):
        await push(p, number)
    assert asks == [10]
    await push(p, 6)
    assert asks == [10, 7]
    await push(p, *range(6))
    assert asks == [10, 7]
    await push(p, 6, 7)
    assert asks == [10, 7, 8], "2 were left"


@row("GS-05")
async def a_short_chunk_at_the_end_asks_for_nothing() -> None:
    asks, chunks = await ran(23, 10, 5)
    assert asks == [10, 5, 5, 5, 5]
    assert list(map(len, chunks)) == [5, 5, 5, 5, 3]


@row("GS-06")
async def small_chunks_and_an_ask_for_each() -> None:
    asks, chunks = await ran(23, 10, 8)
    assert asks == [10, *[2] * 11]
    assert list(map(len, chunks)) == [*[2] * 11, 1]


@row("GS-07")
async def what_is_asked_for_again_is_not_always_the_same() -> None:
    asks, chunks = await ran(23, 10, 2)
    assert asks == [10, 8, 10]
    assert list(map(len, chunks)) == [8, 2, 8, 5]


@row("GS-08")
async def with_a_least_of_0_all_at_once() -> None:
    asks, chunks = await ran(23, 10, 0)
    assert asks == [10, 10, 10]
    assert list(map(len, chunks)) == [10, 10, 3]


@row("GS-09")
async def one_at_a_time() -> None:
    asks: Log = []
    seen: list[tuple[list[int], list[int]]] = []
    c = await Sink.start([], then=lambda events: seen.append((events, [*asks])))
    await subscribe(c, to=await Source.start(asks, 3), max_demand=1, min_demand=0)
    await settled()
    assert seen == [([0], [1]), ([1], [1, 1]), ([2], [1, 1, 1])]
    assert asks == [1, 1, 1, 1]


@row("GS-10")
async def the_least_is_half_rounded_down() -> None:
    asks, chunks = await ran(7, 3, None)
    assert chunks == [[0, 1], [2], [3, 4], [5, 6]]
    assert asks == [3, 2, 3, 2]


@row("GS-11")
async def the_ask_for_a_chunk_leaves_before_the_next_is_handled() -> None:
    asks: Log = []
    chunks: Log = []
    p = await Pushed.start(asks)
    c = await Stuck.start(chunks, after=10)
    await subscribe(c, to=p, max_demand=10, min_demand=5)
    await push(p, *range(10))
    assert chunks == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]
    assert asks == [10, 5], "the second chunk is still being handled"


@row("GS-12")
async def asks_are_never_merged() -> None:
    asks: Log = []
    p = await Source.start(asks, 10)
    await consumer_of(p, [], max_demand=10, min_demand=8)
    assert asks == [10, 2, 2, 2, 2, 2]


@row("GS-13")
async def a_trickle() -> None:
    asks: Log = []
    chunks: Log = []
    p = await Pushed.start(asks)
    await consumer_of(p, chunks, max_demand=4, min_demand=2)
    told = []
    for number in range(1, 7):
        await push(p, number)
        told.append([*asks])
    assert chunks == [[1], [2], [3], [4], [5], [6]]
    assert told == [[4], [4, 2], [4, 2], [4, 2, 2], [4, 2, 2], [4, 2, 2, 2]]


@row("GS-14")
async def each_subscription_counts_for_itself() -> None:
    first: Log = []
    second: Log = []
    chunks: Log = []
    c = await Sink.start(chunks)
    await subscribe(c, to=await Source.start(first, 4), max_demand=2, min_demand=1)
    await settled()
    assert chunks == [[0], [1], [2], [3]]
    await subscribe(c, to=await Source.start(second, 4), max_demand=3, min_demand=0)
    await settled()
    assert chunks == [[0], [1], [2], [3], [0, 1, 2], [3]]
    assert (first, second) == ([2, 1, 1, 1, 1], [3, 3])


@row("GS-15")
async def options_that_cannot_be_are_refused() -> None:
    asks: Log = []
    log: Log = []
    p = await Source.start(asks, 4)
    c = await Sink.start(log)
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"max_demand": 0}, "max_demand: got 0, allowed is 1 or more"),
        ({"min_demand": 1000}, "min_demand: got 1000, allowed is 0 to 999"),
        ({"max_demand": 5, "min_demand": 5}, "min_demand: got 5, allowed is 0 to 4"),
        ({"max_demand": 5, "min_demand": -1}, "min_demand: got -1, allowed is 0 to 4"),
        (
            {"cancel": "unknown"},
            "cancel: got 'unknown', allowed are 'permanent', 'transient', 'temporary'",
        ),
    ]
    for options, text in wrong:
        with pytest.raises(BadSubscription) as raised:
            await subscribe(c, to=p, **options)
        assert str(raised.value) == text
    await settled()
    assert (asks, log) == ([], [])
    assert is_alive(c)
    await subscribe(c, to=p)
    await settled()
    assert log == [[0, 1, 2, 3]], "it works on"


@row("GS-16")
async def a_pure_producer_does_not_subscribe() -> None:
    p = await Source.start([], 4)
    c = await Sink.start([])
    assert isinstance(await raised_by(subscribe(p, to=c)), UnhandledMessage)
    assert is_alive(p)
    assert is_alive(c)


class Refusing(DemandDispatcher[Any]):
    """Takes nobody."""

    def subscribe(self, subscription: Subscription) -> None:
        raise BadSubscription("full")


@row("GS-17")
async def that_it_has_subscribed_means_that_it_has_been_asked() -> None:
    log: Log = []
    c = await Sink.start(log)
    subscription = await subscribe(c, to=await Source.start([], dispatcher=Refusing()))
    assert subscription.consumer is c.pid, "the answer does not wait for the producer's"
    await settled()
    assert not is_alive(c)
    reason = log[0][1]
    assert isinstance(reason, Crashed)
    assert str(reason.exception) == "full"
    assert log == [("cancel", reason), ("terminate", reason)]


class Generous(DemandDispatcher[Any]):
    """Gives all to whoever is there, asked for or not."""

    def subscribe(self, subscription: Subscription) -> None:
        super().subscribe(subscription)
        self.only = subscription

    def dispatch(self, events: list[Any]) -> tuple[list[Delivery[Any]], list[Any]]:
        return [(self.only, events)], []


@row("GS-18")
async def what_was_not_asked_for_is_told_and_handled(events: Recorder) -> None:
    chunks: Log = []
    p = await Pushed.start([], dispatcher=Generous())
    subscription = await consumer_of(p, chunks, max_demand=4, min_demand=2)
    await push(p, *range(7))
    assert chunks == [[0, 1], [2, 3], [4, 5], [6]]
    (told,) = [one for one in events if isinstance(one, EventsInExcess)]
    assert (told.pid, told.count) == (subscription.consumer, 3)


@row("GS-19")
async def who_asks_by_a_subscription_that_is_none_is_told_so() -> None:
    asks: Log = []
    log: Log = []
    subscription = await manual(await Source.start(asks), log, cancel="temporary")
    subscription.cancel("enough")
    await settled()
    told: list[TraceEvent] = []
    await trace(subscription.consumer, told.append)
    await ask(subscription, 3)
    text = told[0].text
    assert text is not None
    assert text.startswith("Cancelled(")
    assert text.endswith("reason='unknown subscription')")
    assert log == [("cancel", "enough")], "its handler has heard of the end"
    assert asks == [("cancel", "enough")]


@row("GS-20")
async def to_ask_for_nothing_is_nothing() -> None:
    asks: Log = []
    told: list[TraceEvent] = []
    p = await Source.start(asks)
    subscription = await manual(p, [])
    await trace(p, told.append)
    await ask(subscription, 0)
    assert (asks, told) == ([], [])
    await ask(subscription, 1)
    assert (asks, told[0].what) == ([1], "cast")


@row("GS-21")
async def a_consumer_cannot_return_events() -> None:
    """differs: it is a bad result and ends it; GenStage logs it and drops the events."""
    log: Log = []
    p = await Source.start([], 4)
    c = await Sink.start(log, then=lambda events: [9])
    await subscribe(c, to=p)
    await settled()
    assert not is_alive(c)
    chunk, (_, reason) = log
    assert chunk == [0, 1, 2, 3]
    assert isinstance(reason, Crashed)
    assert isinstance(reason.exception, BadResult)
    assert reason.exception.value == [9]
    c = await Sink.start(log)
    assert await c.call(Do(lambda server: [9])) == [9], "a reply is a reply"
    assert not hasattr(Sink, "emit")
    assert is_alive(c)
