"""Waiting for several tasks leads on to them: what calls back is refused, sooner or later."""

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
    Ok,
    Outcome,
    Ref,
    Task,
    TaskExit,
    race,
    result_many,
    start,
    wait_many,
)
from tests.runtime.tasking import after
from tests.support import Ask, Scripted


async def at_once(one: object, reply_to: object) -> str:
    return "answer"


async def in_handler(server: Ref, fn: Callable[[], Awaitable[Any]]) -> Any:
    """Run this inside a handler of the server."""

    async def handler(one: object, reply_to: object) -> Any:
        return await fn()

    return await server.call(Ask(handler), timeout=math.inf)


async def call_back(server: Ref, seconds: float = 0.0) -> str:
    await trio.sleep(seconds)
    answer: str = await server.call(Ask(at_once), timeout=math.inf)
    return answer


def is_refusal(outcome: Outcome[Any] | None) -> bool:
    return (
        isinstance(outcome, Exited)
        and isinstance(outcome.reason, Crashed)
        and isinstance(outcome.reason.exception, CallCycle)
    )


@pytest.mark.parametrize("seconds", [0.0, 1.0])
async def test_tasks_that_call_back_are_refused_at_once(node: Node, seconds: float) -> None:
    """Each of them, one after the other, in no time."""
    server = await start(Scripted.child_spec())

    async def handler() -> list[Any]:
        tasks = [await Task.start_nolink(call_back, server, seconds) for _ in range(3)]
        return await wait_many(tasks, timeout=math.inf)

    assert [is_refusal(one) for one in await in_handler(server, handler)] == [True] * 3
    assert trio.current_time() == seconds
    await server.stop()


async def test_one_that_calls_back_behind_a_slow_one_is_refused_when_that_has_ended(
    node: Node,
) -> None:
    server = await start(Scripted.child_spec())

    async def handler() -> list[Any]:
        tasks = [
            await Task.start_nolink(after, 3.0, "slow"),
            await Task.start_nolink(after, 1.0, "quick"),
            await Task.start_nolink(call_back, server),
        ]
        return await wait_many(tasks, timeout=math.inf)

    slow, quick, refused = await in_handler(server, handler)
    assert (slow, quick) == (Ok("slow"), Ok("quick"))
    assert is_refusal(refused)
    assert trio.current_time() == 3
    await server.stop()


async def test_waiting_for_some_is_no_cycle_as_long_as_others_may_do(node: Node) -> None:
    """The call waits its turn, and is answered when the handler has gone on."""
    server = await start(Scripted.child_spec())
    tasks: list[Task[str]] = []

    async def handler() -> list[Any]:
        tasks.append(await Task.start_nolink(call_back, server))
        tasks.append(await Task.start_nolink(after, 2.0, "other"))
        return await wait_many(tasks, timeout=math.inf, limit=1)

    assert await in_handler(server, handler) == [None, Ok("other")]
    assert await tasks[0].result() == "answer"
    assert trio.current_time() == 2
    await server.stop()


async def test_the_results_of_tasks_that_call_back_are_a_refusal(node: Node) -> None:
    server = await start(Scripted.child_spec())

    async def handler() -> str:
        tasks = [await Task.start_nolink(call_back, server) for _ in range(3)]
        with pytest.raises(TaskExit) as caught:
            await result_many(tasks, timeout=math.inf)
        assert isinstance(caught.value.__cause__, CallCycle)
        return "refused"

    assert await in_handler(server, handler) == "refused"
    assert trio.current_time() == 0
    await server.stop()


async def test_in_a_race_who_calls_back_fails_and_the_others_go_on(node: Node) -> None:
    server = await start(Scripted.child_spec())

    async def handler() -> str:
        tasks = [
            await Task.start_nolink(call_back, server),
            await Task.start_nolink(after, 2.0, "winner"),
        ]
        winner = await race(tasks, timeout=math.inf)
        assert is_refusal(await tasks[0].wait())
        return winner

    assert await in_handler(server, handler) == "winner"
    await server.stop()


async def test_a_race_of_nothing_but_calls_back_fails_in_no_time(node: Node) -> None:
    server = await start(Scripted.child_spec())

    async def handler() -> str:
        tasks = [await Task.start_nolink(call_back, server) for _ in range(3)]
        with pytest.raises(ExceptionGroup) as caught:
            await race(tasks, timeout=math.inf)
        assert [type(one.__cause__) for one in caught.value.exceptions] == [CallCycle] * 3
        return "refused"

    assert await in_handler(server, handler) == "refused"
    assert trio.current_time() == 0
    await server.stop()


async def test_after_the_wait_there_is_no_cycle_any_more(node: Node) -> None:
    server = await start(Scripted.child_spec())
    tasks: list[Task[str]] = []

    async def handler() -> list[Any]:
        tasks.append(await Task.start_nolink(call_back, server, 2.0))
        outcomes = await wait_many(tasks, timeout=1)
        await trio.sleep(2)
        return outcomes

    assert await in_handler(server, handler) == [None]
    assert await tasks[0].result() == "answer"
    await server.stop()


async def test_a_helper_task_of_the_handler_is_no_edge(node: Node) -> None:
    """It waits for as long as it says; the call is answered when the handler is done."""
    server = await start(Scripted.child_spec())
    tasks: list[Task[str]] = []

    async def handler() -> None:
        tasks.append(await Task.start_nolink(call_back, server))

        async def helper() -> None:
            assert await wait_many(tasks, timeout=2) == [None]

        async with trio.open_nursery() as nursery:
            nursery.start_soon(helper)

    await in_handler(server, handler)
    assert await tasks[0].result() == "answer"
    assert trio.current_time() == 2
    await server.stop()
