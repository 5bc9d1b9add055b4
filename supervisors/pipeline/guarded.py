"""Running a callback of the user's whose crash is the end of its messages, not of its stage.

A cancellation is nobody's failure: it goes on, and so does what ends more than one process.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

import trio

from runtime import Exited, Ok
from runtime.containment import crash_of, outcome_of
from runtime.crash_reasons import fatal_in, leaves, reason_of
from runtime.user_code import as_coroutine, await_user, call_user

T = TypeVar("T")


async def guarded(callback: Callable[..., Awaitable[T] | T], *args: object) -> Ok[T] | Exited[None]:
    """What ``callback(*args)``, ``def`` or ``async def``, returned, or why it did not."""
    result, exc = crash_of(call_user, callback, *args)
    if exc is None:
        coroutine = as_coroutine(result)
        if coroutine is None:
            return Ok(cast("T", result))
        result, exc = await outcome_of(await_user(coroutine))
    if exc is None:
        return Ok(cast("T", result))
    if fatal_in(exc) is not None or is_cancellation(exc):
        raise exc
    return Exited(reason_of(exc))


def is_cancellation(exc: BaseException) -> bool:
    """Whether it comes, alone or beside errors, of the end of the stage that runs it."""
    return any(issubclass(type(one), trio.Cancelled) for one in leaves(exc))
