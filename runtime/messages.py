"""What travels between processes.

Messages are frozen Structs of msgspec. A class says by its base how it is meant: a ``Call[R]``
wants a reply of type ``R``, a ``Cast`` wants none, everything else is plain information. One
mailbox holds all three, and the class decides which callback gets it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Generic, TypeVar, dataclass_transform

import msgspec

from runtime.exits import ExitReason
from runtime.pid import Pid

R_co = TypeVar("R_co", covariant=True)


@dataclass_transform(frozen_default=True, field_specifiers=(msgspec.field,))
class Call(msgspec.Struct, Generic[R_co], frozen=True):
    """A request that is answered with an ``R_co``: ``class Get(Call[int])``."""


@dataclass_transform(frozen_default=True, field_specifiers=(msgspec.field,))
class Cast(msgspec.Struct, frozen=True):
    """A request without an answer: ``class Add(Cast): by: int = 1``."""


class HandleCall(Call[R_co], frozen=True):
    """What a typed handle asks. A server that knows nothing of it is only the wrong one to ask."""


class SystemCall(Call[R_co], frozen=True):
    """A request of the runtime to a server's loop, not to its callbacks. OTP: system messages."""


class SystemCast(Cast, frozen=True):
    """A cast of the runtime to one of its own servers; it counts for no limit."""

    def gone_astray(self, pid: Pid, server: object) -> None:
        """It has reached a server that knows nothing of it; nobody's callback sees it."""


class SystemInfo(msgspec.Struct, frozen=True):
    """Information of the runtime for a process; it counts for no limit and is never dropped."""


def is_call_class(cls: type) -> bool:
    """Whether messages of this class are calls."""
    return issubclass(cls, Call)


def check_sendable(message: object) -> None:
    """Refuse a call that is sent like any other message: nobody would get its reply."""
    if is_call_class(type(message)):
        name = type(message).__name__
        raise TypeError(f"message: got {name}, a Call, which needs an answer: await ref.call(...)")


class MonitorRef:
    """Names one monitor; equal only to itself. OTP: the reference ``Process.monitor`` returns."""

    __slots__ = ("__weakref__",)


class Exit(SystemInfo, frozen=True):
    """An exit signal, as a process that traps exits finds it in its mailbox. OTP: ``{:EXIT, ...}``.

    ``pid`` is the sender: the linked process that ended, or whoever called ``exit``; ``None`` when
    that was a plain Trio task.
    """

    pid: Pid | None
    reason: ExitReason


class Down(SystemInfo, frozen=True):
    """A monitored process has ended. OTP: ``{:DOWN, ref, :process, pid, reason}``.

    ``name`` is the name that was monitored, if it was monitored by name; ``pid`` is ``None`` when
    nobody held that name.
    """

    ref: MonitorRef
    pid: Pid | None
    reason: ExitReason
    name: str | None = None


class IdleTimeout(msgspec.Struct, frozen=True):
    """Nothing arrived for as long as the last ``Idle(seconds)`` said. OTP: ``:timeout``."""


class Envelope(ABC):
    """A queued thing that is more than its message. A plain process sees what ``open`` returns."""

    __slots__ = ()

    @property
    @abstractmethod
    def droppable(self) -> bool:
        """Whether a full mailbox may throw it out."""

    @property
    @abstractmethod
    def content(self) -> object:
        """The message in it."""

    @abstractmethod
    def open(self) -> object:
        """What ``receive`` matches against and returns."""

    @abstractmethod
    def taken(self) -> None:
        """It has left the mailbox; the receiver answers for it now."""

    @abstractmethod
    def refuse(self, error: Exception) -> None:
        """It was thrown out of a full mailbox; its sender gets ``error``."""
