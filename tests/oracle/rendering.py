"""Our values in Elixir's words: the one table that every trace is written with.

``say`` is the ``T.r`` of ``_trace.exs``. ``in_elixir`` says what Elixir does where Python raises:
it returns a tuple, exits, or raises too.
"""

from __future__ import annotations

import re
from typing import TypeAlias

import msgspec

from runtime import (
    AlreadyRegistered,
    AlreadyStarted,
    BadResult,
    CallExit,
    CallTimeout,
    Crashed,
    Exit,
    Exited,
    IdleTimeout,
    Ignored,
    Killed,
    NoProcess,
    Normal,
    Ok,
    Pid,
    ProcessNotFound,
    Ref,
    RegistryRef,
    Shutdown,
    StartFailed,
    StartTimeout,
    Stop,
    TaskExit,
    TaskTimeout,
    TimedOut,
)
from supervisors import (
    AlreadyPresent,
    ChildNotFound,
    ChildRunning,
    FailedToStartChild,
    GaveUp,
    MaxChildren,
)


class Thrown(Exception):
    """What a port raises where Elixir throws: Python raises exceptions only."""

    def __init__(self, value: object) -> None:
        super().__init__(value)
        self.value = value


def say(value: object) -> str:
    """A value, a reason, an outcome or a message, as the Elixir traces write it."""
    match value:
        # values
        case None:
            return "nil"
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case int() | float():
            return str(value)
        case tuple():
            return f"{{{','.join(map(say, value))}}}"
        case list():
            return f"[{','.join(map(say, value))}]"
        case Pid() | Ref():
            return "<pid>"
        # reasons
        case Normal():
            return "normal"
        case Shutdown(detail=None):
            return "shutdown"
        case Shutdown(detail=detail):
            return say(("shutdown", detail))
        case FailedToStartChild(child_id=child_id, reason=reason):
            return say(("failed_to_start_child", child_id, reason))
        case GaveUp():
            return "gave_up"
        case Killed():
            return "killed"
        case NoProcess():
            return "noproc"
        case TimedOut() | IdleTimeout():
            return "timeout"
        case Crashed(exception=BadResult() as error):
            return say(("bad_return_value", error.value))
        case Crashed(exception=error):
            return say_error(error)
        # outcomes and messages
        case Ok(value=inner):
            return say(("ok", inner))
        case Exited(reason=reason, input=None):
            return say(("exit", reason))
        case Exited(reason=reason, input=item):
            return say(("exit", (item, reason)))
        case Stop(reason=reason):
            return say(("stop", reason))
        case Exit(pid=pid, reason=reason):
            return say(("EXIT", pid, reason))
        case _:
            raise TypeError(f"Elixir has no words yet for {value!r}: add them here")


NAMES: dict[type[BaseException], str] = {TypeError: "ArgumentError", ValueError: "ArgumentError"}
"""Python's names of exceptions that Elixir calls otherwise."""

MAX_CHILDREN = "reached the maximum number of tasks for this task supervisor"
"""The beginning of what Elixir raises, and all that a trace shows of it."""

TEXTS: dict[str, str] = {
    r"via: .* is a registry of duplicate keys, .*": (
        ":via is not supported for duplicate registries"
    ),
}
"""What an error of ours says, and what Elixir's says there."""


def say_error(error: BaseException) -> str:
    """An exception by its Elixir name, and its text."""
    ours = say(error.value) if isinstance(error, Thrown) else str(error)
    words = next((text for pattern, text in TEXTS.items() if re.fullmatch(pattern, ours)), ours)
    return f"error({NAMES.get(type(error), type(error).__name__)}:{words})"


class Returned(msgspec.Struct, frozen=True):
    """Elixir returns this value."""

    value: object


class Exits(msgspec.Struct, frozen=True):
    """Elixir exits the caller with this reason."""

    reason: object


class Raises(msgspec.Struct, frozen=True):
    """Elixir raises, and this is the exception in its words."""

    error: str


InElixir: TypeAlias = Returned | Exits | Raises


def in_elixir(error: BaseException) -> InElixir:
    """What Elixir does where this exception is raised here."""
    match error:
        case Ignored():
            return Returned("ignore")
        case AlreadyStarted(pid=pid):
            return Returned(("error", ("already_started", pid)))
        case AlreadyRegistered(pid=pid):
            return Returned(("error", ("already_registered", pid)))
        case AlreadyPresent():
            return Returned(("error", "already_present"))
        case ChildRunning():
            return Returned(("error", "running"))
        case ChildNotFound():
            return Returned(("error", "not_found"))
        case StartTimeout():
            return Returned(("error", "timeout"))
        case StartFailed(reason=reason):
            return Returned(("error", reason))
        case CallExit(reason=reason) | TaskExit(reason=reason):
            return Exits(reason)
        case CallTimeout() | TaskTimeout():
            return Exits("timeout")
        case ProcessNotFound(target=RegistryRef(name=name)):
            return Raises(f"error(ArgumentError:unknown registry: :{name})")
        case ProcessNotFound():
            return Exits(NoProcess())
        case MaxChildren():
            return Raises(f"error(RuntimeError:{MAX_CHILDREN})")
        case _:
            return Raises(say_error(error))


def or_error(value: object) -> object:
    """Elixir's ``:error`` of ``update_value`` and the like, where ours is None."""
    return "error" if value is None else value
