"""Rows of STRM about what is pulled and run, and when, and in which order it comes out."""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Iterator
from unittest import mock

import trio

from runtime import Killed, Normal, Ok, async_stream, async_stream_nolink, processes
from tests.conformance.scenarios import row
from tests.conformance.strm.parts import ends
from tests.conftest import Recorder
from tests.runtime.streaming import collect, double, for_ever, nap, take, told
from tests.support import in_process


@row("STRM-001")
async def the_results_come_in_the_order_of_the_items() -> None:
    stream = async_stream([4, 1, 3, 2], nap, max_concurrency=4)
    assert await in_process(lambda: collect(stream)) == [Ok(4), Ok(1), Ok(3), Ok(2)]


@row("STRM-002")
async def any_number_at_a_time_gives_the_same_results_and_is_never_exceeded() -> None:
    for concurrency, peak in ((1, 1), (3, 3), (4, 4), (9, 4)):
        alive: list[int] = []

        async def work(item: int, alive: list[int] = alive) -> int:
            alive.append(len(processes()))
            await trio.sleep(item % 2)
            return item * 10

        stream = async_stream_nolink(range(4), work, max_concurrency=concurrency)
        assert await collect(stream) == [Ok(0), Ok(10), Ok(20), Ok(30)]
        assert (len(alive), max(alive)) == (4, peak)


@row("STRM-003")
async def by_default_as_many_run_as_there_are_cores() -> None:
    with mock.patch.object(os, "sched_getaffinity", return_value={0, 3, 5}, create=True):
        stream = async_stream_nolink(range(10), for_ever, timeout=math.inf)
    async with stream as results:
        with trio.move_on_after(1):
            await anext(results)
        assert len(processes()) == 3


@row("STRM-004")
async def a_stream_that_is_not_consumed_starts_nothing_and_leaves_its_source_alone() -> None:
    touched: list[str] = []

    class Source:
        def __iter__(self) -> Iterator[int]:
            touched.append("source")
            return iter([1])

    stream = async_stream_nolink(Source(), double)
    await trio.sleep(1)
    assert (touched, processes()) == ([], [])
    assert await collect(stream) == [Ok(2)]
    assert touched == ["source"]


@row("STRM-005")
async def consumed_twice_everything_runs_twice() -> None:
    ran: list[int] = []

    async def work(item: int) -> int:
        ran.append(item)
        return item * 2

    stream = async_stream_nolink([1, 2], work, max_concurrency=1)
    for _ in range(2):
        assert await collect(stream) == [Ok(2), Ok(4)]
    assert ran == [1, 2, 1, 2]


@row("STRM-006")
async def an_empty_source_gives_nothing() -> None:
    assert await collect(async_stream_nolink([], double)) == []


@row("STRM-007")
async def a_slow_consumer_pulls_one_item_after_each_it_is_done_with() -> None:
    log: list[str] = []
    stream = async_stream_nolink(told(itertools.count(1), log), double, max_concurrency=2)
    async with stream as results:
        async for result in results:
            await trio.sleep(3600)
            log.append(f"consumed {result}")
            if result == Ok(6):
                break
    assert log == [
        *("pulled 1", "pulled 2", "consumed Ok(value=2)"),
        *("pulled 3", "consumed Ok(value=4)"),
        *("pulled 4", "consumed Ok(value=6)"),
        "closed",
    ]


@row("STRM-008")
async def taking_one_of_three_at_a_time_pulls_three_and_kills_the_other_two(
    events: Recorder,
) -> None:
    log: list[str] = []
    async with async_stream_nolink(told(range(1, 11), log), nap, max_concurrency=3) as results:
        assert await take(1, results) == [Ok(1)]
    assert log == ["pulled 1", "pulled 2", "pulled 3", "closed"]
    assert ends(events) == [Normal(), Killed(), Killed()]
    assert trio.current_time() == 1


@row("STRM-009")
async def taking_some_one_at_a_time_pulls_no_more() -> None:
    log: list[str] = []
    async with async_stream_nolink(told(range(1, 11), log), nap, max_concurrency=1) as results:
        assert await take(3, results) == [Ok(1), Ok(2), Ok(3)]
        await trio.sleep(100)
    assert log == ["pulled 1", "pulled 2", "pulled 3", "closed"]


@row("STRM-010")
async def behind_a_slow_first_item_the_others_run_and_their_results_wait() -> None:
    finished: list[int] = []
    log: list[str] = []

    async def work(item: int) -> int:
        await trio.sleep(1000 if item == 0 else 1)
        finished.append(item)
        return item

    stream = async_stream_nolink(told(range(200), log), work, max_concurrency=2, timeout=math.inf)
    async with stream as results:
        with trio.move_on_after(999):
            await anext(results)
        assert finished == list(range(1, 200))
        assert log == [*[f"pulled {item}" for item in range(200)], "closed"]
        assert await take(200, results) == [Ok(item) for item in range(200)]
    assert trio.current_time() == 1000


@row("STRM-011")
async def without_order_results_come_as_the_tasks_end() -> None:
    stream = async_stream_nolink([3, 1, 2], nap, ordered=False, max_concurrency=3)
    async with stream as results:
        came = [(result, trio.current_time()) async for result in results]
    assert came == [(Ok(1), 1), (Ok(2), 2), (Ok(3), 3)]
