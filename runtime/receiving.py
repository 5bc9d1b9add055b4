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
from runtime.plain_functions import check_plain_function
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
    search = _Search(process, matches)
    found, message = search.look()
    if not found and timeout > 0:
        with trio.move_on_after(timeout):
            found, message = await search.wait()
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
        check_plain_function("match", match, "a predicate answers at once")
        return match
    raise TypeError(f"match: got {match!r}, allowed are a class, a tuple of classes, a predicate")


async def _be_fair(process: Process) -> None:
    """A process whose mailbox is never empty must still let others run."""
    if process.handled % _YIELD_EVERY == 0:
        await trio.lowlevel.checkpoint()
    else:
        await trio.lowlevel.checkpoint_if_cancelled()


class _Search:
    """One ``receive``: each waiting message is looked at once, however long it goes on.

    ``_seen`` counts the messages behind it, those that were evicted meanwhile included.
    """

    def __init__(self, process: Process, matches: Callable[[object], bool]) -> None:
        self._process = process
        self._mailbox = process.mailbox
        self._matches = matches
        self._seen = process.mailbox.evicted

    def look(self) -> tuple[bool, object]:
        """Look at what has not been looked at, and take out the first match."""
        start = self._start
        self._seen = self._mailbox.evicted + len(self._mailbox)  # what comes meanwhile is new
        for index, item in self._mailbox.scan(start):
            message = item.open() if isinstance(item, Envelope) else item
            if self._matches(message) and self._mailbox.take_item(index, item):
                self._process.current = message
                if isinstance(item, Envelope):
                    self._process.current = item.content  # not the reply_to: its holder answers
                    item.taken()
                return True, message
        return False, None

    async def wait(self) -> tuple[bool, object]:
        """Look again whenever something has come."""
        while True:
            if self._start < len(self._mailbox):  # the predicate itself has sent something
                await trio.lowlevel.checkpoint()
            else:
                await self._process.park()
            found, message = self.look()
            if found:
                return True, message

    @property
    def _start(self) -> int:
        return max(0, self._seen - self._mailbox.evicted)
