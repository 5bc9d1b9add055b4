"""Rows of GS about the dispatcher by demand: who gets what."""

from __future__ import annotations

from random import Random
from typing import Any

from runtime import Killed, Ref, kill, wait_exit
from runtime.instruments import DemandUneven
from runtime.stages import DemandDispatcher, Subscription, buffered_count
from tests.conformance.gs.parts import (
    Log,
    Pushed,
    ask,
    consumer_of,
    manual,
    push,
    settled,
)
from tests.conformance.scenarios import row
from tests.conftest import Recorder


async def asking(producer: Ref, *counts: int) -> tuple[list[Log], list[Subscription]]:
    """So many consumers that ask by hand, one after the other."""
    logs: list[Log] = [[] for _ in counts]
    subscriptions = [await manual(producer, log) for log in logs]
    for subscription, count in zip(subscriptions, counts, strict=True):
        await ask(subscription, count)
    return logs, subscriptions


@row("GS-49", "GS-50")
async def who_wants_most_gets_the_events() -> None:
    asks: Log = []
    p = await Pushed.start(asks)
    (a, b, c), _ = await asking(p, 3, 5, 5)
    assert asks == [3, 5, 5]
    await push(p, *range(1, 5))
    assert (a, b, c) == ([], [[1, 2, 3, 4]], [])
    await push(p, *range(5, 25))
    assert (a, b, c) == ([[10, 11, 12]], [[1, 2, 3, 4], [13]], [[5, 6, 7, 8, 9]])
    assert await buffered_count(p) == 11


@row("GS-51")
async def equals_take_turns() -> None:
    p = await Pushed.start([])
    logs, _ = await asking(p, 3, 3, 3)
    for number in range(1, 10):
        await push(p, number)
    assert logs == [[[1], [4], [7]], [[2], [5], [8]], [[3], [6], [9]]]


@row("GS-52")
async def a_small_demand_waits_for_a_large_one_to_shrink() -> None:
    p = await Pushed.start([])
    (a, b), _ = await asking(p, 10, 4)
    for number in range(1, 7):
        await push(p, number)
    assert (a, b) == ([[1], [2], [3], [4], [5], [6]], [])
    await push(p, 7)
    assert b == [[7]]
    await push(p, 8)
    assert a[-1] == [8]


async def a_consumer_that_wants_4_dies(asks: Log) -> Ref:
    """And then 2 events are buffered."""
    p = await Pushed.start(asks)
    gone = await manual(p, [])
    await ask(gone, 4)
    kill(gone.consumer)
    await wait_exit(gone.consumer)
    await settled()
    await push(p, 1, 2)
    assert await buffered_count(p) == 2
    assert asks == [4, ("down", Killed())]
    asks.clear()
    return p


@row("GS-53")
async def what_a_dead_consumer_wanted_need_not_be_asked_for_again() -> None:
    asks: Log = []
    chunks: Log = []
    p = await a_consumer_that_wants_4_dies(asks)
    subscription = await manual(p, chunks)
    await ask(subscription, 5)
    assert (asks, chunks) == ([1], [[1, 2]])
    await ask(subscription, 2)
    assert asks == [1, 2]


@row("GS-113")
async def nothing_is_overtaken_after_a_death() -> None:
    """differs: what is buffered leaves with the first ask; GenStage lets 3 overtake 2."""
    asks: Log = []
    chunks: Log = []
    p = await a_consumer_that_wants_4_dies(asks)
    await ask(await manual(p, chunks), 3)
    assert chunks == [[1, 2]]
    assert await buffered_count(p) == 0
    await push(p, 3)
    assert chunks == [[1, 2], [3]]


@row("GS-54")
async def consumers_that_ask_for_more_than_others_are_told_of(events: Recorder) -> None:
    def told() -> list[tuple[Any, int, int]]:
        return [
            (one.consumer, one.asked, one.expected)
            for one in events
            if isinstance(one, DemandUneven)
        ]

    p = await Pushed.start([])
    log: Log = []
    first = await consumer_of(p, [], max_demand=4)
    second = await consumer_of(p, log, max_demand=10)
    assert told() == [(second.consumer, 10, 4)]
    await push(p, *range(10))
    assert log == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]], "it works all the same"
    assert first.producer is p.pid
    events.clear()
    p = await Pushed.start([], dispatcher=DemandDispatcher(max_demand=10))
    await consumer_of(p, [], max_demand=4)
    await consumer_of(p, [], max_demand=10)
    assert told() == []


@row("GS-55")
async def the_first_events_can_go_to_anybody() -> None:
    async def turns(seed: int) -> str:
        dispatcher = DemandDispatcher[int](shuffle_first=True, random=Random(seed))
        p = await Pushed.start([], dispatcher=dispatcher)
        logs, _ = await asking(p, 3, 3, 3)
        for number in range(9):
            await push(p, number)
        names = {chunk[0]: name for name, log in zip("abc", logs, strict=True) for chunk in log}
        return "".join(names[number] for number in range(9))

    orders = {await turns(seed) for seed in range(20)}
    assert {order[:3] for order in orders} >= {"abc", "cba", "bac"}
    assert all(order == order[:3] * 3 for order in orders), "shuffled once and never again"
    assert await turns(1) == await turns(1)
