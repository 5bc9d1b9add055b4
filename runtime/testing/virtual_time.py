"""Tests in virtual time: the clock jumps to the next deadline whenever every task waits."""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from traceback import FrameSummary, StackSummary
from typing import Final, TypeVar

import trio
import trio.testing
from trio.lowlevel import Task, current_root_task, spawn_system_task

T = TypeVar("T")

END_OF_TIME: Final = 4e7
"""Seconds: more than a year. What hangs beside something periodic gets there too, by its steps."""

SHOWN: Final = 5

# Where something waits in these, their caller is what one wants to see.
_OF_OTHERS: Final = {*sys.stdlib_module_names, "pytest_trio", "runtime", "supervisors", "trio"}


def run_in_virtual_time(
    fn: Callable[[], Awaitable[T]],
    *,
    clock: trio.abc.Clock | None = None,
    instruments: Sequence[trio.abc.Instrument] = (),
) -> T:
    """``trio.run(fn)`` on a clock that takes no time; what pytest-trio can be told to run tests by.

    What waits for ever fails with ``trio.TooSlowError`` at the end of virtual time, after more than
    a year: at once, unless something periodic goes on until then. It says who waits where. Real
    input and output, threads and signals need a real clock: virtual time runs past them.
    """
    __tracebackhide__ = True

    async def until_the_end_of_time() -> T:
        __tracebackhide__ = True
        still_waiting: list[str] = []
        with trio.CancelScope() as scope:
            spawn_system_task(_end_time, scope, still_waiting)
            return await fn()
        lines = "".join(f"  {line}\n" for line in still_waiting[:SHOWN])
        raise trio.TooSlowError(
            f"nothing more happens in virtual time, and this still waits:\n{lines}"
            "for a thread, a socket or a program mark the test @pytest.mark.real_clock; "
            "anything else that it waits for never comes"
        )

    virtual = clock or trio.testing.MockClock(autojump_threshold=0)
    return trio.run(until_the_end_of_time, clock=virtual, instruments=instruments)


async def _end_time(scope: trio.CancelScope, still_waiting: list[str]) -> None:
    """Note who waits, before it is cancelled, and whatever the test has called first."""
    await trio.sleep(END_OF_TIME)
    root = current_root_task()
    assert root is not None
    stacks = [stack for task in _tasks(root) if (stack := _users_stack(task))]
    stacks.sort(key=lambda stack: not any(frame.name.startswith("test") for frame in stack))
    still_waiting += [_line(stack[-1]) for stack in stacks]
    scope.cancel()


def _tasks(task: Task) -> Iterator[Task]:
    """A task and all those below it."""
    yield task
    for nursery in task.child_nurseries:
        for child in nursery.child_tasks:
            yield from _tasks(child)


def _users_stack(task: Task) -> StackSummary:
    """Where it waits, as far as that is not in the runtime or in libraries that it knows."""
    frames = (
        (frame, line)
        for frame, line in task.iter_await_frames()
        if frame.f_globals["__name__"].partition(".")[0] not in _OF_OTHERS
    )
    return StackSummary.extract(frames)


def _line(frame: FrameSummary) -> str:
    return f"{os.path.basename(frame.filename)}:{frame.lineno} in {frame.name}: {frame.line}"
