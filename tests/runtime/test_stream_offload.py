"""Streams of plain functions, in worker threads and worker processes, on the real clock."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio
import trio_parallel  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs]

from runtime import (
    Crashed,
    Exited,
    Node,
    TaskTimeout,
    TimedOut,
    async_stream,
    async_stream_nolink,
    processes,
    to_process,
    to_thread,
)
from tests.runtime.offloaded import RefusedWork, busy_for_ever, die, refuse, times
from tests.runtime.streaming import collect, take, values
from tests.support import in_process

# Virtual time waits for neither.
pytestmark = pytest.mark.real_clock

BOTH = pytest.mark.parametrize("offload", [to_thread, to_process])
PATIENT = 60.0


def is_there(pid: int) -> bool:
    """Whether the system knows this process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@BOTH
async def test_results_and_their_order(node: Node, offload: Callable[..., Any]) -> None:
    for ordered in (True, False):
        stream = async_stream_nolink(
            range(8), offload(times), max_concurrency=2, ordered=ordered, timeout=PATIENT
        )
        results = [number for number, _ in await values(stream)]
        assert sorted(results) == list(range(8))
        assert not ordered or results == list(range(8))


async def test_where_they_run(node: Node) -> None:
    assert {pid for _, pid in await values(async_stream_nolink([1], to_thread(times)))} == {
        os.getpid()
    }
    stream = async_stream_nolink(range(4), to_process(times), max_concurrency=2, timeout=PATIENT)
    assert os.getpid() not in {pid for _, pid in await values(stream)}


@BOTH
async def test_an_error_is_a_result_with_its_input(node: Node, offload: Callable[..., Any]) -> None:
    stream = async_stream(["why"], offload(refuse), zip_input_on_exit=True, timeout=PATIENT)
    (result,) = await in_process(lambda: collect(stream), trap=True)
    assert isinstance(result, Exited)
    assert isinstance(result.reason, Crashed)
    assert isinstance(result.reason.exception, RefusedWork)
    assert result.input == "why"


@BOTH
async def test_an_error_ends_a_linked_consumer(node: Node, offload: Callable[..., Any]) -> None:
    with pytest.raises(RefusedWork, match="why"):
        await in_process(lambda: collect(async_stream(["why"], offload(refuse), timeout=PATIENT)))


async def test_a_worker_that_dies_is_a_failure_of_its_item_alone(node: Node) -> None:
    stream = async_stream_nolink([3], to_process(die), timeout=PATIENT)
    (result,) = await collect(stream)
    assert isinstance(result, Exited)
    assert isinstance(result.reason, Crashed)
    assert isinstance(result.reason.exception, trio_parallel.BrokenWorkerError)
    assert len(await collect(async_stream_nolink([3], to_process(times), timeout=PATIENT))) == 1


async def test_a_process_that_takes_too_long_is_really_killed(node: Node, tmp_path: Path) -> None:
    """STRM-020, with what no thread and no coroutine could be stopped from."""
    await collect(async_stream_nolink([1], to_process(times), timeout=PATIENT))  # a warm worker
    where = tmp_path / "worker"
    stream = async_stream_nolink(
        [where], to_process(busy_for_ever), timeout=2, on_timeout="kill_task"
    )
    assert await collect(stream) == [Exited(TimedOut(2))]
    assert not is_there(int(where.read_text()))


async def test_leaving_the_block_kills_the_workers(node: Node, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    stream = async_stream_nolink([pipe], to_process(busy_for_ever), timeout=PATIENT)
    async with trio.open_nursery() as nursery:
        async with stream as results:
            nursery.start_soon(one_step, results)
            worker = int(await trio.to_thread.run_sync(pipe.read_text, abandon_on_cancel=True))
            assert is_there(worker)
        assert not is_there(worker)


async def one_step(results: Any) -> None:
    """A step that is cut short."""
    with pytest.raises(trio.ClosedResourceError):
        await anext(results)


async def test_a_thread_that_takes_too_long_is_waited_for(node: Node) -> None:
    """Its slot is free when it has returned, and it has timed out all the same."""
    release, begun = threading.Event(), trio.Event()

    def hold(item: int) -> bool:
        trio.from_thread.run_sync(begun.set)
        return release.wait(PATIENT)

    async def let_go() -> None:
        await begun.wait()
        await trio.sleep(0.6)
        assert len(processes()) == 1
        release.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(let_go)
        stream = async_stream_nolink([1], to_thread(hold), timeout=0.5, on_timeout="kill_task")
        assert await collect(stream) == [Exited(TimedOut(0.5))]
        assert release.is_set()
        nursery.cancel_scope.cancel()


async def test_a_thread_is_waited_for_when_the_block_is_left(node: Node) -> None:
    release = threading.Event()
    ended: list[int] = []

    def hold(item: int) -> None:
        assert release.wait(PATIENT)
        ended.append(item)

    async with trio.open_nursery() as nursery:
        with pytest.raises(TaskTimeout):
            async with async_stream_nolink(
                range(5), to_thread(hold), timeout=0.5, max_concurrency=2
            ) as results:
                try:
                    await take(1, results)
                finally:
                    nursery.start_soon(trio.to_thread.run_sync, release.set)
    assert sorted(ended) == [0, 1]
    assert processes() == []


async def test_an_abandoned_thread_is_not_waited_for(node: Node) -> None:
    release = threading.Event()

    def hold(item: int) -> None:
        release.wait(PATIENT)

    stream = async_stream_nolink(
        [1], to_thread(hold, abandon_on_cancel=True), timeout=0.05, on_timeout="kill_task"
    )
    assert await collect(stream) == [Exited(TimedOut(0.05))]
    release.set()
