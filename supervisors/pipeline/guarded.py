"""Running a callback of the user's whose crash is the end of its messages, not of its stage.

A cancellation is nobody's failure: it goes on, and so does what ends more than one process.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, overload

import trio

from runtime import Exited, Ok
from runtime.containment import crash_of, outcome_of
from runtime.crash_reasons import fatal_in, leaves, reason_of
from runtime.current import current_process
from runtime.user_code import as_coroutine, await_user, call_user

T = TypeVar("T")


@overload
async def guarded(
    callback: Callable[..., Coroutine[Any, Any, T]], *args: object
) -> Ok[T] | Exited[None]: ...
@overload
async def guarded(callback: Callable[..., T], *args: object) -> Ok[T] | Exited[None]: ...
async def guarded(callback: Callable[..., object], *args: object) -> Ok[Any] | Exited[None]:
    """What ``callback(*args)``, ``def`` or ``async def``, returned, or why it did not."""
    result, exc = crash_of(call_user, callback, *args)
    if exc is None:
        coroutine = as_coroutine(result)
        if coroutine is None:
            return Ok(result)
        result, exc = await outcome_of(await_user(coroutine))
    if exc is None:
        return Ok(result)
    if fatal_in(exc) is not None or is_cancellation(exc) or _is_ending():
        raise exc
    return Exited(reason_of(exc))


def _is_ending() -> bool:
    """Whether this process was told to end: whatever is raised then comes of that."""
    process = current_process()
    return process is not None and process.exiting is not None


def is_cancellation(exc: BaseException) -> bool:
    """Whether it comes, alone or beside errors, of the end of the stage that runs it."""
    return any(issubclass(type(one), trio.Cancelled) for one in leaves(exc))
