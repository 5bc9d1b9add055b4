"""The life of a server: what all its ends pass through.

The scope that exit signals cancel is opened when the first coroutine is to be awaited, which most
servers with only plain functions never do.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, AbstractContextManager
from types import TracebackType
from typing import TypeVar

from runtime.entered import Entered, Failures, close_all, enter
from runtime.exits import NORMAL, ExitReason
from runtime.life_scope import LifeScope
from runtime.process import Process

T = TypeVar("T")


class Life:
    """From the first step of a server to its last: ``async with`` it."""

    __slots__ = ("_crash", "entered", "process", "reason")

    process: Process  # once it is to begin

    def __init__(self) -> None:
        self.reason: ExitReason = NORMAL
        self.entered: list[Entered] | None = None
        self._crash: BaseException | None = None  # of what a caller or the starter has run

    def open_scope(self) -> None:
        """From now on exit signals cancel what is awaited."""
        if self.process.surroundings is None:
            LifeScope(self.process).open()

    def crashed(self, crash: BaseException) -> None:
        """Of what others have run for this server; its own task will raise it."""
        self._crash, self.process.ending = crash, True

    def raise_crash(self) -> None:
        """What others have run for this server and has failed is raised here."""
        crash, self._crash = self._crash, None
        if crash is not None:
            try:
                raise crash
            finally:
                del crash  # this frame is in its traceback: break the cycle

    async def enter(self, manager: AbstractAsyncContextManager[T] | AbstractContextManager[T]) -> T:
        """See ``GenServer.enter``."""
        if self.entered is None:
            self.entered = []
        return await enter(self.process, manager, self.entered)

    async def last_words(self, reason: ExitReason) -> None:
        """Run ``terminate``."""

    async def __aenter__(self) -> None:
        """Nothing to do."""

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        exc: BaseException | None,
        _trace: TracebackType | None,
    ) -> bool:
        """``terminate``, then the clean-up; the cancellation by an exit signal ends here."""
        process = self.process
        process.ending = True
        reason = self.reason if exc is None else process.reason_for(exc)
        if process.exiting is not None:
            reason = process.exiting
        failures = Failures(process)
        with failures:
            await self.last_words(reason)
        if self.entered is not None:
            await close_all(process, self.entered, exc, failures)
        if _is_absorbed(process, failures.last or exc):
            failures.forget()
            return True
        failures.raise_last()
        return False


def _is_absorbed(process: Process, exc: BaseException | None) -> bool:
    """Close the scope; whether that was what ``exc`` came from."""
    scope = LifeScope(process)
    if exc is None:
        return bool(scope.__exit__(None, None, None))
    return bool(scope.__exit__(type(exc), exc, exc.__traceback__))
