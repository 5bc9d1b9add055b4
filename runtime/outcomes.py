"""What a callback may return beside a plain value. OTP: ``{:reply, ...}``, ``{:noreply, ...}`` ...

A plain value returned for a call is the reply. Everything else a callback can say is one of these,
so that a value can never be taken for an instruction.
"""

from __future__ import annotations

import math
from typing import Generic, TypeAlias, TypeVar

import msgspec

from runtime.containment import short_repr
from runtime.exits import NORMAL, ExitReason, check_reason

R_co = TypeVar("R_co", covariant=True)


def check_seconds(field: str, value: object, *, minimum: float = 0.0) -> float:
    """Refuse what is not a number of seconds of at least ``minimum``; ``math.inf`` is one."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{field}: got {value!r}, allowed is a number of seconds or math.inf")
    try:
        seconds = float(value)
    except OverflowError:
        seconds = math.nan
    if math.isnan(seconds) or seconds < minimum:
        raise ValueError(
            f"{field}: got {short_repr(value)}, allowed is {minimum:g} or more seconds"
        )
    return seconds


class Outcome(msgspec.Struct, frozen=True):
    """Base of everything a callback says that is not a plain value."""


class Continue(Outcome, frozen=True):
    """Run ``handle_continue(arg)`` next, before any message. OTP: ``{:continue, arg}``."""

    arg: object = None


class Idle(Outcome, frozen=True):
    """If nothing arrives for ``seconds``, send ``IdleTimeout()``. OTP: a timeout in a return value.

    Any message calls it off; it is not armed again unless a callback returns it again.
    """

    seconds: float

    def __post_init__(self) -> None:
        check_seconds("Idle.seconds", self.seconds)


Then: TypeAlias = Continue | Idle | None


def _check_then(owner: str, then: object) -> None:
    if not (then is None or isinstance(then, Continue | Idle)):
        raise TypeError(f"{owner}.then: got {then!r}, allowed are Continue(...), Idle(...) or None")


class Reply(Outcome, Generic[R_co], frozen=True):
    """Reply with ``value``, and ``then`` continue or wait idle. OTP: ``{:reply, value, ...}``."""

    value: R_co
    then: Then = None

    def __post_init__(self) -> None:
        _check_then("Reply", self.then)


class NoReply(Outcome, frozen=True):
    """No reply from this callback; ``reply_to`` answers later. OTP: ``{:noreply, ...}``."""

    then: Then = None

    def __post_init__(self) -> None:
        _check_then("NoReply", self.then)


class Stop(Outcome, frozen=True):
    """End the server with ``reason``, after ``terminate``. OTP: ``{:stop, reason, ...}``.

    With a ``reply`` the caller gets it once ``terminate`` has run; without one the caller gets
    ``CallExit(reason)``.
    """

    reason: ExitReason = NORMAL
    reply: object = msgspec.UNSET

    def __post_init__(self) -> None:
        check_reason("Stop.reason", self.reason)


class Ignore(Outcome, frozen=True):
    """Returned from ``init``: do not start, and that is fine. OTP: ``:ignore``."""


InitResult: TypeAlias = Continue | Idle | Stop | Ignore | None
"""What ``init`` may return."""
CastResult: TypeAlias = NoReply | Continue | Idle | Stop | None
"""What ``handle_cast``, ``handle_info`` and ``handle_continue`` may return."""
