"""Streams of many items: nothing grows, nothing is quadratic, everything comes through."""

from __future__ import annotations

import gc
import itertools
import math
import weakref
from collections.abc import Iterator

import pytest
import trio

from runtime import Ok, async_stream_nolink, open_node, processes
from tests.runtime.streaming import double, nap, take, value_of

MOST_KEPT = 600


class Parcel:
    """An item or a result that can be watched."""

    def __init__(self, number: int) -> None:
        self.number = number


def objects() -> int:
    gc.collect()
    return len(gc.get_objects())


@pytest.mark.parametrize("ordered", [True, False])
async def test_an_endless_source_and_a_slow_consumer_keep_nothing(ordered: bool) -> None:
    """What has been handed out is forgotten: items, results, tasks, timers."""
    alive: weakref.WeakSet[Parcel] = weakref.WeakSet()

    def endless() -> Iterator[Parcel]:
        for number in itertools.count():
            parcel = Parcel(number)
            alive.add(parcel)
            yield parcel
            del parcel

    async def open_parcel(parcel: Parcel) -> Parcel:
        await trio.lowlevel.checkpoint()
        opened = Parcel(parcel.number)
        alive.add(opened)
        return opened

    async with open_node(instruments=[]):
        stream = async_stream_nolink(
            endless(), open_parcel, max_concurrency=10, ordered=ordered, timeout=1000
        )
        async with stream as results:
            counts: list[tuple[int, int]] = []
            for _ in range(4):
                for _ in range(500):
                    await take(1, results)
                    await trio.sleep(0.1)
                counts.append((objects(), len(alive)))
        assert max(parcels for _, parcels in counts) <= 30
        assert counts[-1][0] - counts[0][0] < MOST_KEPT
    gc.collect()
    assert len(alive) == 0


@pytest.mark.parametrize("ordered", [True, False])
async def test_many_items_at_a_high_concurrency(ordered: bool) -> None:
    async with open_node(instruments=[]):
        stream = async_stream_nolink(range(20_000), double, max_concurrency=100, ordered=ordered)
        async with stream as results:
            numbers = [value_of(result) async for result in results]
        if not ordered:
            numbers.sort()
        assert numbers == list(range(0, 40_000, 2))
        assert processes() == []


async def test_many_results_behind_a_slow_one() -> None:
    """STRM-010. Kept without bound, and handed out as fast as ever."""
    count = 20_000

    async def work(number: int) -> int:
        if number == 0:
            await trio.sleep(60)
        return number

    async with open_node(instruments=[]):
        stream = async_stream_nolink(range(count), work, max_concurrency=50, timeout=math.inf)
        async with stream as results:
            assert await anext(results) == Ok(0)
            assert trio.current_time() == 60
            assert [value_of(one) async for one in results] == list(range(1, count))


async def test_more_tasks_at_once_than_items() -> None:
    async with open_node(instruments=[]):
        stream = async_stream_nolink([1.0] * 2000, nap, max_concurrency=10_000)
        async with stream as results:
            assert [value_of(result) async for result in results] == [1.0] * 2000
        assert trio.current_time() == 1
