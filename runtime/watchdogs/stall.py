"""Notices that the loop stands still, and says in what.

The loop cannot tell, so a thread does. It asks the loop for a sign of life (``pulse``) and looks
again half a limit later; that is all it does while nothing is wrong. A stall is told from that
thread while it lasts, so a program that never comes back has been told of as well.

What holds the interpreter as well, a long ``sum`` in C say, holds this thread too. It is told when
that lets go, which happens on the line that did it, before the loop can turn.

If this thread woke up late and the loop's thread had not been computing meanwhile, it was the
machine that stood still; then it looks once more before it says anything.
"""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Final

import trio

from runtime.instruments import LoopStalled
from runtime.process import Process
from runtime.process_table import ProcessTable
from runtime.watchdogs.stacks import Doing, what_runs

_THREAD: Final = "trio-otp watchdog"


class StallWatch:
    """Watches one loop from a thread; ``told`` is called in the loop, once it turns again."""

    def __init__(
        self,
        table: ProcessTable[Process],
        limit: float,
        told: Callable[[LoopStalled], None],
    ) -> None:
        self._table = table
        self._limit = limit
        self._told = told
        self._closing = threading.Event()
        self._last: float | None = None  # the question that was not answered, and told of

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """The thread, for the length of a block: it is up before, and has ended after it."""
        up = trio.Event()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._run_in_thread, up)
            try:
                await up.wait()
                yield
            finally:
                self._closing.set()

    async def _run_in_thread(self, up: trio.Event) -> None:
        def begin() -> None:
            self._table.token.run_sync_soon(up.set)
            self._run()

        await trio.to_thread.run_sync(begin, limiter=trio.CapacityLimiter(1), thread_name=_THREAD)

    def _run(self) -> None:
        """Until the block is left. What wakes it up late is not the loop's fault: see above."""
        period, computed = self._limit / 2, _clock_of(self._table.thread)
        used, due = computed(), time.monotonic() + period
        while not self._closing.wait(due - time.monotonic()):
            now, used_before, used = time.monotonic(), used, computed()
            overslept, due = now - due, now + period
            if overslept < period or used - used_before > overslept / 2:
                self.look()

    def look(self) -> None:
        """Ask, or tell that there was no answer for too long."""
        pulse = self._table.pulse
        asked_at = pulse.asked_at
        if asked_at is None:
            pulse.ask()
        elif asked_at != self._last and pulse.late() >= self._limit:
            doing = what_runs(self._table)
            # If it is over by now this may be something else; and a loop that sleeps wakes up soon.
            if doing.places and pulse.asked_at == asked_at:
                self._last = asked_at
                self._tell(doing, time.monotonic() - asked_at)

    def _tell(self, doing: Doing, seconds: float) -> None:
        table, process = self._table, doing.process
        event = LoopStalled(
            seconds=seconds,
            pid=None if process is None else process.pid,
            name=None if process is None else process.name,
            handler=doing.handler,
            line=doing.line,
            stack="\n".join(map(str, doing.places)),
        )
        table.instruments.emit(event)
        with suppress(trio.RunFinishedError):
            table.token.run_sync_soon(self._told, event)


def _clock_of(thread: int) -> Callable[[], float]:
    """The seconds a thread has computed; where the system does not say that, all there are."""
    clock_of = getattr(time, "pthread_getcpuclockid", None)
    return time.monotonic if clock_of is None else partial(time.clock_gettime, clock_of(thread))
