"""A step that is cancelled loses nothing; other tasks than the one in the block may take steps."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any

import pytest
import trio
import trio._core._run as trio_run
import trio.testing
from trio.testing import wait_all_tasks_blocked

from runtime import (
    Killed,
    Node,
    Ok,
    Stream,
    async_stream,
    async_stream_nolink,
    kill,
    open_node,
    processes,
    spawn,
    wait_exit,
)
from tests.runtime.streaming import channel_of, collect, double, for_ever, nap, take, told_later
from tests.support import in_process


class Ticking:
    """An async iterator that takes a second for each number, and loses none when cancelled."""

    def __init__(self, numbers: list[int]) -> None:
        self.left = list(numbers)

    def __aiter__(self) -> AsyncIterator[int]:
        return self

    async def __anext__(self) -> int:
        await trio.sleep(1)
        if not self.left:
            raise StopAsyncIteration
        return self.left.pop(0)


SOURCES = pytest.mark.parametrize("source", [list, channel_of, Ticking])


@SOURCES
@pytest.mark.parametrize("ordered", [True, False])
@pytest.mark.parametrize("patience", [0.25, 0.75, 1.0, 1.5])
async def test_a_step_that_takes_too_long_is_taken_again(
    node: Node, source: Callable[[list[int]], Any], ordered: bool, patience: float
) -> None:
    done: list[int] = []
    seen: list[object] = []

    async def work(number: int) -> int:
        await trio.sleep(number)
        done.append(number)
        return number

    # An item of ``Ticking`` takes a second, and a step that has less than that never gets one.
    if source is Ticking and patience <= 1:
        patience += 1
    items = source([3, 1, 2, 1, 1])
    async with async_stream_nolink(items, work, ordered=ordered, max_concurrency=2) as results:
        over = False
        while not over:
            with trio.move_on_after(patience):
                one = await take(1, results)
                seen += one
                over = not one
    assert sorted(done) == [1, 1, 1, 2, 3]
    assert len(seen) == 5
    if ordered:
        assert seen == [Ok(3), Ok(1), Ok(2), Ok(1), Ok(1)]


async def cut_after(steps: int, results: AsyncIterator[Any]) -> tuple[list[Any], bool]:
    """One step, cancelled after so many ticks; whether it came to its end all the same."""
    taken: list[Any] = []
    async with trio.open_nursery() as nursery:
        scope = trio.CancelScope()

        async def cut() -> None:
            for _ in range(steps):
                await trio.lowlevel.checkpoint()
            scope.cancel()

        nursery.start_soon(cut)
        with scope:
            taken += await take(1, results)
        nursery.cancel_scope.cancel()
    return taken, not scope.cancelled_caught


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("steps", range(10))
@pytest.mark.parametrize("source", [list, channel_of])
async def test_steps_cancelled_at_every_tick_lose_no_item_and_no_result(
    source: Callable[[list[int]], Any], steps: int, seed: int
) -> None:
    trio_run._r.seed(seed)
    begun: list[int] = []

    async def work(number: int) -> int:
        begun.append(number)
        for _ in range(number % 4):
            await trio.lowlevel.checkpoint()
        return number

    async with open_node(instruments=[]):
        items = list(range(12))
        seen: list[Ok[int]] = []
        async with async_stream_nolink(source(items), work, max_concurrency=3) as results:
            while True:
                taken, finished = await cut_after(steps, results)
                seen += taken
                if finished and not taken:
                    break
                await trio.lowlevel.checkpoint()
        assert sorted(begun) == items
        assert seen == [Ok(number) for number in items]
        assert processes() == []


async def test_a_step_that_is_cancelled_already_does_nothing(node: Node) -> None:
    log: list[int] = []

    async def note(number: int) -> None:
        log.append(number)

    async with async_stream_nolink([1], note) as results:
        with trio.move_on_after(0) as scope:
            scope.cancel()
            await anext(results)
        assert scope.cancelled_caught
        await wait_all_tasks_blocked()
        assert log == []
        assert await take(1, results) == [Ok(None)]


async def test_a_step_that_waits_is_a_checkpoint_and_so_is_the_last(node: Node) -> None:
    async with async_stream_nolink([1, 2], double, max_concurrency=1) as results:
        for expected in ([Ok(2)], [Ok(4)], [], []):
            with trio.testing.assert_checkpoints():
                assert await take(1, results) == expected


async def test_results_that_are_there_let_others_run_after_256(node: Node) -> None:
    """With ``--queued`` after each."""
    others = 0

    async def other() -> None:
        nonlocal others
        while True:
            others += 1
            await trio.lowlevel.checkpoint()

    async with async_stream_nolink(range(600), double, max_concurrency=600) as results:
        assert await take(1, results) == [Ok(0)]
        await trio.testing.wait_all_tasks_blocked()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(other)
            assert len(await take(599, results)) == 599
            assert others >= 599 // 256 - 1, "it may not have had its last turn yet"
            nursery.cancel_scope.cancel()


async def test_a_step_of_a_cancelled_task_takes_no_result_that_is_there(node: Node) -> None:
    async with async_stream_nolink(range(3), double, max_concurrency=3) as results:
        assert await take(1, results) == [Ok(0)]
        await trio.testing.wait_all_tasks_blocked()
        with trio.CancelScope() as scope:
            scope.cancel()
            await anext(results)
        assert scope.cancelled_caught
        assert await take(2, results) == [Ok(2), Ok(4)]


async def test_a_cancelled_step_over_an_async_generator_is_not_taken_for_its_end(
    node: Node,
) -> None:
    """What is on its way comes; then the next step says what has happened."""
    async with async_stream_nolink(told_later([1, 2], [], pause=1), double) as results:
        with trio.move_on_after(0.5):
            await anext(results)
        with pytest.raises(RuntimeError, match="was cancelled while it was asked for an item"):
            await anext(results)
        assert await take(1, results) == []


@pytest.mark.parametrize("after", [0, 0.5, 1, 1.5])
async def test_cancelling_around_the_block_leaves_nothing(node: Node, after: float) -> None:
    with trio.move_on_after(after) as scope:
        await collect(async_stream_nolink([1, 1, 1], nap, max_concurrency=1))
    assert scope.cancelled_caught
    assert processes() == []


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("make", [async_stream, async_stream_nolink])
async def test_a_consumer_killed_at_any_step_leaves_nothing(
    make: Callable[..., Stream[int, int]], seed: int
) -> None:
    trio_run._r.seed(seed)

    async def work(number: int) -> int:
        for _ in range(number % 3):
            await trio.lowlevel.checkpoint()
        return number

    async with open_node(instruments=[]):
        for steps in range(60):
            consumer = spawn(collect, make(range(10), work, max_concurrency=3))
            for _ in range(steps):
                await trio.lowlevel.checkpoint()
            kill(consumer)
            await wait_exit(consumer)
            assert processes() == []
        assert await wait_exit(spawn(collect, make([], work))) != Killed()


# ---------------------------------------------------------------------- several tasks


async def test_two_tasks_at_once_are_refused(node: Node) -> None:
    async with async_stream_nolink([1, 2], nap) as results:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(take, 1, results)
            await wait_all_tasks_blocked()
            with pytest.raises(trio.BusyResourceError, match="another task is waiting"):
                await anext(results)
        assert await take(5, results) == [Ok(2)]


async def test_tasks_may_take_turns(node: Node) -> None:
    """Several workers on one stream, one at a time in its next step."""
    turn = trio.Lock()
    seen: list[tuple[str, object]] = []

    async def worker(tag: str, results: AsyncIterator[object]) -> None:
        while True:
            async with turn:
                taken = await take(1, results)
            if not taken:
                return
            seen.append((tag, taken[0]))
            await trio.sleep(1)

    async with async_stream_nolink([1, 2, 3, 4], double, max_concurrency=1) as results:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(worker, "a", results)
            nursery.start_soon(worker, "b", results)
    assert [result for _, result in seen] == [Ok(2), Ok(4), Ok(6), Ok(8)]
    assert sorted(tag for tag, _ in seen) == ["a", "a", "b", "b"]


async def errors_of(results: AsyncIterator[object], errors: list[BaseException]) -> None:
    """One step, and what it raises."""
    try:
        await anext(results)
    except (trio.ClosedResourceError, StopAsyncIteration) as error:
        errors.append(error)


@pytest.mark.parametrize("where", ["ends", "channel", "iterator", "generator"])
async def test_leaving_the_block_cuts_the_step_of_another_task_short(
    node: Node, where: str
) -> None:
    """Wherever it waits; and nothing is started after that."""
    _sender, empty = trio.open_memory_channel[int](0)
    sources: dict[str, Any] = {
        "ends": [1],
        "channel": empty,
        "iterator": Ticking([1, 2]),
        "generator": told_later([1], [], pause=60),
    }
    errors: list[BaseException] = []
    async with trio.open_nursery() as nursery:
        async with async_stream_nolink(sources[where], for_ever, timeout=math.inf) as results:
            nursery.start_soon(errors_of, results, errors)
            await wait_all_tasks_blocked()
        assert processes() == []
    assert [repr(error) for error in errors] == [
        "ClosedResourceError('the block of this stream has been left')"
    ]
    assert trio.current_time() == 0


async def test_a_step_after_the_block_is_refused(node: Node) -> None:
    """An empty answer would look like the end of the items."""
    async with async_stream_nolink([1, 2], double) as results:
        pass
    with pytest.raises(trio.ClosedResourceError, match="the block of this stream has been left"):
        await anext(results)


async def test_a_source_that_hands_out_an_item_as_it_is_cut_short_starts_nothing_that_stays(
    node: Node,
) -> None:
    class Generous(Ticking):
        async def __anext__(self) -> int:
            with trio.move_on_after(60):
                await trio.sleep_forever()
            return 1

        async def generous(self) -> AsyncGenerator[int]:
            while True:
                try:
                    await trio.sleep_forever()
                except trio.Cancelled:
                    yield 1
                    raise

    for items in (Generous([]).generous(), Generous([])):
        errors: list[BaseException] = []
        async with trio.open_nursery() as nursery:
            async with async_stream_nolink(items, for_ever) as results:
                nursery.start_soon(errors_of, results, errors)
                await wait_all_tasks_blocked()
            assert processes() == []
        assert [type(error) for error in errors] == [trio.ClosedResourceError]


async def test_a_consumer_in_a_helper_task_of_a_process_is_that_process(node: Node) -> None:
    async def consume() -> list[object]:
        results: list[object] = []

        async def helper() -> None:
            results.extend(await collect(async_stream([1, 2], double)))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(helper)
        return results

    assert await in_process(consume) == [Ok(2), Ok(4)]
