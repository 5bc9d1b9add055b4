"""Servers that consume a stream in a handler, and tasks that call them back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import trio

from runtime import (
    Call,
    CallCycle,
    CallTimeout,
    Crashed,
    GenServer,
    Node,
    Ref,
    StreamKeywords,
    TaskTimeout,
    async_stream,
    handles,
    processes,
)
from tests.runtime.streaming import collect, mixed, nap, value_of
from tests.support import reason_of


class Sum(Call[int]):
    """The sum of what the tasks of a stream return."""


class Ping(Call[None]):
    """Nothing."""


class Adder(GenServer):
    def __init__(
        self,
        items: list[Any],
        fn: Callable[[Any], Any] = mixed,
        options: StreamKeywords | None = None,
    ) -> None:
        self.stream = async_stream(items, fn, **(options or {}))

    @handles(Sum)
    async def sum(self, request: Sum) -> int:
        return sum([value_of(result) for result in await collect(self.stream)])

    @handles(Ping)
    def ping(self, request: Ping) -> None: ...


async def test_a_server_consumes_a_stream_in_a_handler(node: Node) -> None:
    server = await Adder.start([1, 2, 3])
    assert await server.call(Sum()) == 12
    assert await server.call(Sum()) == 12
    await server.stop()


async def test_a_server_ends_with_a_linked_task(node: Node) -> None:
    server: Ref = await Adder.start([1, "exit", 3])
    with pytest.raises(Exception, match="boom"):
        await server.call(Sum())
    assert processes() == []


async def call_back(server: Ref) -> int:
    try:
        await server.call(Ping(), timeout=1)
    except CallCycle:
        return 1
    except CallTimeout:
        return 100
    return 0


@pytest.mark.parametrize(
    "options", [{"max_concurrency": 3}, {"max_concurrency": 1, "ordered": False}]
)
async def test_a_task_that_calls_the_server_that_waits_for_it_is_refused_at_once(
    node: Node, options: StreamKeywords
) -> None:
    """One after the other, as its result becomes the one that is waited for."""
    items: list[Ref] = []
    server = await Adder.start(items, call_back, options)
    items.extend([server] * 4)
    assert await server.call(Sum()) == 4
    assert trio.current_time() == 0
    await server.stop()


async def test_without_order_there_is_no_cycle_as_long_as_another_task_runs(node: Node) -> None:
    """Any of them may give the next result."""
    items: list[Ref] = []
    server = await Adder.start(items, call_back, {"max_concurrency": 2, "ordered": False})
    items.extend([server, server])
    assert await server.call(Sum()) in (101, 200)
    assert trio.current_time() == 1
    await server.stop()


async def test_the_time_of_a_task_ends_a_consumer_that_does_not_catch_it(node: Node) -> None:
    reason = await reason_of(lambda: collect(async_stream([60], nap, timeout=1)))
    assert isinstance(reason, Crashed)
    assert isinstance(reason.exception, TaskTimeout)
