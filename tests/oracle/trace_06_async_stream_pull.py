"""06_async_stream_pull.exs: nothing is pulled before a slot is free and the consumer has asked."""

from __future__ import annotations

from collections.abc import Generator
from functools import partial

import trio

from runtime import Agent, Exited, Ok, async_stream
from tests.oracle.rendering import say
from tests.oracle.trace import Trace, attempt, each, flush, settle, take


async def same(x: int) -> int:
    return x


async def lock_step(x: int) -> int:
    await trio.sleep(0.03 * x)
    return x


async def slow(x: int) -> int:
    await trio.sleep(0.5)
    return x


def none_so_far() -> tuple[int, int]:
    """How many run now, and how many did at most."""
    return 0, 0


def value_of(result: Ok[int] | Exited[int]) -> int:
    assert isinstance(result, Ok)
    return result.value


async def scenario(trace: Trace) -> None:
    out = trace.out

    def source(n: int) -> Generator[int]:
        for x in range(1, n + 1):
            out(f"pulled {x}")
            yield x

    def bad() -> Generator[int]:
        for x in range(1, 6):
            if x == 3:
                raise RuntimeError("source")
            out(f"pulled {x}")
            yield x

    async def head_of_line(x: int) -> int:
        if x == 1:
            await trio.sleep(0.25)
            return 1
        await trio.sleep(0.03)
        out(f"finished {x}")
        return x

    out("-- building the stream does nothing")
    stream = async_stream(source(3), same)
    await settle(30)
    out("built")
    await each(stream, lambda _result: None)
    out("-- slow consumer, concurrency 2")
    async with async_stream(source(5), same, max_concurrency=2) as results:
        async for result in results:
            await trio.sleep(0.03)
            out(f"consumed {value_of(result)}")
    out("-- take 1 of 10, concurrency 3, tasks in lock step")
    taken = await take(async_stream(source(10), lock_step, max_concurrency=3), 1)
    out(f"took {say(taken)}")
    out("-- take 3 of 10, concurrency 1")
    taken = await take(async_stream(source(10), same, max_concurrency=1), 3)
    out(f"took {say(taken)}")
    out(
        "-- head of line blocking: ordered output waits for item 1, "
        "but later items keep being pulled and run"
    )
    stream = async_stream(source(5), head_of_line, max_concurrency=2)
    await each(stream, lambda result: out(f"consumed {value_of(result)}"))
    out("-- source raises on the third pull")
    stream = async_stream(bad(), slow, max_concurrency=4)
    out(f"result {await attempt(partial(take, stream, 5))}")
    out("-- peak concurrency")
    agent = await Agent.start_link(none_so_far)

    async def counted(_x: int) -> None:
        await agent.update(lambda state: (state[0] + 1, max(state[1], state[0] + 1)))
        await trio.sleep(0.015)
        await agent.update(lambda state: (state[0] - 1, state[1]))

    await each(async_stream(range(1, 13), counted, max_concurrency=4), lambda _result: None)
    out(f"peak {say(await agent.get(lambda state: state[1]))}")
    out(f"mailbox {say(await flush(20))}")
