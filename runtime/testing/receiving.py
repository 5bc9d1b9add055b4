"""What has come, and what must not come: assertions about a mailbox. ExUnit: ``assert_receive``."""

from __future__ import annotations

from collections.abc import Callable
from types import UnionType
from typing import TypeGuard, TypeVar, overload

from runtime.containment import short_repr
from runtime.current import require_process
from runtime.errors import OutsideProcess, ReceiveTimeout
from runtime.messages import Envelope
from runtime.process import Process
from runtime.receiving import receive
from runtime.testing.patterns import Pattern, describe, predicate_of

T = TypeVar("T")
U = TypeVar("U")

SHOWN = 10


@overload
async def assert_receive(pattern: type[T], *, timeout: float = ...) -> T: ...
@overload
async def assert_receive(pattern: tuple[type[T], type[U]], *, timeout: float = ...) -> T | U: ...
@overload
async def assert_receive(pattern: tuple[type[T], ...], *, timeout: float = ...) -> T: ...
@overload
async def assert_receive(pattern: UnionType, *, timeout: float = ...) -> object: ...
@overload
async def assert_receive(
    pattern: Callable[[object], TypeGuard[T]], *, timeout: float = ...
) -> T: ...
@overload
async def assert_receive(pattern: Callable[[object], bool], *, timeout: float = ...) -> object: ...
@overload
async def assert_receive(pattern: T, *, timeout: float = ...) -> T: ...


async def assert_receive(pattern: Pattern, *, timeout: float = 1.0) -> object:
    """Take the first message that is as expected out of the mailbox and return it.

    ``pattern`` is a class, a tuple or a union of classes, a predicate, or a value that the message
    equals. A call comes as a ``Request``. Fails after ``timeout`` seconds and says what the mailbox
    holds instead; what comes at that very moment is late. What does not match stays there. Only in
    a process: see ``as_process``. Cancelling takes nothing out.
    ExUnit: ``assert_receive``, and with ``timeout=0`` ``assert_received``.
    """
    __tracebackhide__ = True
    _require_process("assert_receive")
    try:
        return await receive(predicate_of(pattern), timeout=timeout)
    except ReceiveTimeout:
        pass
    limit = f"before the timeout of {timeout:g} s"
    raise AssertionError(f"no {describe(pattern)} came {limit}; {_mailbox()}")


async def refute_receive(pattern: Pattern = object, *, timeout: float = 0.1) -> None:
    """Fail if a message that matches has come or comes within ``timeout`` seconds.

    By default none at all may come. What comes at the very end is late, and passes. ExUnit:
    ``refute_receive``.
    """
    __tracebackhide__ = True
    _require_process("refute_receive")
    try:
        message = await receive(predicate_of(pattern), timeout=timeout)
    except ReceiveTimeout:
        return
    raise AssertionError(
        f"no {describe(pattern)} was to come within {timeout:g} s, but this did: "
        f"{short_repr(message)}"
    )


def _require_process(what: str) -> Process:
    try:
        return require_process(what)
    except OutsideProcess as exc:
        exc.add_note("decorate the test with @as_process from runtime.testing")
        raise


def _mailbox() -> str:
    """What the calling process has not taken yet, as text."""
    mailbox = _require_process("assert_receive").mailbox
    held = [
        short_repr(item.open() if isinstance(item, Envelope) else item)
        for _, item in mailbox.scan(0)
    ]
    if not held:
        return "the mailbox is empty"
    more = [f"and {len(held) - SHOWN} more"] if len(held) > SHOWN else []
    return "the mailbox holds " + ", ".join([*held[:SHOWN], *more])
