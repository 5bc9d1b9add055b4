"""What is a plain function: one that can be called where nothing can be awaited."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial


def check_plain_function(field: str, fn: object, instead: str) -> None:
    """Refuse what cannot be called, and async functions; ``instead`` says what to do with those.

    Partials, classes and objects with a plain ``__call__`` are fine.
    """
    if not callable(fn):
        raise TypeError(f"{field}: got {fn!r}, allowed is a plain function, not called")
    if _is_async(fn):
        raise TypeError(f"{field}: got {fn!r}, an async function; {instead}")


def signature_of(fn: Callable[..., object]) -> inspect.Signature | None:
    """What a function takes; ``None`` for those that do not say, as ``dict`` and ``time.sleep``."""
    try:
        return inspect.signature(fn)
    except ValueError:
        return None


def check_takes(field: str, fn: Callable[..., object], *arguments: str) -> None:
    """Refuse a function that cannot be called with so many positional arguments."""
    signature = signature_of(fn)
    if signature is None:
        return
    try:
        signature.bind(*arguments)
    except TypeError:
        takes = ", ".join(arguments)
        raise TypeError(f"{field}: got {fn!r}, allowed is a function of ({takes})") from None


def _is_async(fn: object) -> bool:
    while isinstance(fn, partial):
        fn = fn.func
    called = fn if inspect.isroutine(fn) else getattr(type(fn), "__call__", None)  # noqa: B004
    return inspect.iscoroutinefunction(called) or inspect.isasyncgenfunction(called)
