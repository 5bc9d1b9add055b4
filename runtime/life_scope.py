"""The cancel scope of a server, which most of those with only plain functions never need."""

from __future__ import annotations

from types import TracebackType

import trio

from runtime.process import Process


class LifeScope:
    """The cancel scope of a server, opened when the first coroutine is to be awaited.

    It stays open to the end, so that what a callback enters lies inside it.
    """

    __slots__ = ("_process",)

    def __init__(self, process: Process) -> None:
        self._process = process

    def __enter__(self) -> None:
        """Not yet."""

    def open(self) -> None:
        """From now on exit signals cancel what is awaited."""
        if self._process.scope is None:
            self._process.scope = trio.CancelScope()
            self._process.scope.__enter__()
            if self._process.exiting is not None:
                self._process.scope.cancel()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        """Absorb the cancellation by an exit signal."""
        scope = self._process.scope
        return None if scope is None else scope.__exit__(kind, exc, trace)
