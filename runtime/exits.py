"""Why a process ended: the closed union of exit reasons. OTP: exit reasons.

A reason is one of the five classes below or a value of the user's own, as in OTP. What a reason
*means* to a link or a restart type is decided by the two predicates at the end and nowhere else.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import msgspec


class Normal(msgspec.Struct, frozen=True):
    """The process did what it was there for. Harmless to links."""


class Shutdown(msgspec.Struct, frozen=True):
    """The process was asked to end, or gave up in order. Not a crash, but links feel it."""

    detail: object = None


class Killed(msgspec.Struct, frozen=True):
    """The process was ended by a kill, which nothing can trap."""


class NoProcess(msgspec.Struct, frozen=True):
    """There was no such process. OTP: ``noproc``."""


class Crashed(msgspec.Struct, frozen=True):
    """User code raised ``exception``; its traceback says where."""

    exception: BaseException


ExitReason: TypeAlias = Normal | Shutdown | Killed | NoProcess | Crashed | object
"""One of the five classes, or any value of the user's own, such as ``"disk full"``."""

NORMAL: Final = Normal()
SHUTDOWN: Final = Shutdown()
KILLED: Final = Killed()
NO_PROCESS: Final = NoProcess()

_CLASSES = (Normal, Shutdown, Killed, NoProcess, Crashed)


def check_reason(field: str, reason: ExitReason) -> None:
    """Refuse what is almost surely a slip: ``None``, a bare exception, a reason class."""
    if reason is None:
        raise TypeError(f"{field}: got None, an exit reason is Normal(), Shutdown() or your value")
    if isinstance(reason, BaseException):
        raise TypeError(f"{field}: got the exception {reason!r}, wrap it: Crashed(exception)")
    if isinstance(reason, type) and issubclass(reason, _CLASSES):
        raise TypeError(
            f"{field}: got the class {reason.__name__}, give a value: {reason.__name__}()"
        )


def is_abnormal(reason: ExitReason) -> bool:
    """Whether a linked process that does not trap exits ends too: everything but Normal."""
    return reason is not NORMAL and not isinstance(reason, Normal)


def is_clean(reason: ExitReason) -> bool:
    """Whether a transient child counts as done and no report is due: Normal and Shutdown."""
    return reason is NORMAL or isinstance(reason, Normal | Shutdown)
