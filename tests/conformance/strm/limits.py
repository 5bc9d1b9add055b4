"""Rows of STRM about the time that a task has, and about options that are wrong."""

from __future__ import annotations

import math
from typing import Any

import pytest
import trio

from runtime import (
    Crashed,
    Exited,
    Killed,
    Normal,
    Ok,
    ProcessExit,
    TaskTimeout,
    TimedOut,
    async_stream,
    async_stream_nolink,
    processes,
    self_,
)
from supervisors import TaskSupervisorRef
from tests.conformance.scenarios import row
from tests.conformance.strm.parts import Crash, ends
from tests.conftest import Recorder
from tests.runtime.streaming import collect, double, nap
from tests.runtime.tasking import drained
from tests.support import in_process, reason_of


@row("STRM-019")
async def a_task_that_takes_too_long_takes_its_consumer_down_unless_that_catches_it(
    events: Recorder,
) -> None:
    seen: list[object] = []

    async def consume() -> None:
        async with async_stream([0.5, 9, 9], nap, timeout=1, max_concurrency=3) as results:
            seen.append(await anext(results))
            seen.append(await anext(results))

    async def catch() -> None:
        with pytest.raises(TaskTimeout) as caught:
            await consume()
        assert caught.value.timeout == 1
        assert processes() == [self_()]
        assert await drained() == []

    await in_process(catch)
    assert ends(events) == [Normal(), Killed(), Killed(), Normal()]
    reason = await reason_of(consume)
    assert isinstance(reason, Crashed)
    assert isinstance(reason.exception, TaskTimeout)
    assert (seen, processes()) == ([Ok(0.5)] * 2, [])
    assert trio.current_time() == 2


@row("STRM-020")
async def or_it_is_killed_and_that_is_its_result() -> None:
    async def consume() -> list[object]:
        stream = async_stream(
            [0.5, 9, 0.7], nap, timeout=1, on_timeout="kill_task", max_concurrency=3
        )
        results = await collect(stream)
        assert processes() == [self_()]
        return [*results, *await drained()]

    assert await in_process(consume) == [Ok(0.5), Exited(TimedOut(1)), Ok(0.7)]
    assert trio.current_time() == 1


@row("STRM-021")
async def the_time_of_a_task_runs_from_its_own_start() -> None:
    stream = async_stream_nolink([0.75] * 4, nap, max_concurrency=1, timeout=1)
    assert await collect(stream) == [Ok(0.75)] * 4
    assert trio.current_time() == 3
    stream = async_stream_nolink(
        [0.75, 9], nap, max_concurrency=1, timeout=1, on_timeout="kill_task"
    )
    assert await collect(stream) == [Ok(0.75), Exited(TimedOut(1))]
    assert trio.current_time() == 3 + 0.75 + 1


@row("STRM-022")
async def a_failure_has_its_item_if_that_is_asked_for() -> None:
    error = Crash()

    async def work(item: str) -> str:
        if item == "crash":
            raise error
        if item == "exit":
            raise ProcessExit("boom")
        await trio.sleep(9 if item == "slow" else 0)
        return item

    stream = async_stream_nolink(
        ["fine", "crash", "exit", "slow"],
        work,
        timeout=1,
        on_timeout="kill_task",
        zip_input_on_exit=True,
    )
    assert await collect(stream) == [
        Ok("fine"),
        Exited(Crashed(error), "crash"),
        Exited("boom", "exit"),
        Exited(TimedOut(1), "slow"),
    ]


@row("STRM-023")
async def an_infinite_time_is_none() -> None:
    assert await collect(async_stream_nolink([1e6, 1], nap, timeout=math.inf)) == [Ok(1e6), Ok(1)]


@row("STRM-024")
async def a_wrong_option_is_refused_when_the_stream_is_built() -> None:
    wrong: list[tuple[str, object, str]] = [
        ("max_concurrency", 0, "got 0, allowed are an int of 1 or more and None"),
        ("on_timeout", "later", "got 'later', allowed are 'exit', 'kill_task'"),
        ("timeout", -1, "got -1, allowed is 0 or more seconds"),
    ]
    for make in (async_stream, async_stream_nolink, TaskSupervisorRef("tasks").async_stream):
        for option, value, text in wrong:
            given: dict[str, Any] = {option: value}
            with pytest.raises(ValueError, match=f"^{option}: {text}"):
                make([1], double, **given)
    with pytest.raises(ValueError, match=r"^shutdown: got -1, allowed is 0 or more seconds"):
        TaskSupervisorRef("tasks", shutdown=-1)
