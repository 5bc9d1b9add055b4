"""Streams whose tasks live under a task supervisor."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import trio
import trio._core._run as trio_run
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
    Stream,
    TaskTimeout,
    async_stream_nolink,
    callers,
    kill,
    named,
    open_node,
    process_info,
    processes,
    self_,
    spawn,
    wait_exit,
)
from supervisors import MaxChildren, TaskSupervisor, TaskSupervisorRef, open_supervisor
from tests.conftest import Recorder
from tests.runtime.streaming import (
    channel_of,
    collect,
    double,
    for_ever,
    mixed,
    nap,
    take,
    told,
    values,
)
from tests.supervisors.task_parts import start_tasks, tasks_supervised
from tests.supervisors.tree_parts import say
from tests.support import end_of, in_process, reason_of

BOTH = pytest.mark.parametrize("linked", [True, False])
INPUT = [1, "slow", 5, "exit", "raise", 3, "kill", "normal", "shutdown", 2]
BASE: dict[str, Any] = {"timeout": 0.08, "on_timeout": "kill_task", "max_concurrency": 4}


def maker(supervisor: TaskSupervisorRef, linked: bool) -> Callable[..., Stream[Any, Any]]:
    return supervisor.async_stream if linked else supervisor.async_stream_nolink


def lines(results: list[Ok[Any] | Exited[Any]]) -> list[str]:
    """Results as the OTP trace writes them; a reason with its input as a pair."""
    return [line(result) for result in results]


def line(result: Ok[Any] | Exited[Any]) -> str:
    if isinstance(result, Ok):
        return f"{{ok,{result.value}}}"
    reason = "timeout" if repr(result.reason).startswith("TimedOut") else say(result.reason)
    return f"{{exit,{reason}}}" if result.input is None else f"{{exit,{{{result.input},{reason}}}}}"


# ---------------------------------------------------------------------- oracle 05


async def test_oracle_05_ordered_nolink(node: Node) -> None:
    """STRM-012, 013, 014, 016, 018, 020. differs: Python has no throw."""
    async with tasks_supervised() as supervisor:
        stream = supervisor.async_stream_nolink(INPUT, mixed, **BASE)
        assert lines(await collect(stream)) == [
            "{ok,2}",
            "{exit,timeout}",
            "{ok,10}",
            "{exit,boom}",
            "{exit,error(RuntimeError:bad input)}",
            "{ok,6}",
            "{exit,killed}",
            "{exit,normal}",
            "{exit,{shutdown,early}}",
            "{ok,4}",
        ]
        assert await supervisor.children() == []


async def test_oracle_05_ordered_nolink_with_the_input(node: Node) -> None:
    """STRM-022."""
    async with tasks_supervised() as supervisor:
        stream = supervisor.async_stream_nolink(INPUT, mixed, zip_input_on_exit=True, **BASE)
        assert lines(await collect(stream)) == [
            "{ok,2}",
            "{exit,{slow,timeout}}",
            "{ok,10}",
            "{exit,{exit,boom}}",
            "{exit,{raise,error(RuntimeError:bad input)}}",
            "{ok,6}",
            "{exit,{kill,killed}}",
            "{exit,{normal,normal}}",
            "{exit,{shutdown,{shutdown,early}}}",
            "{ok,4}",
        ]


async def test_oracle_05_unordered(node: Node) -> None:
    """STRM-011."""
    async with tasks_supervised() as supervisor:
        stream = supervisor.async_stream_nolink(INPUT, mixed, ordered=False, **BASE)
        assert sorted(lines(await collect(stream))) == [
            "{exit,boom}",
            "{exit,error(RuntimeError:bad input)}",
            "{exit,killed}",
            "{exit,normal}",
            "{exit,timeout}",
            "{exit,{shutdown,early}}",
            "{ok,10}",
            "{ok,2}",
            "{ok,4}",
            "{ok,6}",
        ]
    assert await values(
        async_stream_nolink([0.15, 0.01, 0.08], nap, ordered=False, max_concurrency=3)
    ) == [0.01, 0.08, 0.15]


async def test_oracle_05_linked(node: Node) -> None:
    """STRM-012, STRM-015."""
    seen: list[Any] = []
    async with tasks_supervised() as supervisor:
        stream = supervisor.async_stream([1, "exit", 2], mixed, **BASE)
        assert lines(await in_process(lambda: collect(stream), trap=True)) == [
            "{ok,2}",
            "{exit,boom}",
            "{ok,4}",
        ]

        async def consume() -> None:
            async with supervisor.async_stream(
                [1, "exit", 2], mixed, max_concurrency=1, timeout=0.08
            ) as results:
                seen.extend(await take(1, results))
                seen.extend(await take(1, results))

        assert await reason_of(consume) == "boom"
        assert lines(seen) == ["{ok,2}"]


async def test_oracle_05_exit_on_timeout(node: Node) -> None:
    """STRM-019."""
    async with tasks_supervised() as supervisor:
        seen: list[Any] = []
        with pytest.raises(TaskTimeout):
            async with supervisor.async_stream_nolink(
                [1, "slow", "slow"], mixed, timeout=0.06, max_concurrency=3
            ) as results:
                seen += await take(1, results)
                await take(1, results)
        assert lines(seen) == ["{ok,2}"]
        assert await supervisor.children() == []


async def test_oracle_05_a_consumer_that_raises(node: Node) -> None:
    """STRM-025."""
    async with tasks_supervised() as supervisor:
        with pytest.raises(RuntimeError, match="consumer"):
            async with supervisor.async_stream_nolink(
                [1, "slow", "slow"], mixed, max_concurrency=3
            ) as results:
                assert lines(await take(1, results)) == ["{ok,2}"]
                raise RuntimeError("consumer")
        assert await supervisor.children() == []


@BOTH
async def test_oracle_05_max_children_below_max_concurrency(node: Node, linked: bool) -> None:
    """STRM-029. differs: the error says what is full, and is an exception of its own."""
    async with tasks_supervised(max_children=1) as supervisor:
        stream = maker(supervisor, linked)(["slow", "slow"], mixed, **BASE)
        with pytest.raises(MaxChildren, match="1"):
            await in_process(lambda: collect(stream))
        assert await supervisor.children() == []


# ---------------------------------------------------------------------- tasks and supervisor


@BOTH
async def test_the_tasks_are_children_of_the_supervisor_and_know_their_consumer(
    node: Node, linked: bool
) -> None:
    async def who(item: object) -> tuple[object, ...]:
        info = process_info(self_())
        assert info is not None
        return info.parent, callers()

    async with tasks_supervised() as supervisor:

        async def consume() -> None:
            (seen,) = await values(maker(supervisor, linked)([1], who))
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
async def test_without_a_supervisor_the_first_step_fails(node: Node, linked: bool) -> None:
    """STRM-030. differs: the consumer gets an error that it can catch."""
    stream = maker(TaskSupervisorRef("nobody"), linked)([1], double)
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


# ---------------------------------------------------------------------- every step


@BOTH
@pytest.mark.parametrize("steps", range(25))
async def test_a_consumer_killed_at_any_step_leaves_nothing(
    node: Node, linked: bool, steps: int
) -> None:
    """Also while the supervisor has its request in hand."""
    async with tasks_supervised() as supervisor:
        stream = maker(supervisor, linked)([1, 1, 1], nap, max_concurrency=2)
        consumer = spawn(collect, stream)
        for _ in range(steps):
            await trio.lowlevel.checkpoint()
        kill(consumer)
        assert await wait_exit(consumer) == Killed()
        assert await supervisor.children() == []
        assert processes() == [supervisor.pid]


@pytest.mark.parametrize("steps", range(25))
async def test_a_supervisor_killed_at_any_step_leaves_nothing(node: Node, steps: int) -> None:
    supervisor = await start_tasks()
    consumer = spawn(collect, supervisor.async_stream_nolink([1, 1, 1], nap, max_concurrency=2))
    for _ in range(steps):
        await trio.lowlevel.checkpoint()
    kill(supervisor)
    reason = await wait_exit(consumer)
    await wait_exit(supervisor)
    assert str(getattr(reason, "exception", "")).startswith("StartTask")
    assert processes() == []


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("steps", range(12))
@pytest.mark.parametrize("source", [list, channel_of])
async def test_steps_cancelled_at_every_tick_lose_no_item_and_start_none_twice(
    source: Callable[[list[int]], Any], steps: int, seed: int
) -> None:
    """An item whose start is cancelled is kept for the next step."""
    trio_run._r.seed(seed)
    begun: list[int] = []

    async def work(number: int) -> int:
        begun.append(number)
        for _ in range(number % 3):
            await trio.lowlevel.checkpoint()
        return number

    async with open_node(instruments=[]):
        supervisor = await start_tasks()
        stream = supervisor.async_stream_nolink(source(list(range(8))), work, max_concurrency=3)
        seen: list[Any] = []
        async with stream as results:
            over, patience = False, steps
            while not over:
                with trio.CancelScope() as scope:
                    async with trio.open_nursery() as nursery:
                        nursery.start_soon(cancel_after, patience, scope)
                        one = await take(1, results)
                        seen += one
                        over = not one
                        nursery.cancel_scope.cancel()
                patience = steps if len(begun) > len(seen) else patience + 1  # a start takes some
        assert sorted(begun) == list(range(8))
        assert seen == [Ok(number) for number in range(8)]
        assert await supervisor.children() == []
        await supervisor.stop()


async def cancel_after(steps: int, scope: trio.CancelScope) -> None:
    for _ in range(steps):
        await trio.lowlevel.checkpoint()
    scope.cancel()


async def test_leaving_the_block_while_another_task_starts_one_leaves_nothing(node: Node) -> None:
    for steps in range(12):
        async with tasks_supervised() as supervisor:
            async with trio.open_nursery() as nursery:
                async with supervisor.async_stream_nolink([1, 2, 3], for_ever) as results:
                    nursery.start_soon(refused_step, results)
                    for _ in range(steps):
                        await trio.lowlevel.checkpoint()
                assert await supervisor.children() == []


async def refused_step(results: Any) -> None:
    """A step that is cut short, or comes too late."""
    with pytest.raises(trio.ClosedResourceError):
        await anext(results)


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


@pytest.mark.parametrize("seed", range(20))
async def test_a_crash_that_is_there_before_its_start_is_known_gives_no_result(seed: int) -> None:
    """STRM-015. The task may have ended before the consumer runs again."""
    trio_run._r.seed(seed)
    seen: list[Any] = []
    async with open_node(instruments=[]):
        supervisor = await start_tasks()

        async def consume() -> None:
            async with supervisor.async_stream(["exit"], mixed) as results:
                seen.append(await anext(results))

        assert await reason_of(consume) == "boom"
        assert seen == []
        await supervisor.stop()
