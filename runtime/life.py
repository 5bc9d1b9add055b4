"""The life of a server: what all its ends pass through.

The scope that exit signals cancel is opened when the first coroutine is to be awaited, which most
servers with only plain functions never do.
"""

from __future__ import annotations

from types import TracebackType

from runtime.entered import Entered, Failures, close_all
from runtime.exits import NORMAL, ExitReason
from runtime.life_scope import LifeScope
from runtime.process import Process


class Life:
    """From the first step of a server to its last: ``async with`` it."""

    __slots__ = ("entered", "process", "reason")

    process: Process  # once it is to begin

    def __init__(self) -> None:
        self.reason: ExitReason = NORMAL
        self.entered: list[Entered] | None = None

    def open_scope(self) -> None:
        """From now on exit signals cancel what is awaited."""
        LifeScope(self.process).open()

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
