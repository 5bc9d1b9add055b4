"""Small helpers of the tests: run code as a process, and a server that does what it is told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Iterable
from contextlib import contextmanager
from typing import Any, TypeVar

import msgspec
import structlog
import structlog.testing
import trio

from runtime import (
    Call,
    Cast,
    Crashed,
    Event,
    ExitReason,
    GenServer,
    NoProcess,
    Pid,
    ProcessEnded,
    Ref,
    ReplyTo,
    kill,
    spawn,
    trap_exits,
    wait_exit,
)

T = TypeVar("T")


async def in_process(fn: Callable[[], Awaitable[T]], *, trap: bool = False) -> T:
    """Run ``fn`` as a process and return its result; a crash of it is raised here.

    A process that ended otherwise than by returning fails with its reason.
    """
    results: list[T] = []

    async def body() -> None:
        if trap:
            trap_exits()
        results.append(await fn())

    reason = await wait_exit(spawn(body))
    if isinstance(reason, Crashed):
        raise reason.exception
    assert results, f"the process ended with {reason!r}"
    return results[0]


async def reason_of(fn: Callable[[], Awaitable[object]], *, trap: bool = False) -> ExitReason:
    """Run ``fn`` as a process and return its exit reason."""

    async def body() -> None:
        if trap:
            trap_exits()
        await fn()

    reason = await wait_exit(spawn(body))
    assert not isinstance(reason, NoProcess)
    return reason


async def a_cancelled() -> trio.Cancelled:
    """A ``Cancelled`` whose scope is closed."""
    saved: list[trio.Cancelled] = []
    with trio.CancelScope() as scope:
        scope.cancel()
        try:
            await trio.sleep_forever()
        except trio.Cancelled as exc:
            saved.append(exc)
            raise
    return saved[0]


class Ask(Call[Any], frozen=True):
    """Let a ``Scripted`` server run ``fn(server, reply_to)`` in its handle_call."""

    fn: Callable[[Any, ReplyTo[Any]], Any]


class Do(Cast, frozen=True):
    """Let a ``Scripted`` server run ``fn(server)`` in its handle_cast."""

    fn: Callable[[Any], Any]


class Note(msgspec.Struct, frozen=True):
    """An info message; with ``fn`` a ``Scripted`` server runs ``fn(server)`` in handle_info."""

    fn: Callable[[Any], Any] | None = None
    text: str = ""


class Scripted(GenServer):
    """A server whose callbacks are given from outside, and which writes down what it sees.

    ``script`` maps ``"init"``, ``"continue"``, ``"terminate"`` to functions of the server and the
    argument; any of them may be async.
    """

    def __init__(self, log: list[Any] | None = None, **script: Callable[..., Any]) -> None:
        self.log: list[Any] = [] if log is None else log
        self.script = script

    def init(self) -> Any:
        return self.script["init"](self) if "init" in self.script else None

    def handle_call(self, request: Ask, reply_to: ReplyTo[Any]) -> Any:
        return request.fn(self, reply_to)

    def handle_cast(self, message: Do) -> Any:
        return message.fn(self)

    def handle_info(self, message: object) -> Any:
        if isinstance(message, Note) and message.fn is not None:
            return message.fn(self)
        self.log.append(("info", message))
        return None

    def handle_continue(self, arg: Any) -> Any:
        if "handle_continue" in self.script:
            return self.script["handle_continue"](self, arg)
        return arg(self)

    def terminate(self, reason: ExitReason) -> Any:
        self.log.append(("terminate", reason))
        return self.script["terminate"](self, reason) if "terminate" in self.script else None


@contextmanager
def captured_logs() -> Generator[list[Any]]:
    """What is logged in the block, one dict a line, before it is rendered."""
    capture = structlog.testing.LogCapture()
    structlog.reset_defaults()  # a program that a test has run may have hidden what is no warning
    structlog.configure(processors=[capture])
    try:
        yield capture.entries
    finally:
        structlog.reset_defaults()


def end_of(events: Iterable[Event], pid: Pid) -> ExitReason:
    """Why the process ended, as the node told its instruments, exactly once."""
    (reason,) = [one.reason for one in events if isinstance(one, ProcessEnded) and one.pid is pid]
    return reason


async def stop_all(*targets: Pid | Ref) -> None:
    """Kill what is still there and wait until it is gone."""
    for target in targets:
        kill(target)
        await wait_exit(target)
