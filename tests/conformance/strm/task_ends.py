"""Rows of STRM about how a task ends, and what that is to the consumer."""

from __future__ import annotations

import traceback
from functools import partial
from typing import Any

import trio

from runtime import (
    Crashed,
    Exited,
    ExitReason,
    Killed,
    Normal,
    Ok,
    ProcessExit,
    Shutdown,
    async_stream,
    async_stream_nolink,
    kill,
    self_,
    spawn_link,
)
from tests.conformance.scenarios import row
from tests.conformance.strm.parts import Crash, my_info, raises
from tests.runtime.streaming import collect
from tests.runtime.tasking import drained
from tests.support import in_process, reason_of


@row("STRM-012")
async def an_exit_is_a_result_in_its_place_and_no_message_to_a_consumer_that_traps() -> None:
    async def consume() -> list[object]:
        results = await collect(async_stream([1, ProcessExit("boom"), 2], raises))
        return [*results, *await drained()]

    assert await in_process(consume, trap=True) == [Ok(1), Exited("boom"), Ok(2)]


@row("STRM-013")
async def a_crash_is_a_result_with_the_exception_and_its_traceback() -> None:
    """differs: what is no exception cannot be thrown; trying to is a crash like any other."""
    error = Crash()

    async def fail(item: Any) -> None:
        raise item

    for make, trap in ((async_stream, True), (async_stream_nolink, False)):
        crash, throw = await in_process(partial(collect, make([error, 5], fail)), trap=trap)
        assert crash == Exited(Crashed(error))
        assert traceback.extract_tb(error.__traceback__)[-1].name == "fail"
        assert isinstance(throw, Exited)
        assert isinstance(throw.reason, Crashed)
        assert repr(throw.reason.exception) == (
            "TypeError('exceptions must derive from BaseException')"
        )


@row("STRM-014")
async def a_normal_exit_is_a_result_and_ends_no_consumer() -> None:
    items = [1, ProcessExit(Normal()), 2]
    for make, trap in ((async_stream, False), (async_stream, True), (async_stream_nolink, False)):
        stream = make(items, raises, max_concurrency=1)
        results = await in_process(partial(collect, stream), trap=trap)
        assert results == [Ok(1), Exited(Normal()), Ok(2)]


@row("STRM-015")
async def a_linked_consumer_that_does_not_trap_dies_with_its_task() -> None:
    error = Crash()
    ends: list[tuple[BaseException, ExitReason]] = [
        (ProcessExit(Shutdown()), Shutdown()),
        (ProcessExit("boom"), "boom"),
        (error, Crashed(error)),
    ]
    for item, reason in ends:
        seen: list[object] = []

        async def consume(item: BaseException = item, seen: list[object] = seen) -> None:
            async with async_stream([1, item, 2], raises, max_concurrency=1) as results:
                seen.append(await anext(results))
                seen.append(await anext(results))

        assert await reason_of(consume) == reason
        assert seen == [Ok(1)]


@row("STRM-016")
async def a_task_that_kills_itself_is_a_result() -> None:
    async def work(item: object) -> None:
        kill(self_())
        await trio.sleep_forever()

    for make, trap in ((async_stream, True), (async_stream_nolink, False)):
        stream = make([1], work)
        assert await in_process(partial(collect, stream), trap=trap) == [Exited(Killed())]


@row("STRM-017")
async def a_task_taken_down_by_a_link_ends_with_that_reason() -> None:
    error = Crash()

    async def work(item: object) -> None:
        spawn_link(raises, error)
        await trio.sleep_forever()

    async def consume() -> list[object]:
        return [*await collect(async_stream([1], work)), *await drained()]

    assert await in_process(consume, trap=True) == [Exited(Crashed(error))]


@row("STRM-018")
async def without_links_a_crash_is_a_result_and_the_consumer_lives() -> None:
    error = Crash()

    async def consume() -> list[object]:
        results = await collect(async_stream_nolink([1, error, 2], raises))
        assert not my_info().trap_exits
        return [*results, *await drained()]

    assert await in_process(consume) == [Ok(1), Exited(Crashed(error)), Ok(2)]
