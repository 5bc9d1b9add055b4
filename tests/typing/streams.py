"""What the checkers know about streams: the item a function takes, its results, the options."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, AsyncIterator
from functools import partial
from typing import assert_type

import trio

from runtime import (
    Exited,
    ExitReason,
    Ok,
    Stream,
    StreamKeywords,
    async_stream,
    async_stream_nolink,
    to_process,
    to_thread,
)
from supervisors import TaskSupervisorRef


async def size(path: str) -> int:
    return len(path)


async def scaled(factor: int, path: str) -> float:
    return factor * len(path) / 2


async def two(one: str, other: str) -> None: ...


def plain(path: str) -> int:
    return len(path)


async def paths() -> AsyncGenerator[str, None]:
    yield "a"


async def the_results_have_the_types_of_value_and_item(tasks: TaskSupervisorRef) -> None:
    stream = async_stream(["a"], size)
    assert_type(stream, Stream[str, int])
    assert_type(tasks.async_stream_nolink(["a"], size), Stream[str, int])
    async with stream as results:
        assert_type(results, AsyncIterator[Ok[int] | Exited[str]])
        async for result in results:
            match result:
                case Ok(value):
                    assert_type(value, int)
                case Exited(reason, item):
                    assert_type(reason, ExitReason)
                    assert_type(item, str | None)
            print(result.value)  # type: ignore[union-attr]  # pyright: ignore[reportAttributeAccessIssue]
            print(result.reason)  # type: ignore[union-attr]  # pyright: ignore[reportAttributeAccessIssue]


async def every_source_that_gives_such_items_is_taken(tasks: TaskSupervisorRef) -> None:
    _, channel = trio.open_memory_channel[str](5)
    pair = async_stream(("a", "b"), size)
    general: Stream[object, float] = pair
    special: Stream[int, int] = pair  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    print(general, special)
    assert_type(async_stream(iter("ab"), size), Stream[str, int])
    assert_type(async_stream(paths(), size), Stream[str, int])
    assert_type(async_stream_nolink(channel, size), Stream[str, int])
    assert_type(tasks.async_stream(paths(), size), Stream[str, int])
    async_stream([1], size)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    async_stream_nolink([None], size)  # type: ignore[misc]  # pyright: ignore[reportArgumentType]
    tasks.async_stream([1], size)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    async_stream(5, size)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    async_stream(paths, size)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    async_stream(async_stream(["a"], size), size)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def every_async_function_of_one_item_is_taken() -> None:
    assert_type(async_stream(["a"], partial(scaled, 2)), Stream[str, float])
    assert_type(async_stream(["a"], to_thread(plain)), Stream[str, int])
    assert_type(async_stream(["a"], to_process(plain)), Stream[str, int])
    async_stream(["a"], plain)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    async_stream(["a"], two)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    async_stream_nolink(["a"], scaled)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    async_stream_nolink(["a"], size("a"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def the_options_are_checked(tasks: TaskSupervisorRef) -> None:
    options: StreamKeywords = {"max_concurrency": 5, "on_timeout": "kill_task"}
    async_stream(["a"], size, **options)
    async_stream(["a"], size, max_concurrency=None, ordered=False, timeout=math.inf)
    async_stream(["a"], size, max_concurrency=2.5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    async_stream(["a"], size, timeout=None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    async_stream_nolink(["a"], size, on_timeout="kill")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    async_stream_nolink(["a"], size, ordered="no")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    async_stream_nolink(["a"], size, shutdown=5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    tasks.async_stream(["a"], size, linked=False)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


async def a_stream_is_used_by_its_block() -> None:
    stream = async_stream(["a"], size)
    async for _ in stream:  # type: ignore[attr-defined]  # pyright: ignore[reportGeneralTypeIssues]
        pass
    with stream:  # type: ignore[attr-defined]  # pyright: ignore[reportGeneralTypeIssues]
        pass
    [result async for result in stream]  # type: ignore[attr-defined]  # pyright: ignore[reportGeneralTypeIssues]
