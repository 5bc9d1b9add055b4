"""What happens in an example of ``test_mailbox``, as it is written down and replayed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from tests.models import mailbox_steps as do


@dataclass(frozen=True)
class Refused:
    """An operation raised: the class of the error and what it says in its attributes."""

    error: type[BaseException]
    details: tuple[object, ...] = ()


@dataclass(frozen=True)
class Got:
    """``receive`` returned this message."""

    kind: do.Kind
    number: int


@dataclass(frozen=True)
class TimedOut:
    """It raised ``ReceiveTimeout``."""


@dataclass(frozen=True)
class Cancelled:
    """Its scope was cancelled."""


@dataclass(frozen=True)
class Broke:
    """It raised what its predicate raised."""


Over: TypeAlias = Got | TimedOut | Cancelled | Broke | Refused


@dataclass
class Made:
    """An operation was made."""

    op: do.Op
    outcome: object = None


@dataclass
class Began:
    """A ``receive`` begins."""

    reader: int
    receive: do.Receive


@dataclass
class Ended:
    """It is over."""

    reader: int
    over: Over


What: TypeAlias = Made | Began | Ended


@dataclass
class Entry:
    """What happened, when, and how many events of the node had been told then."""

    at: int
    time: float
    what: What
