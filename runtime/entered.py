"""Context managers a process has entered, and how each must be closed when it ends."""

from __future__ import annotations

import trio

from runtime.process import Process
from runtime.user_code import as_coroutine, await_user, call_user


class Entered:
    """A context manager the process entered, and how it must be closed."""

    __slots__ = ("is_async", "manager", "opened_scope", "value")

    def __init__(
        self, manager: object, *, is_async: bool, opened_scope: bool, value: object
    ) -> None:
        self.manager = manager
        self.is_async = is_async
        self.opened_scope = opened_scope
        self.value = value

    async def close(self, process: Process, exc: BaseException | None) -> None:
        """Close it, shielded within the shutdown budget, unless it has a scope of its own.

        A shield cannot be put around a scope that was opened before it; what has one (a nursery)
        is told to stop instead and knows how to.
        """
        if isinstance(self.value, trio.Nursery):
            self.value.cancel_scope.cancel()
            exc = None
        if self.opened_scope or process.killed:
            await self._exit(exc)
            return
        with trio.CancelScope(shield=True) as process.grace:
            await self._exit(exc)
        process.grace = None

    async def _exit(self, exc: BaseException | None) -> None:
        kind, trace = (None, None) if exc is None else (type(exc), exc.__traceback__)
        closed = call_user(self._call_exit, kind, exc, trace)
        coroutine = as_coroutine(closed)
        if coroutine is not None:
            await await_user(coroutine)

    def _call_exit(self, *details: object) -> object:
        name = "__aexit__" if self.is_async else "__exit__"
        return getattr(self.manager, name)(*details)
