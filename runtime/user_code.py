"""Calling the user's code: the frames from which on ctrl-C may interrupt again.

The runtime protects itself from a KeyboardInterrupt between two steps that belong together. What
users wrote must be breakable, so their code is entered through here.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from types import CoroutineType
from typing import Any, TypeVar, cast

from trio.lowlevel import disable_ki_protection

T = TypeVar("T")


@disable_ki_protection
def call_user(callback: Callable[..., T], *args: object) -> T:
    """``callback(*args)``."""
    return callback(*args)


@disable_ki_protection
def call_method(instance: object, name: str, request: object, reply_to: object | None) -> object:
    """``instance.name(request)``, or with ``reply_to``; looking it up may be users' code too."""
    method = getattr(instance, name)
    return method(request) if reply_to is None else method(request, reply_to)


@disable_ki_protection
async def await_user(coroutine: Coroutine[Any, Any, T]) -> T:
    """``await coroutine``."""
    return await coroutine


def as_coroutine(result: object) -> Coroutine[Any, Any, object] | None:
    """The result as a coroutine to be awaited, if it is one."""
    return cast("Coroutine[Any, Any, object]", result) if type(result) is CoroutineType else None
