"""Plain functions as async ones: what both kinds of workers have in common, and threads."""

from __future__ import annotations

import contextvars
import inspect
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import trio
import trio.testing

from runtime import (
    Crashed,
    Node,
    Normal,
    Pid,
    child_spec,
    exit,
    is_alive,
    self_,
    spawn,
    start,
    wait_exit,
)
from runtime.offload import to_process, to_thread
from tests.runtime.offloaded import times
from tests.support import in_process

# Virtual time does not wait for threads.
pytestmark = pytest.mark.real_clock

BOTH = pytest.mark.parametrize("offload", [to_thread, to_process])

request_id: contextvars.ContextVar[str] = contextvars.ContextVar("request_id", default="unset")


def raise_(error: BaseException) -> None:
    raise error


async def later() -> None: ...


class Plain:
    def __call__(self, number: int) -> int:
        return number + 1


# ---------------------------------------------------------------------- both


@BOTH
def test_the_result_is_an_async_function_with_the_name_and_parameters_of_the_function(
    offload: Callable[..., Any],
) -> None:
    offloaded = offload(times)
    assert inspect.iscoroutinefunction(offloaded)
    assert (offloaded.__name__, offloaded.__doc__) == ("times", times.__doc__)
    assert inspect.signature(offloaded) == inspect.signature(times)
    spec = child_spec(offloaded, 3)
    assert spec.id == "times"
    with pytest.raises(TypeError, match=r"^arguments of times: missing a required argument"):
        child_spec(offloaded)


@BOTH
def test_a_partial_and_a_callable_object_have_a_name_too(offload: Callable[..., Any]) -> None:
    assert child_spec(offload(partial(times, by=2)), 3).id == "times"
    assert child_spec(offload(Plain()), 3).id == "Plain"
    assert str(inspect.signature(offload(partial(times, 3)))) == (
        "(*, by: 'int' = 1) -> 'tuple[int, int]'"
    )


@BOTH
def test_a_function_that_does_not_say_what_it_takes_is_fine(offload: Callable[..., Any]) -> None:
    spec = child_spec(offload(time.sleep), 3)
    assert spec.id == "sleep"


@BOTH
@pytest.mark.parametrize("fn", [later, partial(later)])
def test_async_functions_are_refused(offload: Callable[..., Any], fn: object) -> None:
    with pytest.raises(TypeError, match=r"^fn: got .*, an async function; it needs no worker"):
        offload(fn)


@BOTH
@pytest.mark.parametrize("fn", [None, 5, "times"])
def test_what_is_no_function_is_refused(offload: Callable[..., Any], fn: object) -> None:
    with pytest.raises(TypeError, match=r"^fn: got .*, allowed is a plain function, not called"):
        offload(fn)


@BOTH
@pytest.mark.parametrize("limiter", [5, True, trio.Semaphore(1)])
def test_a_wrong_limiter_is_refused(offload: Callable[..., Any], limiter: object) -> None:
    with pytest.raises(TypeError, match=r"^limiter: got .*, allowed are a trio.CapacityLimiter"):
        offload(times, limiter=limiter)


def reports_its_start(task_status: trio.TaskStatus[None]) -> None:
    task_status.started()


@BOTH
def test_a_function_that_would_report_its_start_is_refused(offload: Callable[..., Any]) -> None:
    """From another thread that would reach into the node's own."""
    with pytest.raises(TypeError, match="takes task_status; a worker cannot use it"):
        offload(reports_its_start)


# ---------------------------------------------------------------------- threads


async def test_a_function_runs_in_a_worker_thread_with_its_arguments() -> None:
    def where(*args: int, by: int) -> tuple[int, int, int]:
        return threading.get_ident(), sum(args), by

    thread, total, by = await to_thread(where)(1, 2, by=3)
    assert thread != threading.get_ident()
    assert (total, by) == (3, 3)


async def test_what_a_function_raises_in_a_thread_is_raised() -> None:
    error = ValueError("boom")
    with pytest.raises(ValueError, match="boom") as caught:
        await to_thread(raise_)(error)
    assert caught.value is error


async def test_a_limiter_bounds_how_many_threads_run() -> None:
    limiter = trio.CapacityLimiter(1)
    both_in = threading.Barrier(2)

    def meet() -> bool:
        try:
            both_in.wait(timeout=0.05)
        except threading.BrokenBarrierError:
            return False
        return True

    results: list[bool] = []

    async def run() -> None:
        results.append(await to_thread(meet, limiter=limiter)())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(run)
        nursery.start_soon(run)
    assert results == [False, False]


@pytest.mark.parametrize("value", [None, 1, "yes"])
def test_abandon_on_cancel_is_a_bool(value: Any) -> None:
    with pytest.raises(TypeError, match=r"^abandon_on_cancel: got .*, allowed are True and False"):
        to_thread(times, abandon_on_cancel=value)


class Work:
    """A function that is let go from outside."""

    def __init__(self) -> None:
        self.running = trio.Event()
        self.may_end = threading.Event()
        self.ended = threading.Event()

    def __call__(self) -> str:
        trio.from_thread.run_sync(self.running.set)
        assert self.may_end.wait(timeout=30)
        self.ended.set()
        return "done"


async def test_cancelling_waits_for_the_thread() -> None:
    work = Work()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(to_thread(work))
        await work.running.wait()
        nursery.cancel_scope.cancel()
        with trio.CancelScope(shield=True):
            await trio.testing.wait_all_tasks_blocked()
        assert len(nursery.child_tasks) == 1
        assert not work.ended.is_set()
        work.may_end.set()
    assert work.ended.is_set()


async def test_cancelling_may_leave_the_thread_to_itself() -> None:
    work = Work()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(to_thread(work, abandon_on_cancel=True))
        await work.running.wait()
        nursery.cancel_scope.cancel()
    assert not work.ended.is_set()
    work.may_end.set()
    assert await trio.to_thread.run_sync(partial(work.ended.wait, timeout=30))


async def test_a_process_ends_when_its_thread_has(node: Node) -> None:
    work = Work()
    pid = spawn(to_thread(work))
    await work.running.wait()
    exit(pid, "enough")
    await trio.testing.wait_all_tasks_blocked()
    assert is_alive(pid)
    work.may_end.set()
    assert await wait_exit(pid) == "enough"
    assert work.ended.is_set()


async def test_in_a_thread_the_context_is_that_of_the_process(node: Node) -> None:
    def here() -> tuple[Pid, str]:
        return trio.from_thread.run_sync(self_), request_id.get()

    async def body() -> tuple[Pid, str, Pid]:
        request_id.set("r1")
        return (*await to_thread(here)(), self_())

    in_thread, request, own = await in_process(body)
    assert in_thread is own
    assert request == "r1"


async def test_a_child_that_is_a_thread_is_done_when_the_function_is(node: Node) -> None:
    results: list[int] = []
    ref = await start(child_spec(to_thread(results.append), 5))
    assert await wait_exit(ref.pid) == Normal()
    assert results == [5]


async def test_a_child_whose_thread_raises_has_crashed(node: Node) -> None:
    error = ValueError("boom")
    assert await wait_exit(spawn(to_thread(raise_), error)) == Crashed(error)
