"""Rows of STRM about the mailbox of its consumer, several streams, and another consumer."""

from __future__ import annotations

import trio

from runtime import (
    Exited,
    Ok,
    Pid,
    Stream,
    async_stream,
    callers,
    processes,
    self_,
    send,
    spawn,
    wait_exit,
)
from tests.conformance.scenarios import row
from tests.runtime.streaming import collect, double, nap, value_of, values
from tests.runtime.tasking import drained
from tests.support import in_process


@row("STRM-033")
async def messages_that_have_nothing_to_do_with_a_stream_stay() -> None:
    found: list[object] = []

    async def consume() -> None:
        found.append(await collect(async_stream([1, 1, 1], nap, max_concurrency=1)))
        found.extend(await drained())

    consumer = spawn(consume)
    send(consumer, "first")
    await trio.sleep(1.5)
    send(consumer, Ok(1))
    await wait_exit(consumer)
    assert found == [[Ok(1), Ok(1), Ok(1)], "first", Ok(1)]


@row("STRM-035")
async def streams_over_streams_in_streams_and_beside_streams() -> None:
    async def triple(result: Ok[int] | Exited[int]) -> int:
        return value_of(result) * 3

    async def multiples(number: int) -> list[int]:
        async def times(other: int) -> int:
            return number * other

        return await values(async_stream([1, 2, 3], times))

    async def consume() -> None:
        async with async_stream([1, 2, 3], double) as doubled:
            assert await collect(async_stream(doubled, triple)) == [Ok(6), Ok(12), Ok(18)]
        nested = await collect(async_stream([1, 10], multiples))
        assert nested == [Ok([1, 2, 3]), Ok([10, 20, 30])]
        async with async_stream([1, 2, 3], double) as ones, async_stream([3, 1], nap) as others:
            pairs = [(await anext(ones), other) async for other in others]
        assert pairs == [(Ok(2), Ok(3)), (Ok(4), Ok(1))]
        assert processes() == [self_()]

    await in_process(consume)


@row("STRM-036")
async def consumed_in_another_process_its_callers_are_the_consumers() -> None:
    async def who_asks(item: object) -> tuple[Pid, ...]:
        return callers()

    async def build() -> Stream[int, tuple[Pid, ...]]:
        return async_stream([1, 2], who_asks)

    stream = await in_process(build)

    async def consume() -> None:
        assert await collect(stream) == [Ok((self_(),)), Ok((self_(),))]

    await in_process(consume)
