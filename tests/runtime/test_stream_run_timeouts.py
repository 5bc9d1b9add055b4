"""The time each task of a stream has, and what is done about one that takes longer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import trio
import trio._core._run as trio_run

from runtime import (
    Exited,
    Killed,
    Node,
    Ok,
    ProcessCrashed,
    ProcessEnded,
    ProcessExit,
    Task,
    TaskTimeout,
    TimedOut,
    async_stream,
    async_stream_nolink,
    open_node,
    processes,
    self_,
)
from runtime.current import current_table
from tests.conftest import Recorder
from tests.runtime.streaming import collect, double, for_ever, nap, take
from tests.runtime.tasking import drained
from tests.support import in_process

BOTH = pytest.mark.parametrize("make", [async_stream, async_stream_nolink])


@BOTH
async def test_a_task_that_takes_too_long_raises_in_the_consumer(
    node: Node, make: Callable[..., Any]
) -> None:
    """STRM-019. What came before it is handed out; every task is gone after the block.

    differs: it is an error that is raised.
    """
    seen: list[object] = []

    async def consume() -> None:
        with pytest.raises(TaskTimeout) as caught:
            async with make([0.5, 9, 9], nap, timeout=1, max_concurrency=3) as results:
                seen.append(await anext(results))
                seen.append(await anext(results))
        assert isinstance(caught.value, TimeoutError)
        assert isinstance(caught.value.task, Task)
        assert caught.value.timeout == 1
        assert str(caught.value).endswith(" nap>: no result within 1 s")
        assert processes() == [self_()]
        assert await drained() == []

    await in_process(consume)
    assert seen == [Ok(0.5)]
    assert trio.current_time() == 1


async def test_after_that_the_stream_is_over(node: Node) -> None:
    async with async_stream_nolink([9, 9, 0], nap, timeout=1, max_concurrency=3) as results:
        with pytest.raises(TaskTimeout):
            await anext(results)
        assert len(processes()) == 2
        assert await take(5, results) == []
    assert processes() == []


@BOTH
async def test_or_it_is_killed_and_that_is_its_result(
    node: Node, events: Recorder, make: Callable[..., Any]
) -> None:
    """STRM-020. The others are unaffected, no message is left, no linked consumer ends, and it is
    no crash that would be reported.
    """

    async def consume() -> list[Any]:
        stream = make([0.5, 9, 0.7], nap, timeout=1, on_timeout="kill_task", max_concurrency=3)
        results = await collect(stream)
        assert await drained() == []
        return results

    assert await in_process(consume) == [Ok(0.5), Exited(TimedOut(1)), Ok(0.7)]
    assert [one.reason for one in events.of(ProcessEnded)].count(Killed()) == 1
    assert events.of(ProcessCrashed) == []


@BOTH
async def test_each_task_has_its_own_time_from_its_start(
    node: Node, make: Callable[..., Any]
) -> None:
    """STRM-021."""
    stream = make([0.9] * 4, nap, timeout=1, max_concurrency=1)
    assert await in_process(lambda: collect(stream)) == [Ok(0.9)] * 4
    assert trio.current_time() == pytest.approx(3.6)


async def test_the_time_runs_while_the_consumer_is_busy_and_not_before_the_start(
    node: Node,
) -> None:
    """STRM-021. A slow consumer neither prolongs nor shortens it."""
    ends: list[float] = []

    async def timed(item: int) -> None:
        try:
            await trio.sleep_forever()
        finally:
            ends.append(trio.current_time())

    stream = async_stream_nolink(
        range(4), timed, timeout=1, on_timeout="kill_task", max_concurrency=2
    )
    async with stream as results:
        async for result in results:
            assert result == Exited(TimedOut(1))
            await trio.sleep(10)
    assert ends == [1, 1, 12, 22]


@pytest.mark.parametrize("item", ["crash", 9])
async def test_the_input_of_a_failure(node: Node, item: object) -> None:
    """STRM-022. Values are without it."""

    async def work(item: object) -> object:
        if item == "crash":
            raise ProcessExit("no")
        await trio.sleep(9 if item == 9 else 0)
        return item

    for zipped in (True, False):
        stream = async_stream_nolink(
            [item, 1], work, timeout=1, on_timeout="kill_task", zip_input_on_exit=zipped
        )
        first, second = await collect(stream)
        assert isinstance(first, Exited)
        assert first.input == (item if zipped else None)
        assert first.reason == ("no" if item == "crash" else TimedOut(1))
        assert second == Ok(1)


async def test_a_late_end_of_a_task_that_has_timed_out_is_no_news(node: Node) -> None:
    """Neither a result nor a crash of the linked consumer, which has heard of it."""

    async def late(item: int) -> None:
        await trio.sleep(2)
        raise ValueError(item)

    async def consume() -> str:
        async with async_stream([1], late, timeout=1) as results:
            with pytest.raises(TaskTimeout):
                await anext(results)
            await trio.sleep(5)
            assert processes() == [self_()]
        return "lives"

    assert await in_process(consume) == "lives"


async def test_a_slot_is_free_when_the_killed_task_has_really_ended(node: Node) -> None:
    """A task that shields itself is waited for, so there are never more than allowed."""
    alive = peak = 0

    async def shielded(item: int) -> None:
        nonlocal alive, peak
        alive += 1
        peak = max(peak, alive)
        with trio.CancelScope(shield=True):
            await trio.sleep(3)
        alive -= 1

    stream = async_stream_nolink(
        range(3), shielded, timeout=1, on_timeout="kill_task", max_concurrency=1
    )
    assert await collect(stream) == [Exited(TimedOut(1))] * 3
    assert (peak, trio.current_time()) == (1, 9)


async def test_a_crash_after_the_kill_does_not_change_the_result(node: Node) -> None:
    async def messy(item: int) -> None:
        try:
            await trio.sleep_forever()
        finally:
            raise ValueError("clean-up")

    stream = async_stream([1], messy, timeout=1, on_timeout="kill_task")
    assert await in_process(lambda: collect(stream)) == [Exited(TimedOut(1))]


@pytest.mark.parametrize("seed", range(20))
async def test_a_time_that_is_over_as_the_task_ends_has_one_result(seed: int) -> None:
    """Either; but never two, or none."""
    trio_run._r.seed(seed)
    async with open_node(instruments=[]):
        stream = async_stream_nolink(
            [1, 2, 1], nap, timeout=1, on_timeout="kill_task", max_concurrency=3
        )
        results = await collect(stream)
        assert len(results) == 3
        assert results[1] == Exited(TimedOut(1))
        assert all(result in (Ok(1), Exited(TimedOut(1))) for result in results)
        assert processes() == []


@pytest.mark.parametrize("seed", range(20))
async def test_the_same_with_exit(seed: int) -> None:
    trio_run._r.seed(seed)
    async with open_node(instruments=[]):
        seen: list[object] = []
        try:
            async with async_stream_nolink([1, 1], nap, timeout=1, max_concurrency=2) as results:
                seen.append(await anext(results))
                seen.append(await anext(results))
        except TaskTimeout as error:
            seen.append(error.timeout)
        assert seen in ([Ok(1), Ok(1)], [Ok(1), 1], [1])
        assert processes() == []


@BOTH
async def test_no_time_at_all_is_enough_for_nothing_that_waits(
    node: Node, make: Callable[..., Any]
) -> None:
    async def consume() -> None:
        killed = make([1, 2], for_ever, timeout=0, on_timeout="kill_task")
        assert await collect(killed) == [Exited(TimedOut(0))] * 2
        with pytest.raises(TaskTimeout):
            await collect(make([1, 2], for_ever, timeout=0))

    await in_process(consume)
    assert trio.current_time() == 0


async def test_several_tasks_may_be_over_their_time_at_once(node: Node) -> None:
    stream = async_stream_nolink(
        [9, 9, 0.5, 9], nap, timeout=1, on_timeout="kill_task", max_concurrency=4, ordered=False
    )
    assert await collect(stream) == [Ok(0.5), *[Exited(TimedOut(1))] * 3]
    assert trio.current_time() == 1


async def test_a_stream_with_a_timeout_leaves_no_timer(node: Node) -> None:
    """Virtual time would run to it."""
    for items in ([1, 2, 3], [1]):
        stream = async_stream_nolink(items, double, timeout=1000)
        async with stream as results:
            assert await anext(results) == Ok(2)
    assert not any(entry.callback for _, _, entry in current_table().deadlines._heap)


async def test_the_time_of_a_stream_whose_tasks_come_and_go_is_exact(node: Node) -> None:
    """One timer serves all: after an early end, for those after it."""
    ends: list[tuple[int, float]] = []

    async def work(number: int) -> None:
        try:
            await trio.sleep([60, 0.25, 0.25, 60, 0.25, 0.125][number])
        finally:
            ends.append((number, trio.current_time()))

    stream = async_stream_nolink(
        range(6), work, timeout=1, on_timeout="kill_task", max_concurrency=2
    )
    results = await collect(stream)
    assert [isinstance(result, Ok) for result in results] == [False, True, True] * 2
    assert ends == [(1, 0.25), (2, 0.5), (0, 1), (4, 1.25), (5, 1.375), (3, 1.5)]
