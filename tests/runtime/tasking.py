"""What the tests of tasks share: functions that end in all ways, and a look at the mailbox."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import trio

from runtime import (
    ExitReason,
    Pid,
    ProcessExit,
    ReceiveTimeout,
    Task,
    receive,
    trap_exits,
    wait_exit,
)

T = TypeVar("T")


class Boom(Exception):
    """What the tasks of these tests crash with."""


async def give(value: T) -> T:
    """Return at once."""
    return value


async def after(seconds: float, value: T) -> T:
    """Return later."""
    await trio.sleep(seconds)
    return value


async def forever() -> None:
    """Run until it is ended."""
    await trio.sleep_forever()


async def crash(seconds: float = 0.0) -> None:
    """Raise, at once or later."""
    await trio.sleep(seconds)
    raise Boom


async def end_as(reason: ExitReason, seconds: float = 0.0) -> None:
    """End with this reason, at once or later."""
    await trio.sleep(seconds)
    raise ProcessExit(reason)


async def stubborn() -> None:
    """Trap exits and go on for ever."""
    trap_exits()
    await trio.sleep_forever()


async def last_words(fn: Callable[[], Awaitable[T]]) -> T:
    """Trap exits; when told to end, do this."""
    trap_exits()
    await receive()
    return await fn()


async def drained() -> list[object]:
    """What is in the calling process's mailbox; it is empty then."""
    found: list[object] = []
    while True:
        try:
            found.append(await receive(timeout=0))
        except ReceiveTimeout:
            return found


def pid_of(task: Task[object]) -> Pid:
    """The pid of its process."""
    assert task.pid is not None
    return task.pid


async def gone(task: Task[object]) -> ExitReason:
    """Wait for its process to be dead."""
    return await wait_exit(pid_of(task))
