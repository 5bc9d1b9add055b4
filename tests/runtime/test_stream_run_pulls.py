"""What is pulled from the source, and when: OTP's steps, a failing source, channels."""

from __future__ import annotations

import itertools
import math
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from runtime import (
    Exited,
    Node,
    Normal,
    Ok,
    ProcessExit,
    TaskTimeout,
    async_stream,
    async_stream_nolink,
    processes,
)
from tests.runtime.streaming import (
    channel_of,
    collect,
    double,
    for_ever,
    nap,
    take,
    told,
    told_later,
    value_of,
    values,
)
from tests.support import in_process, reason_of


def pulled(numbers: str) -> list[str]:
    return [f"pulled {number}" for number in numbers]


async def same(number: int) -> int:
    return number


async def lock_step(number: int) -> int:
    await trio.sleep(0.03 * number)
    return number


async def test_oracle_06_building_the_stream_does_nothing(node: Node) -> None:
    """STRM-004."""
    log: list[str] = []
    stream = async_stream_nolink(told([1, 2, 3], log), same)
    await trio.sleep(0.03)
    log.append("built")
    await collect(stream)
    assert log == ["built", *pulled("123"), "closed"]


@pytest.mark.parametrize("source", [told, told_later])
async def test_oracle_06_slow_consumer(node: Node, source: Callable[..., Any]) -> None:
    """STRM-007."""
    log: list[str] = []
    stream = async_stream_nolink(source(range(1, 6), log), same, max_concurrency=2)
    async with stream as results:
        async for result in results:
            await trio.sleep(0.03)
            log.append(f"consumed {value_of(result)}")
    assert log == [
        *pulled("12"),
        "consumed 1",
        "pulled 3",
        "consumed 2",
        "pulled 4",
        "consumed 3",
        "pulled 5",
        "consumed 4",
        "closed",
        "consumed 5",
    ]


async def test_oracle_06_take_one_with_three_at_a_time(node: Node) -> None:
    """STRM-008."""
    log: list[str] = []
    stream = async_stream_nolink(told(range(1, 11), log), lock_step, max_concurrency=3)
    async with stream as results:
        assert await take(1, results) == [Ok(1)]
        assert len(processes()) == 2
    assert log == [*pulled("123"), "closed"]
    assert processes() == []


async def test_oracle_06_take_three_one_at_a_time(node: Node) -> None:
    """STRM-009."""
    log: list[str] = []
    stream = async_stream_nolink(told(range(1, 11), log), same, max_concurrency=1)
    async with stream as results:
        assert await take(3, results) == [Ok(1), Ok(2), Ok(3)]
    assert log == [*pulled("123"), "closed"]


async def test_oracle_06_head_of_line(node: Node) -> None:
    """STRM-010. What waits for a slow one is kept without bound."""
    log: list[str] = []

    async def work(number: int) -> int:
        await trio.sleep(0.25 if number == 1 else 0.03)
        if number != 1:
            log.append(f"finished {number}")
        return number

    stream = async_stream_nolink(told(range(1, 6), log), work, max_concurrency=2)
    async with stream as results:
        log.extend([f"consumed {value_of(result)}" async for result in results])
    assert log == [
        *pulled("12"),
        "finished 2",
        "pulled 3",
        "finished 3",
        "pulled 4",
        "finished 4",
        "pulled 5",
        "finished 5",
        "closed",
        *[f"consumed {number}" for number in range(1, 6)],
    ]


async def test_oracle_06_a_source_that_raises(node: Node) -> None:
    """STRM-026. The tasks on their way are killed by leaving the block."""
    log: list[str] = []

    def bad() -> Generator[int]:
        yield from told([1, 2], log)
        raise RuntimeError("source")

    with pytest.raises(RuntimeError, match=r"^source$"):
        await collect(async_stream_nolink(bad(), nap, max_concurrency=4))
    assert log == [*pulled("12"), "closed"]
    assert processes() == []
    assert trio.current_time() == 0


async def test_oracle_06_peak_concurrency(node: Node) -> None:
    """STRM-002."""
    now = most = 0

    async def work(number: int) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await trio.sleep(0.015)
        now -= 1

    await collect(async_stream_nolink(range(1, 13), work, max_concurrency=4))
    assert most == 4


# ---------------------------------------------------------------------- sources


async def raising(items: list[int]) -> AsyncGenerator[int]:
    for item in items:
        yield item
    raise ProcessExit("source")


@pytest.mark.parametrize("make", [async_stream, async_stream_nolink])
async def test_what_an_async_source_raises_is_raised_in_the_consumer(
    node: Node, make: Callable[..., Any]
) -> None:
    """STRM-026."""

    async def consume() -> list[object]:
        seen: list[object] = []
        async with make(raising([1, 2]), same, max_concurrency=8) as results:
            try:
                await anext(results)
            except ProcessExit as error:
                seen.append(error.reason)
            return seen + [result async for result in results]

    assert await in_process(consume) == ["source", Ok(1), Ok(2)]


@pytest.mark.parametrize("source", [told, told_later])
@pytest.mark.parametrize("fails", ["nobody", "consumer", "task", "timeout", "nothing taken"])
async def test_the_source_is_cleaned_up_once_whatever_ends_the_stream(
    node: Node, source: Callable[..., Any], fails: str
) -> None:
    """STRM-027. The inner source of a source too."""
    log: list[str] = []

    async def work(number: int) -> int:
        if fails == "task" and number == 2:
            raise ProcessExit("boom")
        await trio.sleep(9 if fails == "timeout" and number == 2 else 0)
        return number

    async def consume() -> None:
        async with async_stream(source(range(1, 5), log), work, max_concurrency=1) as results:
            if fails == "nothing taken":
                return
            async for _ in results:
                if fails == "consumer":
                    raise ProcessExit("consumer")

    reason = await reason_of(consume)
    assert log.count("closed") == (fails != "nothing taken")
    assert processes() == []
    assert (reason == Normal()) == (fails in ("nobody", "nothing taken"))


async def test_an_endless_source_and_a_consumer_that_leaves(node: Node) -> None:
    stream = async_stream_nolink(itertools.count(), double, max_concurrency=3)
    async with stream as results:
        assert await take(5, results) == [Ok(0), Ok(2), Ok(4), Ok(6), Ok(8)]


async def test_a_source_may_look_at_its_own_stream_by_a_side_door(node: Node) -> None:
    """It is pulled between the results, so what it sees is what has been handed out."""
    handed_out: list[int] = []

    def source() -> Iterator[int]:
        for number in range(4):
            handed_out.append(-len(handed_out))
            yield number

    async with async_stream_nolink(source(), same, max_concurrency=1) as results:
        while more := await take(1, results):
            handed_out += [value_of(result) for result in more]
    assert handed_out == [0, 0, -2, 1, -4, 2, -6, 3]


# ---------------------------------------------------------------------- channels


async def test_a_result_does_not_wait_for_the_next_item_of_a_channel(node: Node) -> None:
    sender, receiver = trio.open_memory_channel[float](5)
    seen: list[tuple[object, float]] = []

    async def feed() -> None:
        for _ in range(3):
            sender.send_nowait(1)
            await trio.sleep(10)
        sender.close()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(feed)
        async with async_stream_nolink(receiver, nap, max_concurrency=4) as results:
            seen.extend([(result, trio.current_time()) async for result in results])
    assert seen == [(Ok(1), 1), (Ok(1), 11), (Ok(1), 21)]


@pytest.mark.parametrize("ordered", [True, False])
async def test_results_may_make_new_items(node: Node, ordered: bool) -> None:
    """A crawler: what it finds goes back into the channel. It must not wait for itself."""
    sender, receiver = trio.open_memory_channel[int](math.inf)
    sender.send_nowait(1)
    open_items, found = 1, []

    stream = async_stream_nolink(receiver, double, max_concurrency=4, ordered=ordered)
    async with stream as results:
        async for result in results:
            found.append(value_of(result))
            new = [found[-1], found[-1] + 1] if found[-1] < 16 else []
            for item in new:
                sender.send_nowait(item)
            open_items += len(new) - 1
            if not open_items:
                sender.close()
    assert sorted(found) == [2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30]


async def test_the_time_of_a_task_runs_out_while_a_channel_is_empty(node: Node) -> None:
    sender, receiver = trio.open_memory_channel[int](5)
    sender.send_nowait(1)
    with pytest.raises(TaskTimeout), sender:
        await collect(async_stream_nolink(receiver, for_ever, timeout=1))
    assert trio.current_time() == 1


async def test_a_linked_crash_while_a_channel_is_empty(node: Node) -> None:
    sender, receiver = trio.open_memory_channel[int](5)
    sender.send_nowait(1)

    async def fail(item: int) -> None:
        raise ProcessExit("boom")

    with sender, pytest.raises(AssertionError, match="boom"):
        await in_process(lambda: collect(async_stream(receiver, fail, max_concurrency=4)))
    assert await in_process(lambda: collect(async_stream(channel_of([1]), fail)), trap=True) == [
        Exited("boom")
    ]


async def test_every_item_of_a_busy_channel_comes_through(node: Node) -> None:
    """However the ends of tasks fall on the arrival of items."""
    sender, receiver = trio.open_memory_channel[int](0)

    async def feed() -> None:
        async with sender:
            for number in range(300):
                await sender.send(number)
                await trio.sleep(number % 4)

    async def work(number: int) -> int:
        await trio.sleep(number % 5)
        return number

    async with trio.open_nursery() as nursery:
        nursery.start_soon(feed)
        stream = async_stream_nolink(receiver, work, max_concurrency=3)
        assert await values(stream) == list(range(300))


async def test_the_sender_that_has_gone_away_ends_the_stream(node: Node) -> None:
    sender, receiver = trio.open_memory_channel[int](5)
    async with async_stream_nolink(receiver, double) as results:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(take, 5, results)
            await wait_all_tasks_blocked()
            sender.close()
        assert await take(5, results) == []


async def test_while_an_async_generator_is_awaited_results_wait(node: Node) -> None:
    """It cannot be interrupted; made a channel, it can."""
    for safe in (False, True):
        times: list[float] = []

        @trio.as_safe_channel
        async def as_channel() -> AsyncGenerator[int, None]:
            async for number in told_later([1, 2], [], pause=10):
                yield number

        begun = trio.current_time()
        async with as_channel() as channel:
            items = channel if safe else told_later([1, 2], [], pause=10)
            async with async_stream_nolink(items, double, max_concurrency=4) as results:
                times.extend([trio.current_time() - begun async for _ in results])
        assert times == ([10, 20] if safe else [20, 20])
