"""Rows of GS about asking by hand, holding demand, and iterables as stages."""

from __future__ import annotations

import trio

from runtime.stages import (
    buffered_count,
    get_demand,
    set_demand,
)
from tests.conformance.gs.parts import (
    Log,
    Pushed,
    Source,
    ask,
    manual,
    push,
    settled,
)
from tests.conformance.scenarios import row


@row("GS-90")
async def by_hand_nothing_is_asked_for_or_split() -> None:
    asks: Log = []
    chunks: Log = []
    subscription = await manual(await Source.start(asks, 20), chunks, max_demand=4, min_demand=2)
    await trio.sleep(60)
    assert (asks, chunks) == ([], [])
    await ask(subscription, 3)
    await trio.sleep(60)
    assert (asks, chunks) == ([3], [[0, 1, 2]])


@row("GS-91")
async def by_hand_there_is_no_most() -> None:
    asks: Log = []
    chunks: Log = []
    subscription = await manual(await Source.start(asks, 20), chunks, max_demand=4, min_demand=2)
    await ask(subscription, 7)
    assert (asks, chunks) == ([7], [[0, 1, 2, 3, 4, 5, 6]])


@row("GS-92")
async def held_demand_comes_as_it_was_asked_for() -> None:
    asks: Log = []
    chunks: Log = []
    p = await Source.start(asks, 20, demand="accumulate")
    subscription = await manual(p, chunks)
    await ask(subscription, 2)
    await ask(subscription, 3)
    assert asks == []
    await set_demand(p, "forward")
    await settled()
    assert (asks, chunks) == ([2, 3], [[0, 1], [2, 3, 4]])


@row("GS-93")
async def events_are_held_too() -> None:
    asks: Log = []
    chunks: Log = []
    p = await Pushed.start(asks, demand="accumulate")
    subscription = await manual(p, chunks)
    await ask(subscription, 2)
    await push(p, 1, 2, 3)
    await ask(subscription, 4)
    assert (asks, chunks) == ([], [])
    assert await buffered_count(p) == 0
    await set_demand(p, "forward")
    await settled()
    assert asks == [2, 4]
    assert chunks == [[1, 2, 3]]


@row("GS-94")
async def a_running_producer_can_be_held() -> None:
    asks: Log = []
    chunks: Log = []
    p = await Source.start(asks, 20)
    subscription = await manual(p, chunks)
    await ask(subscription, 2)
    await set_demand(p, "accumulate")
    assert await get_demand(p) == "accumulate"
    await ask(subscription, 2)
    assert (asks, chunks) == ([2], [[0, 1]])
    await set_demand(p, "forward")
    await settled()
    assert (asks, chunks) == ([2, 2], [[0, 1], [2, 3]])
    assert await get_demand(p) == "forward"


@row("GS-95")
async def to_hold_what_is_held_loses_nothing() -> None:
    asks: Log = []
    p = await Source.start(asks, 20, demand="accumulate")
    subscription = await manual(p, [])
    await ask(subscription, 2)
    await set_demand(p, "accumulate")
    await ask(subscription, 3)
    await set_demand(p, "forward")
    await settled()
    assert asks == [2, 3]
