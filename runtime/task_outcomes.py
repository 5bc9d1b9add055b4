"""How a task ended: a value or an exit reason. OTP: ``{:ok, value}`` and ``{:exit, reason}``."""

from __future__ import annotations

from typing import Generic, Literal, TypeAlias, TypeVar, get_args

import msgspec

from runtime.exits import ExitReason

T_co = TypeVar("T_co", covariant=True)
I_co = TypeVar("I_co", covariant=True)
T = TypeVar("T")

OnTimeout: TypeAlias = Literal["exit", "kill_task"]
"""What a stream does about a task that takes too long: raise, or end it and go on."""


class Ok(msgspec.Struct, Generic[T_co], frozen=True):
    """The task returned ``value``."""

    value: T_co


class Exited(msgspec.Struct, Generic[I_co], frozen=True):
    """The task ended with ``reason`` and has no value.

    ``input`` is the item it was given, in a stream with ``zip_input_on_exit``, else ``None``.
    """

    reason: ExitReason
    input: I_co | None = None


class TimedOut(msgspec.Struct, frozen=True):
    """The reason in an ``Exited`` of a stream's task that took longer than ``seconds``."""

    seconds: float


def check_on_timeout(value: object) -> None:
    """Refuse an unknown ``on_timeout``."""
    if value not in get_args(OnTimeout):
        allowed = ", ".join(map(repr, get_args(OnTimeout)))
        raise ValueError(f"on_timeout: got {value!r}, allowed are {allowed}")


Outcome: TypeAlias = Ok[T] | Exited[None]
"""How one task ended."""
