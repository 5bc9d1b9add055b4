"""Rows of STRM about its end before its time: what becomes of tasks, source and consumer."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import aclosing
from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from runtime import (
    CallExit,
    Crashed,
    Killed,
    NoProcess,
    Normal,
    Ok,
    Pid,
    ProcessEnded,
    async_stream,
    async_stream_nolink,
    kill,
    processes,
    self_,
    send,
    spawn,
    spawn_link,
    wait_exit,
)
from supervisors import MaxChildren, TaskSupervisorRef
from tests.conformance.scenarios import row
from tests.conformance.strm.parts import Crash, ends, my_info
from tests.conftest import Recorder
from tests.runtime.streaming import collect, nap, take, told, told_later
from tests.runtime.tasking import drained
from tests.supervisors.task_parts import start_tasks, tasks_supervised
from tests.support import end_of, in_process


async def stubborn(seconds: float) -> float:
    """Nothing to zero; anything else is slow to end, too."""
    try:
        await trio.sleep(seconds)
    finally:
        if seconds:
            with trio.CancelScope(shield=True):
                await trio.sleep(3)
    return seconds


@row("STRM-025")
async def what_the_consumer_raises_propagates_when_the_tasks_are_killed_and_gone(
    events: Recorder,
) -> None:
    error = Crash()

    async def consume() -> None:
        with pytest.raises(Crash) as caught:
            async with async_stream([0, 60, 60], stubborn, max_concurrency=3) as results:
                async for result in results:
                    assert result == Ok(0)
                    raise error
        assert caught.value is error
        assert ends(events) == [Normal(), Killed(), Killed()]
        assert trio.current_time() == 3

    await in_process(consume)


@row("STRM-026")
async def what_the_source_raises_propagates_and_the_tasks_are_killed(events: Recorder) -> None:
    error = Crash()

    def source() -> Generator[int]:
        yield from (60, 60)
        raise error

    async def consume() -> None:
        with pytest.raises(Crash) as caught:
            await collect(async_stream(source(), nap, max_concurrency=3))
        assert caught.value is error
        assert ends(events) == [Killed(), Killed()]

    await in_process(consume)
    assert trio.current_time() == 0


@row("STRM-027")
async def the_source_cleans_up_once_at_the_end_as_when_it_is_left() -> None:
    log: list[str] = []

    def nested() -> Generator[int]:
        try:
            yield from told([1, 2, 3], log)
        finally:
            log.append("outer closed")

    async def nested_later() -> AsyncGenerator[int]:
        try:
            async with aclosing(told_later([1, 2, 3], log)) as inner:
                async for item in inner:
                    yield item
        finally:
            log.append("outer closed")

    for source in (nested, nested_later):
        for wanted, pulled in ((9, 3), (2, 2)):
            log.clear()
            async with async_stream_nolink(source(), nap, max_concurrency=1) as results:
                assert len(await take(wanted, results)) == pulled
            numbers = range(1, pulled + 1)
            assert log == [*[f"pulled {n}" for n in numbers], "closed", "outer closed"]


@row("STRM-028")
async def who_takes_fewer_is_left_with_its_own_links_and_messages(events: Recorder) -> None:
    async def consume() -> None:
        friend = spawn_link(trio.sleep_forever)
        send(self_(), "mine")
        before = my_info()
        async with async_stream([1, 60, 60, 60], nap, timeout=90, max_concurrency=3) as results:
            assert await take(1, results) == [Ok(1)]
        after = my_info()
        assert ends(events) == [Normal(), Killed(), Killed()]
        assert after.links == before.links == (friend,)
        assert after.monitors == after.monitored_by == ()
        assert await drained() == ["mine"]

    await in_process(consume)


@row("STRM-029")
async def a_supervisor_with_too_few_places_is_an_error_in_the_consumer() -> None:
    async with tasks_supervised(max_children=1) as tasks:
        for make in (tasks.async_stream, tasks.async_stream_nolink):

            async def consume(make: Callable[..., Any] = make) -> None:
                with pytest.raises(MaxChildren):
                    await collect(make([1, 1], nap, max_concurrency=2))
                assert processes() == [tasks.pid, self_()]
                assert await drained() == []

            await in_process(consume)
    assert trio.current_time() == 0


@row("STRM-030")
async def when_the_supervisor_has_died_the_next_start_takes_the_consumer_down() -> None:
    """differs: it is an error that is raised, which a consumer that does not trap may catch too."""
    tasks: TaskSupervisorRef = await start_tasks()
    seen: list[object] = []

    async def consume() -> None:
        stream = tasks.async_stream_nolink([1, 60, 60], nap, max_concurrency=2, timeout=90)
        async with stream as results:
            async for result in results:
                seen.append(result)
                await trio.sleep(10)

    async def catch() -> None:
        with pytest.raises(CallExit) as caught:
            await consume()
        assert caught.value.reason == NoProcess()

    goes_down, catches = spawn(consume), spawn(catch)
    await trio.sleep(5)
    kill(tasks)
    reason = await wait_exit(goes_down)
    assert isinstance(reason, Crashed)
    assert isinstance(reason.exception, CallExit)
    assert reason.exception.reason == NoProcess()
    await wait_exit(catches)
    assert (seen, processes()) == ([Ok(1), Ok(1)], [])


async def one_slow_task(make: Callable[..., Any]) -> tuple[Pid, Pid, list[str]]:
    """A consumer, the task of its stream, and what the task has done."""
    log: list[str] = []

    async def work(item: object) -> None:
        await trio.sleep(3)
        log.append("finished")

    consumer = spawn(collect, make([1], work))
    await wait_all_tasks_blocked()
    _, task = processes()
    return consumer, task, log


@row("STRM-031")
async def a_killed_consumer_takes_linked_tasks_along(events: Recorder) -> None:
    consumer, task, log = await one_slow_task(async_stream)
    kill(consumer)
    await wait_exit(task)
    assert (end_of(events, task), log) == (Killed(), [])
    await wait_exit(consumer)
    assert end_of(events, consumer) == Killed()


@row("STRM-032")
async def a_killed_consumer_takes_tasks_along_that_are_not_linked(events: Recorder) -> None:
    """differs: such a task is killed, and waited for; in OTP it finishes."""
    consumer, task, log = await one_slow_task(async_stream_nolink)
    kill(consumer)
    await wait_exit(consumer)
    assert [(event.pid, event.reason) for event in events.of(ProcessEnded)] == [
        (task, Killed()),
        (consumer, Killed()),
    ]
    await trio.sleep(10)
    assert log == []
