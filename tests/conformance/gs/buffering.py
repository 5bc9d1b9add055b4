"""Rows of GS about the producer's side: what it emits, what it keeps, infos behind events."""

from __future__ import annotations

from typing import Any, Literal

import trio

from runtime import (
    BadResult,
    Call,
    Crashed,
    NoReply,
    ReplyTo,
    UnhandledMessage,
    handles,
    is_alive,
    kill,
    wait_exit,
)
from runtime.instruments import EventsDiscarded
from runtime.stages import (
    Peer,
    Producer,
    ProducerConsumer,
    Subscription,
    buffered_count,
    queue_info,
    subscribe,
)
from tests.conformance.gs.parts import (
    Do,
    Emit,
    Kept,
    Log,
    Pushed,
    Sink,
    Source,
    Stuck,
    Through,
    ask,
    consumer_of,
    manual,
    push,
    raised_by,
    settled,
)
from tests.conformance.scenarios import row
from tests.conftest import Recorder


@row("GS-22")
async def what_is_too_much_is_kept_and_serves_the_next_asks() -> None:
    asks: Log = []
    chunks: Log = []
    p = await Pushed.start(asks)
    subscription = await manual(p, chunks)
    await ask(subscription, 4)
    await push(p, *range(1, 12))
    assert chunks == [[1, 2, 3, 4]]
    assert await buffered_count(p) == 7
    for _ in range(4):
        await ask(subscription, 2)
    assert chunks == [[1, 2, 3, 4], [5, 6], [7, 8], [9, 10], [11]]
    assert asks == [4, 1]


class Deferring(Pushed):
    """Writes down what was in the buffer when it was asked for more."""

    def handle_demand(self, demand: int) -> None:
        self.log.append((demand, self.facts()["buffered"]))


@row("GS-23")
async def the_buffer_first_and_then_the_callback() -> None:
    asks: Log = []
    chunks: Log = []
    p = await Deferring.start(asks)
    await push(p, 1, 2, 3)
    subscription = await manual(p, chunks)
    await ask(subscription, 2)
    assert (asks, chunks) == ([], [[1, 2]])
    await ask(subscription, 4)
    assert (asks, chunks) == ([(3, 0)], [[1, 2], [3]])


@row("GS-24")
async def nobody_asks_again_for_what_was_not_emitted() -> None:
    asks: Log = []
    chunks: Log = []
    p = await Source.start(asks, 3)
    subscription = await manual(p, chunks)
    await ask(subscription, 10)
    await trio.sleep(3600)
    assert (asks, chunks) == ([10], [[0, 1, 2]])
    await ask(subscription, 2)
    assert asks == [10, 2], "only what is new"


async def kept_of(*pushes: range, **options: Any) -> tuple[list[int], Log]:
    """What is in a buffer after these; and what the producer was told."""
    log: Log = []
    chunks: Log = []

    class Telling(Pushed):
        def format_discarded(self, discarded: int) -> bool:
            log.append(discarded)
            return True

    p = await Telling.start([], **options)
    for events in pushes:
        await push(p, *events)
    count = await buffered_count(p)
    await ask(await manual(p, chunks), count + 1)
    kept = [event for chunk in chunks for event in chunk]
    assert len(kept) == count
    return kept, log


@row("GS-25")
async def the_last_are_kept() -> None:
    kept = await kept_of(range(1, 6), range(6, 9), buffer_size=5, buffer_keep="last")
    assert kept == ([4, 5, 6, 7, 8], [3])


@row("GS-26")
async def or_the_first_are() -> None:
    kept = await kept_of(range(1, 6), range(6, 9), buffer_size=5, buffer_keep="first")
    assert kept == ([1, 2, 3, 4, 5], [3])


@row("GS-27")
async def one_push_that_is_more_than_all() -> None:
    assert await kept_of(range(1, 8), buffer_size=3) == ([5, 6, 7], [4])


@row("GS-28")
async def by_default_the_last_ten_thousand() -> None:
    assert await kept_of(range(1, 10_004)) == (list(range(4, 10_004)), [3])


@row("GS-29")
async def a_producer_consumers_buffer_has_no_limit() -> None:
    assert (Producer.buffer_size, ProducerConsumer.buffer_size) == (10_000, None)
    p = await Source.start([], 1)
    b = await Through.start([], lambda event: range(20_000))
    await subscribe(b, to=p)
    await ask(await manual(b, []), 1)
    assert await buffered_count(b) == 19_999


@row("GS-30")
async def a_buffer_without_limit() -> None:
    assert await kept_of(range(20_000), buffer_size=None) == (list(range(20_000)), [])


@row("GS-31")
async def who_drops_events_says_whether_that_is_told(events: Recorder) -> None:
    def told() -> list[int]:
        return [one.count for one in events if isinstance(one, EventsDiscarded)]

    class Silent(Pushed):
        def format_discarded(self, discarded: int) -> bool:
            self.log.append(discarded)
            return False

    log: Log = []
    p = await Silent.start(log, buffer_size=1)
    await push(p, 1, 2, 3)
    await push(p, 4)
    assert (log, told()) == ([2, 1], [])
    assert await kept_of(range(3), buffer_size=1) == ([2], [2])
    assert told() == [2], "its callback says so"
    await push(await Pushed.start([], buffer_size=1), 1, 2, 3, 4)
    assert told() == [2, 3], "it has no callback of its own"


@row("GS-32")
async def with_an_empty_buffer_an_info_comes_at_once() -> None:
    log: Log = []
    p = await Pushed.start(log)
    await queue_info(p, "now")
    await settled()
    assert log == [("info", "now")]


@row("GS-33")
async def an_info_waits_for_the_events_before_it() -> None:
    log: Log = []
    p = await Pushed.start(log)
    await push(p, 1, 2, 3, 4)
    await queue_info(p, "first")
    await queue_info(p, "second")
    subscription = await manual(p, [])
    await ask(subscription, 3)
    assert log == []
    await ask(subscription, 1)
    assert log == [("info", "first"), ("info", "second")]


@row("GS-34")
async def an_info_is_not_discarded_with_its_event() -> None:
    log: Log = []
    p = await Pushed.start(log, buffer_size=2)
    await push(p, 1)
    await queue_info(p, "after 1")
    await push(p, 2)
    assert log == []
    await push(p, 3)
    assert log == [("info", "after 1")]


@row("GS-35")
async def what_a_dead_consumer_had_is_lost() -> None:
    first: Log = []
    second: Log = []
    p = await Pushed.start([])
    c = await Stuck.start(first, after=1)
    await subscribe(c, to=p, max_demand=4, min_demand=2)
    await push(p, 1, 2, 3, 4)
    assert first == [[1, 2]]
    kill(c)
    await wait_exit(c)
    await push(p, 5, 6)
    assert await buffered_count(p) == 2
    await consumer_of(p, second, max_demand=4, min_demand=0)
    assert second == [[5, 6]]


class EmitLater(Call[str]):
    """Answer, then emit."""


class Early(Pushed):
    """Answers before it emits."""

    @handles(EmitLater)
    async def later(self, request: EmitLater, reply_to: ReplyTo[str]) -> NoReply:
        reply_to.reply("answered")
        await trio.sleep(1)
        self.emit([2])
        return NoReply()


@row("GS-36")
async def events_leave_before_the_caller_goes_on() -> None:
    chunks: Log = []
    p = await Early.start([])
    c = await Sink.start(chunks)
    await subscribe(c, to=p)
    await settled()
    await p.call(Emit([1]))
    assert await c.call(Do(lambda server: [*server.log])) == [[1]], "it was in the mailbox"
    assert await p.call(EmitLater()) == "answered"
    await settled()
    assert chunks == [[1]], "the caller is first"
    await trio.sleep(2)
    assert chunks == [[1], [2]]


@row("GS-37")
async def a_consumer_has_no_buffer() -> None:
    """differs: to ask it is an error in the one who asks; GenStage logs one and answers 0."""
    c = await Sink.start([])
    assert isinstance(await raised_by(buffered_count(c)), UnhandledMessage)
    assert is_alive(c)


class Wrong(Kept):
    """Says what only a consumer may say."""

    def handle_subscribe(self, peer: Peer, subscription: Subscription) -> Literal["manual"]:
        assert peer == "consumer"
        return "manual"


@row("GS-38")
async def only_a_consumer_can_be_manual() -> None:
    log: Log = []
    p = await Wrong.start(log)
    await subscribe(await Sink.start([]), to=p)
    await settled()
    assert not is_alive(p)
    ((_, reason),) = log
    assert isinstance(reason, Crashed)
    assert isinstance(reason.exception, BadResult)
    assert reason.exception.value == "manual"
