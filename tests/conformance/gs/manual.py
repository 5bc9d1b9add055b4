"""Rows of GS about asking by hand, holding demand, and iterables as stages."""

from __future__ import annotations

import itertools

import pytest
import trio

from runtime import ChildSpec, Normal, is_alive, kill, start
from runtime.stages import (
    CancelMode,
    OnCancel,
    ProducerExit,
    buffered_count,
    events_of,
    from_iterable,
    get_demand,
    set_demand,
    subscribe,
)
from tests.conformance.gs.parts import (
    Log,
    Pushed,
    Sink,
    Source,
    ask,
    manual,
    push,
    settled,
)
from tests.conformance.scenarios import row
from tests.oracle.trace import each


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


def finite() -> ChildSpec:
    """A producer of 1, 2, 3 that waits until it is told to begin."""
    return from_iterable([1, 2, 3], demand="accumulate")


@row("GS-96")
async def a_finite_source_ends_when_its_last_event_has_gone() -> None:
    modes: tuple[tuple[CancelMode, bool], ...] = (("permanent", False), ("transient", True))
    for cancel, stays in modes:
        log: Log = []
        p = await start(from_iterable(range(1, 8)))
        c = await Sink.start(log)
        await subscribe(c, to=p, max_demand=4, min_demand=2, cancel=cancel)
        await settled()
        ends = [("down", Normal())] if stays else [("down", Normal()), ("terminate", Normal())]
        assert log == [[1, 2], [3, 4], [5, 6], [7], *ends]
        assert (is_alive(p), is_alive(c)) == (False, stays)


@row("GS-97")
async def it_may_end_with_its_last_consumer() -> None:
    ways: tuple[tuple[OnCancel, bool], ...] = (("stop", False), ("continue", True))
    for on_cancel, stays in ways:
        p = await start(from_iterable(itertools.repeat(1), on_cancel=on_cancel))
        consumers = [await manual(p, [], cancel="temporary") for _ in range(2)]
        consumers[0].cancel()
        await settled()
        assert is_alive(p)
        kill(consumers[1].consumer)
        await settled()
        assert is_alive(p) is stays


@row("GS-98")
async def who_has_read_enough_leaves() -> None:
    log: Log = []
    p = await Source.start(log)
    async with events_of(p, max_demand=4, min_demand=2) as events:
        assert [await anext(events) for _ in range(5)] == [0, 1, 2, 3, 4]
    await settled()
    assert log[0] == 4
    assert log[-1] == ("cancel", Normal())
    assert is_alive(p)


@row("GS-99")
async def the_end_of_the_source_is_that_of_the_events_or_of_the_reader() -> None:
    p = await start(finite())
    async with events_of(p, cancel="transient") as events:
        assert [event async for event in events] == [1, 2, 3]
    p = await start(finite())
    seen: list[int] = []
    with pytest.raises(ProducerExit) as raised:
        await each(events_of(p, cancel="permanent"), seen.append)
    assert seen == [1, 2, 3]
    assert raised.value.reason == Normal()
    assert raised.value.producer is p.pid


@row("GS-100")
async def the_events_of_several_end_with_the_last_of_them() -> None:
    quick, slow = await start(finite()), await Pushed.start([])
    seen: list[object] = []

    async def end_the_slow_one() -> None:
        await trio.sleep(5)
        seen.append("5 s later")
        await push(slow, "late")
        await slow.stop()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(end_the_slow_one)
        await each(events_of(quick, slow, cancel="transient"), seen.append)
    assert seen == [1, 2, 3, "5 s later", "late"]
