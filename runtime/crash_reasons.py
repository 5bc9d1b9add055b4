"""What an exception that leaves a process means: a reason, and perhaps the end of the program.

Groups are walked with a list and asked by their type, because a group may be deep, and a class may
do what it likes when it is asked for its parts or its class.
"""

from __future__ import annotations

from typing import cast

import trio

from runtime.containment import attempt, contain
from runtime.errors import ProcessExit
from runtime.exits import Crashed, ExitReason


def reason_of(exc: BaseException) -> ExitReason:
    """The exit reason an exception stands for; whatever its class does, there is one."""
    fallback: ExitReason = Crashed(exc)
    return contain(fallback, _reason_of, exc)


def _reason_of(exc: BaseException) -> ExitReason:
    if isinstance(exc, ProcessExit):
        return exc.reason
    crash = without_cancelled(exc)
    return foreign_cancelled() if crash is None else Crashed(crash)


def foreign_cancelled() -> Crashed:
    """The reason of a process that raised a ``Cancelled`` of somebody else's scope."""
    return Crashed(RuntimeError("a trio.Cancelled left the cancel scope it belongs to"))


def scope_left_open() -> RuntimeError:
    """What is reported of a process that did not close what it opened by hand."""
    return RuntimeError("a nursery or cancel scope was left open")


def fatal_in(exc: BaseException) -> BaseException | None:
    """The KeyboardInterrupt or SystemExit in ``exc``, which ends more than one process."""
    for one in leaves(exc):
        if issubclass(type(one), (KeyboardInterrupt, SystemExit)):
            return one
    return None


def without_cancelled(exc: BaseException) -> BaseException | None:
    """What is left of an exception without any ``Cancelled``, which is never stored."""
    everything = leaves(exc)
    rest = [one for one in everything if not issubclass(type(one), trio.Cancelled)]
    if len(rest) == len(everything):
        return exc
    return BaseExceptionGroup("beside a cancellation", rest) if rest else None


def leaves(exc: BaseException) -> list[BaseException]:
    """The exceptions in a group and in the groups in it, in order."""
    if not _is_group(exc):
        return [exc]
    found: list[BaseException] = []
    left = [exc]
    while left:
        one = left.pop()
        parts = contain(None, _parts, one)
        if parts is None:
            found.append(one)
        else:
            left.extend(reversed(parts))
    return found


def _parts(exc: BaseException) -> list[BaseException] | None:
    """What is in a group; ``None`` for what is no group."""
    if not _is_group(exc):
        return None
    return list(cast("BaseExceptionGroup[BaseException]", exc).exceptions)


def _is_group(exc: BaseException) -> bool:
    return issubclass(type(exc), BaseExceptionGroup)


def same_reason(one: ExitReason, other: ExitReason) -> bool:
    """Whether two reasons are the same; a user's value may not know how to compare."""
    equal, _ = attempt(lambda: bool(one == other))
    return one is other or equal is True
