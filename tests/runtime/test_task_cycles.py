"""A handler that waits for a task which calls back: refused in the task, at once, not a hang."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio

from runtime import (
    CallCycle,
    Crashed,
    Exited,
    Node,
    Ref,
    Task,
    TaskExit,
    ref,
    self_,
    start,
)
from tests.support import Ask, Scripted, in_process, reason_of


async def at_once(one: object, reply_to: object) -> str:
    return "answer"


async def in_handler(server: Ref, fn: Callable[[], Awaitable[Any]]) -> Any:
    """Run this inside a handler of the server."""

    async def handler(one: object, reply_to: object) -> Any:
        return await fn()

    return await server.call(Ask(handler), timeout=math.inf)


async def call_back(server: Ref) -> str:
    answer: str = await server.call(Ask(at_once), timeout=math.inf)
    return answer


@pytest.mark.parametrize("wait_first", [True, False])
async def test_a_task_cannot_call_the_handler_that_waits_for_it(
    node: Node, wait_first: bool
) -> None:
    server = await start(Scripted.child_spec())

    async def body() -> str:
        if wait_first:
            await trio.sleep(1)
        return await call_back(server)

    async def handler() -> str:
        task = await Task.start_nolink(body)
        if not wait_first:
            await trio.sleep(1)  # the call is in the mailbox already
        with pytest.raises(TaskExit) as caught:
            await task.result(timeout=math.inf)
        cycle = caught.value.__cause__
        assert isinstance(cycle, CallCycle)
        assert cycle.cycle == (task.pid, server.pid, task.pid)
        return "refused"

    assert await in_handler(server, handler) == "refused"
    assert trio.current_time() == 1
    await server.stop()


async def test_a_task_may_catch_the_refusal_and_have_a_value(node: Node) -> None:
    server = await start(Scripted.child_spec())

    async def body() -> str:
        with pytest.raises(CallCycle):
            await call_back(server)
        return "went on"

    async def handler() -> str:
        return await (await Task.start(body)).result()

    assert await in_handler(server, handler) == "went on"
    await server.stop()


async def test_the_cycle_is_seen_through_other_servers_and_tasks(node: Node) -> None:
    """The handler waits for a task, which waits for a task, which calls a server, which calls."""
    server = await start(Scripted.child_spec())
    between = await start(Scripted.child_spec())

    async def inner() -> object:
        async def ask() -> str:
            with pytest.raises(CallCycle):
                await call_back(server)
            return "refused"

        return await in_handler(between, ask)

    async def outer() -> object:
        await trio.sleep(1)
        return await (await Task.start_nolink(inner)).result(timeout=math.inf)

    async def handler() -> object:
        return await (await Task.start_nolink(outer)).result(timeout=math.inf)

    assert await in_handler(server, handler) == "refused"
    assert trio.current_time() == 1
    await between.stop()
    await server.stop()


async def test_a_handler_that_only_started_it_is_no_cycle(node: Node) -> None:
    server = await start(Scripted.child_spec())
    tasks: list[Task[str]] = []

    async def handler() -> str:
        tasks.append(await Task.start_nolink(call_back, server))
        return "started"

    assert await in_handler(server, handler) == "started"
    assert await tasks[0].result() == "answer"
    await server.stop()


async def test_a_wait_that_was_given_up_is_no_cycle(node: Node) -> None:
    server = await start(Scripted.child_spec())

    async def body() -> str:
        await trio.sleep(2)
        return await call_back(server)

    tasks: list[Task[str]] = []

    async def handler() -> str:
        tasks.append(await Task.start_nolink(body))
        assert await tasks[0].wait(timeout=1) is None
        await trio.sleep(2)
        return "gave up"

    assert await in_handler(server, handler) == "gave up"
    assert await tasks[0].result() == "answer"
    await server.stop()


async def test_a_helper_task_of_the_handler_waits_for_as_long_as_it_says(node: Node) -> None:
    """As for calls: the server's own task could go on any moment."""
    server = await start(Scripted.child_spec())

    async def handler() -> object:
        task = await Task.start_nolink(call_back, server)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(task.wait)
        return await task.wait(timeout=0)

    assert await in_handler(server, handler) is None
    assert trio.current_time() == 5
    await server.stop()


async def test_shutting_down_a_task_that_calls_back_takes_no_time(node: Node) -> None:
    server = await start(Scripted.child_spec())

    async def handler() -> object:
        task = await Task.start(call_back, server)
        await trio.sleep(1)
        return await task.shutdown(math.inf)

    assert await in_handler(server, handler) is None
    assert trio.current_time() == 1
    await server.stop()


async def test_a_linked_task_that_is_refused_ends_the_server(node: Node) -> None:
    """If the task lets the refusal be its crash, like any other crash of it."""
    server = await start(Scripted.child_spec())

    async def owner() -> None:
        async def handler() -> None:
            await (await Task.start(call_back, server)).result()

        await in_handler(server, handler)

    reason = await reason_of(owner)
    assert isinstance(reason, Crashed)
    assert "CallCycle" in repr(reason.exception.__cause__)


async def test_a_process_that_answers_calls_by_receive_is_refused_too(node: Node) -> None:
    async def owner() -> None:
        me = ref(self_())
        task = await Task.start_nolink(call_back, me)
        outcome = await task.wait(timeout=math.inf)
        assert isinstance(outcome, Exited)
        assert isinstance(outcome.reason, Crashed)
        assert isinstance(outcome.reason.exception, CallCycle)

    await in_process(owner)
