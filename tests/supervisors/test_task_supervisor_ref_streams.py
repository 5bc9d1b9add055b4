"""Streams whose tasks live under a task supervisor."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from runtime import (
    CallExit,
    Exited,
    Killed,
    Node,
    NoProcess,
    Normal,
    Ok,
    ProcessExit,
    Shutdown,
    callers,
    kill,
    named,
    process_info,
    processes,
    self_,
    spawn,
    wait_exit,
)
from supervisors import MaxChildren, TaskSupervisor, TaskSupervisorRef, open_supervisor
from tests.conftest import Recorder
from tests.runtime.streaming import (
    collect,
    double,
    nap,
    take,
    told,
    values,
)
from tests.supervisors.task_parts import start_tasks, tasks_supervised
from tests.support import end_of, in_process

BOTH = pytest.mark.parametrize(
    "make", [TaskSupervisorRef.async_stream, TaskSupervisorRef.async_stream_nolink]
)


@BOTH
async def test_the_tasks_are_children_of_the_supervisor_and_know_their_consumer(
    node: Node, make: Callable[..., Any]
) -> None:
    async def who(item: object) -> tuple[object, ...]:
        info = process_info(self_())
        assert info is not None
        return info.parent, callers()

    async with tasks_supervised() as supervisor:

        async def consume() -> None:
            (seen,) = await values(make(supervisor, [1], who))
            assert seen == (supervisor.pid, (self_(),))

        await in_process(consume)


async def test_exactly_as_many_tasks_as_there_may_be_children(node: Node) -> None:
    """A task that has ended has left the supervisor before the next one asks."""
    for ordered in (True, False):
        async with tasks_supervised(max_children=3) as supervisor:
            stream = supervisor.async_stream_nolink(
                range(50), double, max_concurrency=3, ordered=ordered
            )
            assert sorted(await values(stream)) == list(range(0, 100, 2))


async def test_who_is_refused_may_wait_and_go_on(node: Node) -> None:
    """STRM-029. No item is lost by that."""
    async with tasks_supervised(max_children=2) as supervisor:
        other = await supervisor.start_nolink(trio.sleep, 5)
        seen: list[Any] = []
        refused = 0
        async with supervisor.async_stream_nolink(
            [1.0, 1.0, 1.0], nap, max_concurrency=2
        ) as results:
            while len(seen) < 3:
                try:
                    seen += await take(1, results)
                except MaxChildren:
                    refused += 1
                    await trio.sleep(0.75)
        assert seen == [Ok(1.0)] * 3
        assert refused > 0
        await other.wait()


@BOTH
async def test_without_a_supervisor_the_first_step_fails(
    node: Node, make: Callable[..., Any]
) -> None:
    """STRM-030. differs: the consumer gets an error that it can catch."""
    stream = make(TaskSupervisorRef("nobody"), [1], double)
    with pytest.raises(CallExit) as caught:
        await in_process(lambda: collect(stream))
    assert caught.value.reason == NoProcess()


@pytest.mark.parametrize("end", ["stop", "kill"])
async def test_a_supervisor_that_ends_in_the_middle(node: Node, end: str) -> None:
    """STRM-030. What was under it is a result; what it should start next fails."""
    supervisor = await start_tasks()
    stream = supervisor.async_stream_nolink(
        told([5, 5, 5, 5], []), nap, max_concurrency=2, timeout=math.inf
    )
    async with stream as results:
        with trio.move_on_after(1):
            await anext(results)
        if end == "stop":
            await supervisor.stop(Shutdown())
        else:
            kill(supervisor)
        await wait_all_tasks_blocked()
        assert await anext(results) == Exited(Shutdown() if end == "stop" else Killed())
        with pytest.raises(CallExit) as caught:
            await anext(results)
        assert caught.value.reason == NoProcess()
    assert processes() == []
    assert trio.current_time() == 1


@pytest.mark.parametrize("end", ["stop", "kill"])
async def test_a_supervisor_that_ends_takes_the_linked_consumer_along(
    node: Node, events: Recorder, end: str
) -> None:
    """STRM-015, STRM-030."""
    supervisor = await start_tasks()
    consumer = spawn(collect, supervisor.async_stream([5, 5], nap, max_concurrency=2))
    await wait_all_tasks_blocked()
    if end == "stop":
        await supervisor.stop(Shutdown())
    else:
        kill(supervisor)
    await wait_exit(consumer)
    await wait_exit(supervisor)
    assert end_of(events, consumer) == (Shutdown() if end == "stop" else Killed())
    assert processes() == []


async def test_a_named_supervisor_that_was_restarted_serves_the_rest_of_the_stream(
    node: Node,
) -> None:
    async with open_supervisor([TaskSupervisor.child_spec().replace(name="tasks")]):
        stream = TaskSupervisorRef("tasks").async_stream_nolink(
            ["stay", 1, 2], double_or_stay, max_concurrency=1
        )
        async with stream as results:
            with trio.move_on_after(1):
                await anext(results)
            before = named("tasks").pid
            kill(before)
            await wait_exit(before)
            await wait_all_tasks_blocked()
            assert await take(5, results) == [Exited(Killed()), Ok(2), Ok(4)]


async def double_or_stay(item: object) -> object:
    """Ends for numbers alone."""
    if isinstance(item, int):
        return item * 2
    await trio.sleep_forever()
    return None


async def test_the_budget_of_the_handle_is_that_of_the_tasks(node: Node, events: Recorder) -> None:
    """When the supervisor stops them; leaving the block kills them in any case."""

    async def slow_end(item: object) -> None:
        try:
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(3)

    supervisor = await start_tasks(shutdown="brutal_kill")
    consumer = spawn(collect, supervisor.async_stream_nolink([1], slow_end, timeout=math.inf))
    await wait_all_tasks_blocked()
    (child,) = await supervisor.children()
    await supervisor.stop(Shutdown())
    await wait_exit(consumer)
    assert (end_of(events, child), end_of(events, consumer)) == (Killed(), Normal())
    assert trio.current_time() == 3


async def test_a_task_that_is_terminated_by_hand_is_a_result(node: Node) -> None:
    async with tasks_supervised() as supervisor:
        async with supervisor.async_stream_nolink([9, 1], nap, timeout=math.inf) as results:
            with trio.move_on_after(0.5):
                await anext(results)
            await supervisor.terminate_child((await supervisor.children())[-1])
            assert await take(2, results) == [Exited(Shutdown()), Ok(1)]


async def test_a_failure_under_the_supervisor_harms_no_sibling(node: Node) -> None:
    async def work(number: int) -> int:
        if number == 2:
            raise ProcessExit("boom")
        await trio.sleep(1)
        return number

    async with tasks_supervised() as supervisor:
        other = await supervisor.start_nolink(nap, 2)
        stream = supervisor.async_stream_nolink([1, 2, 3], work, max_concurrency=3)
        assert await collect(stream) == [Ok(1), Exited("boom"), Ok(3)]
        assert await other.result() == 2
