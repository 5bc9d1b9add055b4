"""What every port is written with: the ``T`` of ``_trace.exs``, its times in milliseconds too."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Iterable
from contextlib import AbstractAsyncContextManager
from typing import TypeAlias, TypeGuard, TypeVar

import trio

from runtime import (
    Down,
    Exit,
    ExitReason,
    MonitorRef,
    Pid,
    ReceiveTimeout,
    Ref,
    kill,
    monitor,
    receive,
    spawn_monitor,
    trap_exits,
)
from supervisors import ChildCounts, PartitionSupervisorRef, SupervisorRef
from tests.oracle.rendering import Exits, Raises, Returned, in_elixir, say

T = TypeVar("T")

AnySupervisor: TypeAlias = SupervisorRef | PartitionSupervisorRef


class Trace:
    """The lines that a scenario prints, in order."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._over = False

    def out(self, line: str) -> None:
        """Print a line."""
        if not self._over:
            self.lines.append(line)

    async def main(self, scenario: Callable[[Trace], Awaitable[None]]) -> None:
        """Run a scenario in a process that traps exits, as the body of ``T.main`` does.

        What is left then ends with the node and would say so; an Elixir script just stops.
        """
        trap_exits()
        await scenario(self)
        self._over = True


# ---------------------------------------------------------------------- results and errors


def answered(fn: Callable[[], object]) -> object:
    """What the OTP function returns: ``:ok``, or a tuple that says ``ok`` or what is wrong."""
    try:
        return _as_tuple(fn())
    except Exception as error:
        return _returned(error)


async def answer(asked: Awaitable[object]) -> object:
    """``answered``, for what is awaited."""
    try:
        return _as_tuple(await asked)
    except Exception as error:
        return _returned(error)


def _as_tuple(value: object) -> object:
    return "ok" if value is None else ("ok", value)


def _returned(error: Exception) -> object:
    result = in_elixir(error)
    if isinstance(result, Returned):
        return result.value
    raise error


async def attempt(fn: Callable[[], object]) -> str:
    """What comes of it: ``ok VALUE``, ``exit REASON`` or ``raise error(...)``."""
    try:
        value = fn()
        return f"ok {say(await value if isinstance(value, Awaitable) else value)}"
    except Exception as error:
        match in_elixir(error):
            case Exits(reason):
                return f"exit {say(reason)}"
            case Raises(words):
                return f"raise {words}"
            case Returned():
                raise


def refusal(result: object, word: str) -> object:
    """The pid in ``{error,{WORD,pid}}``, which the result must be."""
    match result:
        case ("error", (found, pid)) if found == word:
            return pid
        case _:
            raise AssertionError(f"this is no {word}: {say(result)}")


# ---------------------------------------------------------------------- time and messages


async def settle(ms: float = 60) -> None:
    """Let the others go on for so long."""
    await trio.sleep(ms / 1000)


async def flush(ms: float = 60) -> list[object]:
    """Every message, until none has come for so long."""
    messages: list[object] = []
    while True:
        try:
            messages.append(await receive(timeout=ms / 1000))
        except ReceiveTimeout:
            return messages


async def wait_for(message: object) -> None:
    """Until this message is there."""
    await receive(lambda found: found == message, timeout=5.0)


def exits_of(who: Ref, messages: Iterable[object]) -> list[ExitReason]:
    """The reasons in the ``Exit`` messages of one process."""
    return [one.reason for one in messages if isinstance(one, Exit) and one.pid is who.pid]


# ---------------------------------------------------------------------- processes


async def forever() -> None:
    """The body of a process that is there until somebody ends it."""
    await trio.sleep_forever()


async def died(fn: Callable[[], Awaitable[object]]) -> ExitReason:
    """Run it as a fresh process and return the reason it went down with."""
    _, ref = spawn_monitor(fn)
    return await await_down(ref)


async def await_down(ref: MonitorRef, ms: float = 5000) -> ExitReason:
    """The reason in the ``Down`` of a monitor."""

    def is_its_down(message: object) -> TypeGuard[Down]:
        return isinstance(message, Down) and message.ref is ref

    try:
        return (await receive(is_its_down, timeout=ms / 1000)).reason
    except ReceiveTimeout:
        return "still_alive"


async def kill_and_wait(target: Pid | Ref) -> None:
    """Kill a process and wait until it is gone."""
    ref = monitor(target)
    kill(target)
    await await_down(ref)


# ---------------------------------------------------------------------- children


async def pid_of(sup: AnySupervisor, child_id: Hashable) -> Pid:
    """The pid of a child that is up."""
    (pid,) = [one.pid for one in await sup.which_children() if one.id == child_id]
    assert pid is not None, f"{child_id!r} is not up"
    return pid


async def kids(sup: AnySupervisor) -> str:
    """The children, the one started last first, and whether they are up."""
    return " ".join(
        f"{say(one.id)}={'undefined' if one.pid is None else 'up'}"
        for one in await sup.which_children()
    )


def counts(counted: ChildCounts) -> str:
    """The children in numbers."""
    return (
        f"specs={counted.specs} active={counted.active} "
        f"sups={counted.supervisors} workers={counted.workers}"
    )


# ---------------------------------------------------------------------- streams


async def each(
    stream: AbstractAsyncContextManager[AsyncIterator[T]], do: Callable[[T], object]
) -> None:
    """Do something with every result. Elixir: ``Enum.each``."""
    async with stream as results:
        async for result in results:
            do(result)


async def take(stream: AbstractAsyncContextManager[AsyncIterator[T]], number: int) -> list[T]:
    """So many results and no more. Elixir: ``Enum.take``."""
    async with stream as results:
        return [await anext(results) for _ in range(number)]
