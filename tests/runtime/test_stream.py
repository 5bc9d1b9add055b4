"""A stream: what is handed out, in which order, how many tasks at once, who may use it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable
from functools import partial
from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from runtime import (
    Node,
    NoNode,
    Ok,
    OutsideProcess,
    Pid,
    Stream,
    async_stream,
    async_stream_nolink,
    callers,
    open_node,
    processes,
    receive,
    self_,
    send,
    spawn,
    wait_exit,
)
from tests.runtime.streaming import (
    channel_of,
    collect,
    double,
    take,
    told,
    told_later,
    value_of,
    values,
)
from tests.support import in_process

# ---------------------------------------------------------------------- results


@pytest.mark.parametrize("concurrency", [1, 2, 3, 5, 8, 100])
@pytest.mark.parametrize("ordered", [True, False])
async def test_never_more_tasks_than_allowed_and_as_many_as_that(
    node: Node, concurrency: int, ordered: bool
) -> None:
    """STRM-002."""
    alive = peak = 0

    async def work(number: int) -> int:
        nonlocal alive, peak
        alive += 1
        peak = max(peak, alive)
        await trio.sleep(number % 3)
        alive -= 1
        return number

    stream = async_stream_nolink(range(8), work, max_concurrency=concurrency, ordered=ordered)
    assert sorted(await values(stream)) == list(range(8))
    assert peak == min(concurrency, 8)


async def test_an_empty_source_gives_an_empty_stream(node: Node) -> None:
    """STRM-006."""
    assert await collect(async_stream_nolink([], double)) == []
    assert await collect(async_stream_nolink(told_later([], []), double)) == []


async def test_a_stream_that_is_over_stays_over(node: Node) -> None:
    async with async_stream_nolink([1], double) as results:
        assert [result async for result in results] == [Ok(2)]
        for _ in range(3):
            assert [result async for result in results] == []


async def test_none_is_a_value_and_an_item(node: Node) -> None:
    async def same(item: object) -> object:
        return item

    assert await values(async_stream_nolink([None, 0, None], same)) == [None, 0, None]


async def test_items_of_every_kind_of_source_are_worked_at(node: Node) -> None:
    for items in ([1, 2], told([1, 2], []), told_later([1, 2], []), channel_of([1, 2])):
        assert await values(async_stream_nolink(items, double)) == [2, 4]


async def test_functions_of_every_kind_are_run(node: Node) -> None:
    class Times:
        async def __call__(self, number: int) -> int:
            return number * 3

        async def method(self, number: int) -> int:
            return number * 4

    async def plus(number: int, more: int = 1) -> int:
        return number + more

    kinds: list[Callable[[int], Any]] = [Times(), Times().method, plus, partial(plus, more=10)]
    assert [await values(async_stream_nolink([1], fn)) for fn in kinds] == [[3], [4], [2], [11]]


# ---------------------------------------------------------------------- use


async def test_building_a_stream_does_nothing(node: Node) -> None:
    """STRM-004. It needs no node, and entering its block starts nothing either."""
    log: list[str] = []
    stream = async_stream_nolink(told([1, 2], log), double)
    async with stream:
        await wait_all_tasks_blocked()
        assert (log, processes()) == ([], [])


async def test_a_stream_can_be_built_where_there_is_no_node() -> None:
    stream = async_stream_nolink([1], double)
    with pytest.raises(NoNode):
        await collect(stream)
    async with open_node():
        assert await values(stream) == [2]


async def test_a_stream_in_use_cannot_be_entered_again(node: Node) -> None:
    stream = async_stream_nolink([1, 2], double)
    async with stream as results:
        assert value_of(await anext(results)) == 2
        with pytest.raises(RuntimeError, match=r"^the stream is in use"):
            await collect(stream)
        assert value_of(await anext(results)) == 4
    assert await values(stream) == [2, 4]


async def test_without_a_block_it_says_what_is_missing(node: Node) -> None:
    """differs: OTP's stream is run by whatever enumerates it; here a block cleans up after it."""
    stream: Any = async_stream_nolink([1], double)
    with pytest.raises(TypeError, match=r"^a stream is used with a block .* async with stream as"):
        async for _ in stream:
            pytest.fail("it has no results")


async def test_a_linked_stream_needs_a_process(node: Node) -> None:
    stream = async_stream([1, 2], double)
    with pytest.raises(OutsideProcess, match=r"^a linked stream needs a process"):
        await collect(stream)
    assert await in_process(lambda: values(stream)) == [2, 4]


async def test_built_in_one_process_and_consumed_in_another(node: Node) -> None:
    """STRM-036. The callers of the tasks are those of the consumer."""

    async def asked_by(item: object) -> tuple[Pid, ...]:
        return callers()

    async def build() -> tuple[Pid, Stream[int, tuple[Pid, ...]]]:
        return self_(), async_stream([1], asked_by)

    async def consume(stream: Stream[int, tuple[Pid, ...]]) -> tuple[Pid, list[tuple[Pid, ...]]]:
        return self_(), await values(stream)

    builder, stream = await in_process(build)
    consumer, asked = await in_process(lambda: consume(stream))
    assert asked == [(consumer,)]
    assert builder is not consumer
    assert await values(async_stream_nolink([1], asked_by)) == [()]


async def test_messages_in_the_mailbox_of_the_consumer_stay(node: Node) -> None:
    """STRM-033. STRM-034: there is no process between consumer and tasks to send a false one to."""

    async def consume() -> list[object]:
        trap = async_stream(told_later([1, 2, 3], [], pause=1), double)
        result = await values(trap)
        return [result, *[await receive(timeout=0) for _ in range(2)]]

    results: list[object] = []

    async def body() -> None:
        results.extend(await consume())

    pid = spawn(body)
    send(pid, "first")
    await trio.sleep(1.5)
    send(pid, "second")
    await wait_exit(pid)
    assert results == [[2, 4, 6], "first", "second"]


async def test_a_source_runs_as_the_consumers_own_code(node: Node) -> None:
    """It may read the consumer's mailbox, and its errors are the consumer's."""

    async def consume() -> list[int]:
        send(self_(), 1)
        send(self_(), 2)

        async def messages() -> AsyncGenerator[int]:
            for _ in range(2):
                yield await receive(int)

        return await values(async_stream(messages(), double))

    assert await in_process(consume) == [2, 4]


# ---------------------------------------------------------------------- what is refused


@pytest.mark.parametrize("make", [async_stream, async_stream_nolink])
@pytest.mark.parametrize("items", [None, 5, double, object()])
def test_what_is_no_iterable_is_refused(make: Callable[..., Any], items: object) -> None:
    with pytest.raises(TypeError, match=r"^items: got .*, allowed is an iterable or an async"):
        make(items, double)


def test_a_stream_is_no_source_but_its_results_are() -> None:
    stream: Any = async_stream_nolink([1], double)
    with pytest.raises(TypeError, match=r"^items: got a stream, allowed are its results: async"):
        async_stream_nolink(stream, double)


async def two(one: int, other: int) -> None: ...


async def reports(item: int, *, task_status: trio.TaskStatus[None]) -> None: ...


def plain(number: int) -> int:
    return number


@pytest.mark.parametrize("make", [async_stream, async_stream_nolink])
@pytest.mark.parametrize("fn", [None, plain, int, 5])
def test_what_is_no_async_function_is_refused(make: Callable[..., Any], fn: object) -> None:
    with pytest.raises(TypeError, match=r"^fn: got .*, allowed is an async function, not called"):
        make([1], fn)


@pytest.mark.parametrize("make", [async_stream, async_stream_nolink])
@pytest.mark.parametrize("fn", [two, reports, partial(double, 1), partial(two, 1, 2)])
def test_a_function_that_does_not_take_one_item_is_refused(
    make: Callable[..., Any], fn: object
) -> None:
    with pytest.raises(TypeError, match=r"^arguments of (two|reports|double): "):
        make([1], fn)


@pytest.mark.parametrize("make", [async_stream, async_stream_nolink])
def test_wrong_options_are_refused_when_the_stream_is_built(make: Callable[..., Any]) -> None:
    """STRM-024 differs: there is no ``shutdown``, for leaving the block kills the tasks."""
    for options in (
        {"max_concurrency": 0},
        {"timeout": -1},
        {"on_timeout": "later"},
        {"ordered": None},
    ):
        (name,) = options
        with pytest.raises((TypeError, ValueError), match=f"^{name}: got "):
            make([1], double, **options)
    with pytest.raises(TypeError, match="got 'shutdown', allowed are max_concurrency, "):
        make([1], double, shutdown=5)


# ---------------------------------------------------------------------- streams and streams


async def test_a_pipeline_stage_may_be_an_async_generator(node: Node) -> None:
    async def doubled(items: Iterable[int] | AsyncIterable[int]) -> AsyncGenerator[int]:
        async with async_stream_nolink(items, double, max_concurrency=2) as results:
            async for result in results:
                yield value_of(result)

    stages = doubled(doubled(doubled(range(5))))
    assert await values(async_stream_nolink(stages, double)) == [0, 16, 32, 48, 64]
    assert processes() == []


async def test_take_takes_as_many_as_there_are(node: Node) -> None:
    async with async_stream_nolink([1, 2], double) as results:
        assert await take(5, results) == [Ok(2), Ok(4)]
