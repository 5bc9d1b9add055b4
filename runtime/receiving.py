"""``receive``: take the first message that matches, and leave the others. OTP: ``receive``."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias, TypeGuard, TypeVar, cast, overload

import trio
from trio.lowlevel import enable_ki_protection

from runtime.current import require_process
from runtime.errors import ReceiveTimeout
from runtime.messages import Envelope
from runtime.outcomes import check_seconds
from runtime.process import Process

T = TypeVar("T")
U = TypeVar("U")
V = TypeVar("V")

Match: TypeAlias = type | tuple[type, ...] | Callable[[object], bool] | None

_YIELD_EVERY = 32


@overload
async def receive(match: type[T], *, timeout: float = ...) -> T: ...
@overload
async def receive(match: tuple[type[T], type[U]], *, timeout: float = ...) -> T | U: ...
@overload
async def receive(
    match: tuple[type[T], type[U], type[V]], *, timeout: float = ...
) -> T | U | V: ...
@overload
async def receive(match: tuple[type[T], ...], *, timeout: float = ...) -> T: ...
@overload
async def receive(match: Callable[[object], TypeGuard[T]], *, timeout: float = ...) -> T: ...
@overload
async def receive(match: Callable[[object], bool], *, timeout: float = ...) -> object: ...
@overload
async def receive(match: None = ..., *, timeout: float = ...) -> object: ...


@enable_ki_protection
async def receive(match: Match = None, *, timeout: float = math.inf) -> object:
    """Wait for the first message that matches, take it out and return it.

    ``match`` is a class, a tuple of classes or a predicate; without one every message matches.
    What does not match stays, in order. A call to this process comes as a ``Request``.
    After ``timeout`` seconds without a match it raises ``ReceiveTimeout``; with 0 it only looks.
    Cancelling takes nothing out. Only for the process's own task: a mailbox has one reader.
    """
    process = require_process("receive", own_task=True)
    matches = _predicate(match)
    check_seconds("timeout", timeout)
    await _be_fair(process)
    found, message = _take_first(process, 0, matches)
    if not found and timeout > 0:
        with trio.move_on_after(timeout):
            found, message = await _wait_for(process, matches)
    if not found:
        if timeout == 0:
            await trio.lowlevel.checkpoint()  # a polling loop must not freeze the program
        raise ReceiveTimeout(f"no matching message within {timeout:g} s")
    process.handled += 1
    return message


def _predicate(match: Match) -> Callable[[object], bool]:
    if match is None:
        return lambda _message: True
    if isinstance(match, type):
        return lambda message: isinstance(message, match)
    if isinstance(match, tuple):
        classes = cast("tuple[object, ...]", match)
        if all(isinstance(one, type) for one in classes):
            return lambda message: isinstance(message, cast("tuple[type, ...]", classes))
    elif callable(match):
        return match
    raise TypeError(f"match: got {match!r}, allowed are a class, a tuple of classes, a predicate")


async def _be_fair(process: Process) -> None:
    """A process whose mailbox is never empty must still let others run."""
    if process.handled % _YIELD_EVERY == 0:
        await trio.lowlevel.checkpoint()
    else:
        await trio.lowlevel.checkpoint_if_cancelled()


async def _wait_for(process: Process, matches: Callable[[object], bool]) -> tuple[bool, object]:
    while True:
        examined, evicted = len(process.mailbox), process.mailbox.evicted
        await process.park()
        start = max(0, examined - (process.mailbox.evicted - evicted))
        found, message = _take_first(process, start, matches)
        if found:
            return True, message


def _take_first(
    process: Process, start: int, matches: Callable[[object], bool]
) -> tuple[bool, object]:
    """Each waiting message is looked at once: a waiting ``receive`` goes on where it was."""
    for index, item in process.mailbox.scan(start):
        message = item.open() if isinstance(item, Envelope) else item
        if matches(message) and process.mailbox.take_item(index, item):
            process.current = message
            if isinstance(item, Envelope):
                process.current = item.content  # not the reply_to, whose holder answers for it
                item.taken()
            return True, message
    return False, None
