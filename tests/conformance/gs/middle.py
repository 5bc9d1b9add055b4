"""Rows of GS about a stage in the middle: A makes, B passes on, C takes."""

from __future__ import annotations

from runtime import is_alive
from runtime.stages import buffered_count, get_demand, queue_info, set_demand, subscribe
from tests.conformance.gs.parts import (
    Log,
    Sink,
    Source,
    Stuck,
    Through,
    ask,
    consumer_of,
    manual,
    raised_by,
    settled,
)
from tests.conformance.scenarios import row


@row("GS-39")
async def it_asks_for_more_with_each_chunk_it_has_handled() -> None:
    """It does so whether C has handled what came of it or not."""
    asks: Log = []
    handled: Log = []
    a = await Source.start(asks, 8)
    b = await Through.start(handled, lambda event: [event, event])
    chunks: Log = []
    await consumer_of(b, chunks, max_demand=4, min_demand=2)
    await subscribe(b, to=a, max_demand=6, min_demand=4)
    await settled()
    assert handled == [[0, 1], [2, 3], [4, 5], [6, 7]]
    assert asks == [6, 2, 2, 2, 2]
    assert chunks == [[number, number] for number in range(8)]
    stuck = await Through.start([], lambda event: [event, event])
    asks.clear()
    await subscribe(await Stuck.start([], after=1), to=stuck, max_demand=4, min_demand=2)
    await subscribe(stuck, to=await Source.start(asks), max_demand=6, min_demand=4)
    await settled()
    assert asks[:2] == [6, 2], "C is still with its first chunk"


@row("GS-40")
async def without_a_consumer_it_handles_nothing() -> None:
    asks: Log = []
    handled: Log = []
    b = await Through.start(handled)
    await subscribe(b, to=await Source.start(asks), max_demand=6, min_demand=4)
    await settled()
    assert (asks, handled) == ([6], [])
    assert await buffered_count(b) == 0
    subscription = await manual(b, [])
    await ask(subscription, 1)
    assert handled == [[0, 1], [2, 3], [4, 5]], "it had them"


@row("GS-41")
async def it_handles_no_more_than_was_asked_of_it() -> None:
    asks: Log = []
    handled: Log = []
    chunks: Log = []
    b = await Through.start(handled)
    await subscribe(b, to=await Source.start(asks), max_demand=4, min_demand=2)
    await subscribe(await Stuck.start(chunks, after=1), to=b, max_demand=4, min_demand=2)
    await settled()
    assert chunks == [[0, 1]]
    assert handled == [[0, 1], [2, 3]]
    assert asks == [4, 2, 2]
    assert await buffered_count(b) == 0


@row("GS-42")
async def what_filters_everything_out_goes_on_asking() -> None:
    asks: Log = []
    handled: Log = []
    chunks: Log = []
    b = await Through.start(handled, lambda event: [])
    await consumer_of(b, chunks, max_demand=4, min_demand=2)
    await subscribe(b, to=await Source.start(asks, 10), max_demand=4, min_demand=2)
    await settled()
    assert handled == [[0, 1], [2, 3], [4, 5], [6, 7], [8, 9]]
    assert asks == [4, 2, 2, 2, 2, 2]
    assert chunks == []


@row("GS-43", "GS-44")
async def what_one_event_makes_too_many_of_serves_the_next_ask() -> None:
    asks: Log = []
    handled: Log = []
    chunks: Log = []
    b = await Through.start(handled, lambda event: [event * 10 + k for k in range(1, 6)])
    await subscribe(b, to=await Source.start(asks, 4), max_demand=2, min_demand=1)
    await settled()
    subscription = await manual(b, chunks)
    await ask(subscription, 3)
    assert handled == [[0], [1]]
    assert chunks == [[1, 2, 3]]
    assert await buffered_count(b) == 7
    await ask(subscription, 3)
    assert handled == [[0], [1]], "GS-44: it is not asked"
    assert [event for chunk in chunks for event in chunk] == [1, 2, 3, 4, 5, 11]
    assert await buffered_count(b) == 4
    assert asks == [2, 1, 1]


@row("GS-45")
async def a_cancel_does_not_overtake_data() -> None:
    upstream: Log = []
    handled: Log = []
    b = await Through.start(handled)
    subscription = await subscribe(
        b, to=await Source.start(upstream), max_demand=4, min_demand=2, cancel="temporary"
    )
    await settled()
    subscription.cancel("done")
    await settled()
    assert upstream == [4, ("cancel", "done")]
    assert handled == []
    chunks: Log = []
    await consumer_of(b, chunks, max_demand=4, min_demand=2)
    assert handled == [[0, 1, 2, 3], ("cancel", "done")]
    assert chunks == [[0, 1], [2, 3]]


@row("GS-46")
async def an_info_waits_for_the_events_it_holds() -> None:
    handled: Log = []
    b = await Through.start(handled)
    await subscribe(b, to=await Source.start([], 4), max_demand=4, min_demand=2)
    await settled()
    await queue_info(b, "marker")
    await settled()
    assert handled == []
    await consumer_of(b, [], max_demand=10, min_demand=0)
    assert handled == [[0, 1], [2, 3], ("info", "marker")]


@row("GS-47")
async def it_does_not_matter_who_subscribes_first() -> None:
    seen = []
    for downstream_first in (True, False):
        asks: Log = []
        handled: Log = []
        chunks: Log = []
        a = await Source.start(asks, 8)
        b = await Through.start(handled)
        c = await Sink.start(chunks)
        pairs = [(c, b), (b, a)] if downstream_first else [(b, a), (c, b)]
        for consumer, producer in pairs:
            await subscribe(consumer, to=producer, max_demand=4, min_demand=2)
            await settled()
        seen.append((asks, handled, chunks))
    assert seen[0] == seen[1]
    assert seen[0][2] == [[0, 1], [2, 3], [4, 5], [6, 7]]


@row("GS-48")
async def what_it_is_asked_for_cannot_be_held() -> None:
    b = await Through.start([])
    await set_demand(b, "forward")
    assert isinstance(await raised_by(set_demand(b, "accumulate")), ValueError)
    assert is_alive(b)
    assert await get_demand(b) == "forward"
    await subscribe(b, to=await Source.start([], 2))
    chunks: Log = []
    await consumer_of(b, chunks)
    assert chunks == [[0, 1]]
