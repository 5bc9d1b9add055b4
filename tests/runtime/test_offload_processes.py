"""Worker processes: what runs in them, how they end, and that none is left."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import trio
import trio_parallel  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs]

from runtime import Crashed, Node, kill, spawn, wait_exit
from runtime.offload import to_process
from tests.runtime.offloaded import RefusedWork, busy_for_ever, die, refuse, times

# Virtual time does not wait for processes.
pytestmark = pytest.mark.real_clock


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    """A named pipe: who reads it waits for who writes it."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


async def written_to(pipe: Path) -> int:
    """The process that has written itself down."""
    return int(await trio.to_thread.run_sync(pipe.read_text, abandon_on_cancel=True))


def is_there(pid: int) -> bool:
    """Whether the system knows this process, if only as one that nobody has waited for."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


# ---------------------------------------------------------------------- what runs


async def test_a_function_runs_in_a_process_of_its_own_which_is_kept_for_the_next() -> None:
    result, where = await to_process(times)(3, by=4)
    assert result == 12
    assert where != os.getpid()
    assert is_there(where)
    assert await to_process(partial(times, by=5))(3) == (15, where)


async def test_what_a_function_raises_in_a_process_is_raised() -> None:
    with pytest.raises(RefusedWork, match="no") as caught:
        await to_process(refuse)("no")
    assert caught.traceback[-1].name == "refuse"


async def test_a_limiter_bounds_how_many_processes_are_busy() -> None:
    limiter = trio.CapacityLimiter(1)
    somebody = object()
    await limiter.acquire_on_behalf_of(somebody)
    with trio.move_on_after(0.05) as scope:
        await to_process(times, limiter=limiter)(1)
    assert scope.cancelled_caught
    limiter.release_on_behalf_of(somebody)
    assert (await to_process(times, limiter=limiter)(1))[0] == 1


def nested() -> Callable[[], None]:
    def inside() -> None: ...

    return inside


@pytest.mark.parametrize("fn", [lambda: None, nested(), threading.Lock().locked])
def test_a_function_that_cannot_be_imported_is_refused(fn: Callable[[], object]) -> None:
    with pytest.raises(TypeError, match=r"^fn: got .*, allowed is a function that a worker"):
        to_process(fn)


def test_it_is_no_decorator() -> None:
    """The name would lead to the async function, and no worker would find the plain one."""
    with pytest.raises(TypeError, match="one at the top of a module, under its own name"):

        @to_process
        def work() -> None: ...


async def test_arguments_that_cannot_be_pickled_are_the_callers_error() -> None:
    with pytest.raises(AttributeError, match="Can't pickle local object"):
        await to_process(times)(nested())  # type: ignore[arg-type]


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "trio_parallel", None)
    with pytest.raises(ImportError, match=r"pip install 'trio-otp\[processes\]'$"):
        to_process(times)


# ---------------------------------------------------------------------- the end


async def test_cancelling_kills_the_worker_whatever_it_is_doing(pipe: Path) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(to_process(busy_for_ever), pipe)
        worker = await written_to(pipe)
        assert is_there(worker)
        nursery.cancel_scope.cancel()
    assert not is_there(worker)


async def test_killing_a_process_kills_its_worker_first(node: Node, pipe: Path) -> None:
    pid = spawn(to_process(busy_for_ever), pipe)
    worker = await written_to(pipe)
    kill(pid)
    await wait_exit(pid)
    assert not is_there(worker)


async def test_a_worker_that_dies_crashes_the_process_and_nothing_else(node: Node) -> None:
    reason = await wait_exit(spawn(to_process(die), 3))
    assert isinstance(reason, Crashed)
    assert isinstance(reason.exception, trio_parallel.BrokenWorkerError)
    assert (await to_process(times)(3))[0] == 3


async def test_cancelled_before_it_began_it_leaves_no_worker() -> None:
    with trio.CancelScope() as scope:
        scope.cancel()
        await to_process(times)(3)
    assert scope.cancelled_caught
    assert multiprocessing.active_children() == []


async def test_two_that_come_first_at_once_both_get_a_worker() -> None:
    results: list[int] = []

    async def run(number: int) -> None:
        results.append((await to_process(times)(number))[0])

    async with trio.open_nursery() as nursery:
        for number in range(2):
            nursery.start_soon(run, number)
    assert sorted(results) == [0, 1]


def test_no_worker_outlives_the_run() -> None:
    async def use() -> int:
        return (await to_process(times)(1))[1]

    workers = [trio.run(use), trio.run(use)]
    assert workers[0] != workers[1]
    assert not any(map(is_there, workers))
    assert multiprocessing.active_children() == []


def test_a_worker_that_died_while_idle_does_not_disturb_the_end_of_the_run() -> None:
    async def use_and_kill() -> int:
        await to_process(times)(1)
        (worker,) = multiprocessing.active_children()
        worker.terminate()
        await trio.lowlevel.wait_readable(worker.sentinel)
        assert worker.pid is not None
        return worker.pid

    assert not is_there(trio.run(use_and_kill))
