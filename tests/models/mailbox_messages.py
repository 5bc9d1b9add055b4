"""The messages of ``test_mailbox``, and how the real ones are made of the drawn ones."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import msgspec

from runtime import Call, Cast, Down, Exit, IdleTimeout, MonitorRef, Request, receive
from tests.models import mailbox_steps as do

Match: TypeAlias = type | tuple[type, ...] | Callable[[object], bool] | None


class Red(Cast, frozen=True):
    n: int


class Blue(msgspec.Struct, frozen=True):
    n: int


class Dark(Blue, frozen=True):
    """Blue as well."""


class Ask(Call[int], frozen=True):
    n: int


class Boom(Exception):
    """What a predicate raises."""


CLASSES: dict[do.Class, type] = {
    "Red": Red,
    "Blue": Blue,
    "Dark": Dark,
    "Cast": Cast,
    "Struct": msgspec.Struct,
    "Request": Request,
    "Exit": Exit,
    "Down": Down,
}

SLIPS: tuple[Callable[[], Awaitable[object]], ...] = (
    lambda: receive("red"),  # type: ignore[call-overload]
    lambda: receive((Red, "blue")),  # type: ignore[arg-type]
    lambda: receive(timeout=-1),
    lambda: receive(timeout="1"),  # type: ignore[call-overload]
    lambda: receive(timeout=math.nan),
    lambda: receive(timeout=True),
)
assert len(SLIPS) == do.SLIPS

MAKE: dict[do.Kind, Callable[[int], object]] = {
    "red": Red,
    "blue": Blue,
    "dark": Dark,
    "idle": lambda _number: IdleTimeout(),
    "call": Ask,
    "exit": lambda number: Exit(None, number),
    "forged": lambda number: Down(MonitorRef(), None, number),
}


def message_of(kind: do.Kind, number: int) -> object:
    """What is sent."""
    return MAKE[kind](number)
