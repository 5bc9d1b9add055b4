"""Context managers a process has entered, and how each must be closed when it ends."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, AbstractContextManager
from types import TracebackType
from typing import TypeVar

import trio

from runtime import _trio
from runtime.errors import OutsideProcess
from runtime.process import Process
from runtime.user_code import as_coroutine, await_user, call_user

T = TypeVar("T")


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
        is told to stop instead and knows how to. What it returns does not count.
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
        name = "__aexit__" if self.is_async else "__exit__"
        coroutine = as_coroutine(call_user(getattr(self.manager, name), kind, exc, trace))
        if coroutine is not None:
            await await_user(coroutine)


class Failures:
    """Holds back what is raised under it, so that the rest is closed as well; then raises it."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._last: BaseException | None = None

    def __enter__(self) -> None:
        """Nothing to do."""

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        exc: BaseException | None,
        _trace: TracebackType | None,
    ) -> bool:
        if exc is not None:
            self._process.notice_fatal(exc)  # it may be no more than a context in the end
            if self._last is not None and self._last is not exc:
                _chain(exc, self._last)
            self._last = exc
        return True

    @property
    def last(self) -> BaseException | None:
        """The last one, with those before it as its context."""
        return self._last

    def raise_last(self) -> None:
        """Raise the last one."""
        if self._last is not None:
            try:
                raise self._last
            finally:
                self.forget()

    def forget(self) -> None:
        """Let go of it."""
        self._last = None


def _chain(exc: BaseException, earlier: BaseException) -> None:
    """Put ``earlier`` at the end of the context of ``exc``, as nested ``finally`` blocks do."""
    seen = {earlier}
    while exc.__context__ is not None and exc.__context__ not in seen:
        seen.add(exc)
        exc = exc.__context__
    if exc.__context__ is None:
        exc.__context__ = earlier


async def enter(
    process: Process,
    manager: AbstractAsyncContextManager[T] | AbstractContextManager[T],
    entered: list[Entered],
) -> T:
    """Enter a context manager in the process's own task, and remember how to close it."""
    task = process.task
    if task is None or trio.lowlevel.current_task() is not task:
        raise OutsideProcess(
            "enter was called outside the process's own task, "
            "which is the one that closes the context manager"
        )
    before = _trio.scope_fingerprint(task)
    if isinstance(manager, AbstractAsyncContextManager):
        is_async, value = True, await manager.__aenter__()
    elif isinstance(manager, AbstractContextManager):
        is_async, value = False, manager.__enter__()
    else:
        raise TypeError(f"manager: got {manager!r}, allowed is a context manager")
    opened_scope = _trio.scope_fingerprint(task) != before
    entered.append(Entered(manager, is_async=is_async, opened_scope=opened_scope, value=value))
    return value


async def close_all(
    process: Process, entered: list[Entered], exc: BaseException | None, failures: Failures
) -> None:
    """Close them, last first; one that raises does not keep the others open."""
    while entered:
        with failures:
            await entered.pop().close(process, exc)
