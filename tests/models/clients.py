"""Processes and plain tasks that ask for something and keep it: for pools and limiters.

An ``Office`` is a process in which any number of callers ask at the same time, each in a task.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Generic, TypeVar, cast

import trio
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from trio.testing import wait_all_tasks_blocked

from runtime import CallExit, Crashed, ExitReason, Pid, exit, kill, spawn

T = TypeVar("T")


class Oops(Exception):
    """What a client raises."""


def say(reason: ExitReason) -> str:
    """A reason as the models write it."""
    if isinstance(reason, Crashed):
        return f"crash {type(reason.exception).__name__}"
    return reason if isinstance(reason, str) else type(reason).__name__


Deed = tuple[str, tuple[object, ...]]


def weighted(deeds: Mapping[str, tuple[object, ...]]) -> SearchStrategy[Deed]:
    """One of the deeds, with its arguments; the first of each is how often it is to be drawn."""
    drawn: list[SearchStrategy[Deed]] = []
    for name, (weight, *arguments) in deeds.items():
        assert isinstance(weight, int)
        of = st.tuples(*cast("list[SearchStrategy[object]]", arguments))
        drawn.extend([st.tuples(st.just(name), of)] * weight)
    return st.sampled_from(drawn).flatmap(lambda one: one)


async def at_once(fn: Callable[[], Awaitable[T]]) -> T:
    """What a step gives that must not take time: one that waits would hang the machine."""
    given: list[T] = []

    async def run() -> None:
        given.append(await fn())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(run)
        await wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert given, f"{fn} waits"
    return given[0]


class Caller(Generic[T]):
    """Asks for something in a task of its own; ``outcome`` is what it got, and when.

    With a ``block`` it asks by entering one, and keeps what it got until it is told to leave.
    """

    def __init__(
        self,
        ask: Callable[[], Awaitable[T]],
        in_words: Callable[[T | Exception], tuple[object, ...]],
    ) -> None:
        self._ask = ask
        self._in_words = in_words
        self.scope = trio.CancelScope()
        self.outcome: tuple[object, ...] | None = None
        self.got: T | None = None
        self.leave = trio.Event()

    def has(self, got: T) -> None:
        """This is what it was given."""
        self.got = got
        self._end(self._in_words(got))

    def _end(self, outcome: tuple[object, ...]) -> None:
        if self.outcome is None:
            self.outcome = (*outcome, trio.current_time())

    async def run(self) -> None:
        """Its life."""
        with self.scope:
            try:
                self.has(await self._ask())
            except trio.Cancelled:
                self._end(("gone",))
                raise
            except CallExit as exc:
                self._end(("CallExit", say(exc.reason)))
            except Exception as exc:
                self._end(self._in_words(exc))


class Office:
    """A process that starts a task for each caller it is given."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._jobs, self._taken = trio.open_memory_channel[Callable[[], Awaitable[object]] | str](
            math.inf
        )
        self.pid: Pid = spawn(self._run)

    def start(self, job: Callable[[], Awaitable[object]]) -> None:
        """Run it in the process."""
        self._jobs.send_nowait(job)

    def end(self, how: str) -> None:
        """It is killed, told to end, returns or crashes; its tasks are cut short."""
        match how:
            case "kill":
                kill(self.pid)
            case "boom":
                exit(self.pid, "boom")
            case _:
                self._jobs.send_nowait(how)

    async def _run(self) -> None:
        async with trio.open_nursery() as nursery:
            async for job in self._taken:
                if callable(job):
                    nursery.start_soon(job)
                elif job == "crashes":
                    raise Oops
                else:
                    nursery.cancel_scope.cancel()
