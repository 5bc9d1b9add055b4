"""What the end of a task means for the consumer, and the end of the consumer for the tasks."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest
import trio
import trio._core._run as trio_run
from trio.testing import wait_all_tasks_blocked

from runtime import (
    Exit,
    Exited,
    Killed,
    Node,
    Normal,
    Ok,
    Pid,
    ProcessCrashed,
    ProcessExit,
    ReceiveTimeout,
    Shutdown,
    async_stream,
    async_stream_nolink,
    exit,
    kill,
    open_node,
    process_info,
    processes,
    receive,
    self_,
    spawn,
    spawn_link,
    trap_exits,
    wait_exit,
)
from runtime.current import current_process
from tests.conftest import Recorder
from tests.runtime.streaming import collect, for_ever, mixed, nap, take
from tests.support import end_of, in_process, reason_of

BOTH = pytest.mark.parametrize("make", [async_stream, async_stream_nolink])


async def mailbox() -> list[object]:
    """What is in the mailbox of this process."""
    found: list[object] = []
    try:
        while True:
            found.append(await receive(timeout=0))
    except ReceiveTimeout:
        return found


# ---------------------------------------------------------------------- the ends of tasks


@BOTH
async def test_an_exit_is_a_result_in_its_place(node: Node, make: Callable[..., Any]) -> None:
    """STRM-012, STRM-018. No message about it is left."""

    async def consume() -> tuple[list[Any], list[object]]:
        results = await collect(make([1, "exit", 2], mixed, max_concurrency=3))
        return results, await mailbox()

    trap = make is async_stream
    results, left = await in_process(consume, trap=trap)
    assert results == [Ok(2), Exited("boom"), Ok(4)]
    assert left == []


@pytest.mark.parametrize(
    ("item", "reason"), [("shutdown", Shutdown("early")), ("exit", "boom"), ("kill", Killed())]
)
async def test_an_abnormal_end_of_a_linked_task_ends_a_consumer_that_does_not_trap(
    node: Node, item: str, reason: object
) -> None:
    """STRM-015. No result says so instead: what follows never sees one."""
    seen: list[object] = []

    async def consume() -> None:
        async with async_stream([1, item, 2], mixed, max_concurrency=1) as results:
            seen.append(await anext(results))
            seen.append(await anext(results))

    assert await reason_of(consume) == reason
    assert seen == [Ok(2)]


@BOTH
async def test_a_task_taken_down_by_a_link_of_its_own_is_a_result(
    node: Node, make: Callable[..., Any]
) -> None:
    """STRM-017."""

    async def fail() -> None:
        raise ProcessExit("helper")

    async def work(item: object) -> None:
        spawn_link(fail)
        await trio.sleep_forever()

    assert await in_process(lambda: collect(make([1], work)), trap=True) == [Exited("helper")]


async def test_a_task_ended_by_a_stranger_is_a_result(node: Node) -> None:
    async def work(number: int) -> None:
        if number == 1:
            exit(self_(), "why not")
        await trio.sleep(1)

    results = await collect(async_stream_nolink([0, 1, 2], work, max_concurrency=3))
    assert results == [Ok(None), Exited("why not"), Ok(None)]


@pytest.mark.parametrize("seed", range(20))
async def test_a_crash_gives_no_result_to_a_consumer_that_was_woken_by_another_end(
    seed: int,
) -> None:
    """STRM-015. Two tasks end in one tick, and the first result would be that of the crash."""
    trio_run._r.seed(seed)
    seen: list[object] = []
    async with open_node(instruments=[]):

        async def work(item: int) -> int:
            if item == 0:
                raise ProcessExit("boom")
            return item

        async def consume() -> None:
            async with async_stream([0, 1], work, max_concurrency=2) as results:
                seen.append(await anext(results))

        assert await reason_of(consume) == "boom"
        assert seen == []


async def test_a_crash_counts_while_the_consumer_is_busy_elsewhere(node: Node) -> None:
    """It ends a linked consumer that works at the result before, at its next checkpoint."""

    async def consume() -> None:
        async with async_stream([1, "exit"], mixed, max_concurrency=2) as results:
            assert await anext(results) == Ok(2)
            await trio.sleep(60)

    assert await reason_of(consume) == "boom"
    assert trio.current_time() < 10


async def test_whether_the_consumer_traps_is_asked_when_the_task_ends(node: Node) -> None:
    async def consume() -> list[Any]:
        async with async_stream(["exit"], mixed) as results:
            trap_exits()
            return [result async for result in results]

    assert await in_process(consume) == [Exited("boom")]


async def test_a_trapping_consumer_still_gets_the_signals_of_others(node: Node) -> None:
    """STRM-012."""

    async def consume() -> tuple[list[Any], list[object]]:
        exit(self_(), "from outside")
        results = await collect(async_stream(["exit", 1], mixed))
        return results, await mailbox()

    results, left = await in_process(consume, trap=True)
    assert results == [Exited("boom"), Ok(2)]
    assert [type(message) for message in left] == [Exit]


# ---------------------------------------------------------------------- the end of the consumer


async def started_by(consumer: Pid) -> list[Pid]:
    """The processes whose first ancestor it is."""
    await wait_all_tasks_blocked()
    infos = [process_info(pid) for pid in processes()]
    return [info.pid for info in infos if info is not None and consumer in info.ancestors]


@BOTH
@pytest.mark.parametrize("end", [kill, lambda pid: exit(pid, "bye")])
async def test_the_end_of_the_consumer_ends_its_tasks_first(
    node: Node, events: Recorder, make: Callable[..., Any], end: Callable[[Pid], None]
) -> None:
    """STRM-031. STRM-032 differs: leaving the block ends tasks that are not linked as well. What
    the stream itself ends is reported as nobody's crash.
    """
    consumer = spawn(collect, make([1, 2, 3], for_ever, max_concurrency=2))
    tasks = await started_by(consumer)
    assert len(tasks) == 2
    end(consumer)
    await wait_exit(consumer)
    assert processes() == []
    assert [end_of(events, task) for task in tasks] == [Killed(), Killed()]
    assert {event.pid for event in events.of(ProcessCrashed)} <= {consumer}


async def test_tasks_that_take_their_time_to_end_are_waited_for(node: Node) -> None:
    """Leaving the block waits, whatever is cancelled around it."""
    log: list[str] = []

    async def stubborn(number: int) -> None:
        try:
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(number)
            log.append(f"{number} ended")

    consumer = spawn(collect, async_stream_nolink([3, 1, 2], stubborn, max_concurrency=3))
    await wait_all_tasks_blocked()
    kill(consumer)
    await wait_exit(consumer)
    assert trio.current_time() == pytest.approx(3)
    assert log == ["1 ended", "2 ended", "3 ended"]
    assert processes() == []


async def test_tasks_that_trap_exits_are_killed_all_the_same(node: Node) -> None:
    async def trapping(item: object) -> None:
        trap_exits()
        await trio.sleep_forever()

    async with async_stream_nolink([1, 2], trapping, max_concurrency=2) as results:
        with trio.move_on_after(1):
            await anext(results)
        assert len(processes()) == 2
    assert processes() == []


@BOTH
async def test_a_consumer_whose_error_leaves_the_block_leaves_nothing(
    node: Node, make: Callable[..., Any]
) -> None:
    """STRM-025. The error is as it was raised, after the tasks are gone."""
    error = RuntimeError("consumer")

    async def consume() -> None:
        with pytest.raises(RuntimeError) as caught:
            async with make([0.5, 10, 10], nap, timeout=60, max_concurrency=3) as results:
                async for _ in results:
                    raise error
        assert caught.value is error
        assert processes() == [self_()]
        assert await mailbox() == []

    await in_process(consume)


@BOTH
async def test_taking_fewer_leaves_links_and_mailbox_as_they_were(
    node: Node, make: Callable[..., Any]
) -> None:
    """STRM-008, STRM-028."""

    async def consume() -> None:
        async with make([0.5, 10, 10, 10], nap, timeout=60, max_concurrency=3) as results:
            assert await take(1, results) == [Ok(0.5)]
        me = current_process()
        assert me is not None
        assert (me.links.linked(), me.claims or {}, me.waiting_for) == ((), {}, None)
        assert processes() == [self_()]
        assert await mailbox() == []

    await in_process(consume)


async def test_a_consumer_that_ends_without_leaving_the_block_takes_linked_tasks_along(
    node: Node,
) -> None:
    """STRM-031. A generator that nobody closes keeps the block open beyond the end."""

    async def results_of() -> AsyncGenerator[object]:
        async with async_stream([0, 0, 60, 60], nap, max_concurrency=4) as results:
            async for result in results:
                yield result

    kept: list[AsyncGenerator[object]] = []

    async def consume() -> None:
        kept.append(results_of())
        assert await anext(kept[0]) == Ok(0)
        assert len(processes()) == 3

    assert await reason_of(consume) == Normal()
    await wait_all_tasks_blocked()
    assert processes() == []
    await kept[0].aclose()


@BOTH
@pytest.mark.parametrize("steps", range(12))
async def test_a_consumer_killed_at_any_step_around_the_end_of_a_task_leaves_nothing(
    node: Node, make: Callable[..., Any], steps: int
) -> None:
    consumer = spawn(collect, make([1, 1], nap, max_concurrency=1))
    await trio.sleep(1)
    for _ in range(steps):
        await trio.lowlevel.checkpoint()
    kill(consumer)
    assert await wait_exit(consumer) == Killed()
    assert trio.current_time() < 2
    assert processes() == []
