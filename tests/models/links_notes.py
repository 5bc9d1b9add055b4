"""What the model of links finds in a mailbox, and how it is told whether two of it are the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from runtime import ExitReason


@dataclass(frozen=True)
class Text:
    """A user's message."""

    number: int


@dataclass(frozen=True)
class Exited:
    """``Exit``: who sent the signal, and the reason."""

    sender: int | None
    reason: ExitReason


@dataclass(frozen=True)
class Downed:
    """``Down``: which monitor, whose end, the reason, the name that was monitored."""

    monitor: int
    process: int | None
    reason: ExitReason
    name: str | None


Note: TypeAlias = Text | Exited | Downed


def same_reason(one: ExitReason, other: ExitReason) -> bool:
    """Whether two reasons are the same; a user's value may not know how to compare."""
    return one is other or (type(one) is type(other) and bool(one == other))


def is_what_was_raised(exc: BaseException, expected: BaseException | type[BaseException]) -> bool:
    """Whether that was raised; Trio makes another group of one that leaves a cancelled scope."""
    if isinstance(exc, BaseExceptionGroup) and isinstance(expected, BaseExceptionGroup):
        return exc.exceptions == expected.exceptions
    return exc is expected or type(exc) is expected


def same(one: Note, other: Note) -> bool:
    """Whether two messages are the same."""
    match one, other:
        case Exited(), Exited():
            return one.sender == other.sender and same_reason(one.reason, other.reason)
        case Downed(), Downed():
            places = (one.monitor, one.process, one.name) == (
                other.monitor,
                other.process,
                other.name,
            )
            return places and same_reason(one.reason, other.reason)
        case _:
            return one == other


def compare(expected: list[Note], found: list[Note]) -> None:
    """The same messages, in any order."""
    left = list(found)
    for note in expected:
        fitting = [one for one in left if same(one, note)]
        assert fitting, f"{note} is not among {found}"
        left = [one for one in left if one is not fitting[0]]
    assert left == []
