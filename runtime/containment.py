"""Run somebody else's synchronous hook without letting it hurt the caller.

Instruments, ``redact`` and the ``repr`` of users' values run at moments (a death, a crash report)
when an exception must not travel on: it would reach a nursery and cancel processes that have
nothing to do with it. This is the one place for that; the one that turns a process's own crash
into its exit reason is in ``process``.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from contextvars import Context
from typing import TypeAlias, TypeVar

import trio

T = TypeVar("T")
Method: TypeAlias = Callable[[object, str, object, object], T]


def attempt(hook: Callable[..., T], *args: object) -> tuple[T | None, Exception | None]:
    """The result of ``hook(*args)`` and ``None``, or ``None`` and what it raised."""
    try:
        return hook(*args), None
    except Exception as exc:  # noqa: BLE001  the one place, see above
        return None, exc


def crash_of(hook: Callable[..., T], *args: object) -> tuple[T | None, BaseException | None]:
    """Like ``attempt``, but whatever is raised: for another task than this one to raise again."""
    try:
        return hook(*args), None
    except BaseException as exc:  # noqa: BLE001  the one place, see above
        return None, exc


def crash_in(
    context: Context, method: Method[T], instance: object, name: str, request: object, more: object
) -> tuple[T | None, BaseException | None]:
    """``crash_of`` a method that runs in ``context``: on the path of every call."""
    try:
        return context.run(method, instance, name, request, more), None
    except BaseException as exc:  # noqa: BLE001  the one place, see above
        return None, exc


def contain(fallback: T, hook: Callable[..., T], *args: object) -> T:
    """``hook(*args)``, or ``fallback`` if it raises anything, which goes to ``sys.excepthook``.

    A KeyboardInterrupt here is none of the terminal's: the callers are protected from those.
    """
    try:
        return hook(*args)
    except BaseException as exc:  # noqa: BLE001  the one place, see above
        with suppress(BaseException):
            sys.excepthook(type(exc), exc, exc.__traceback__)
        return fallback


def clean(text: str) -> str:
    """The text, with what UTF-8 cannot say escaped: it is to be written somewhere."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def short_repr(value: object, limit: int = 500) -> str:
    """``repr(value)`` cut to ``limit`` characters, also when ``repr`` raises."""
    return _cut(contain(None, repr, value), value, limit)


def quiet_repr(value: object, limit: int = 500) -> str:
    """The same, for who is not the only one to show it: what ``repr`` raises is told elsewhere."""
    return _cut(crash_of(repr, value)[0], value, limit)


def _cut(text: str | None, value: object, limit: int) -> str:
    if text is None:
        return f"<{type(value).__name__} whose repr raises>"
    text = clean(text)
    return text if len(text) <= limit else f"{text[:limit]}... ({len(text)} characters)"


def show(value: object) -> str:
    """A string as it is, anything else as ``short_repr``: for names and ids in texts."""
    return value if type(value) is str else short_repr(value)


async def outcome_of(awaitable: Awaitable[T]) -> tuple[T | None, BaseException | None]:
    """Like ``crash_of`` for what is awaited. A cancellation is nobody's outcome and goes on."""
    try:
        return await awaitable, None
    except trio.Cancelled:
        raise
    except BaseException as exc:  # noqa: BLE001  the one place, see above
        return None, exc
