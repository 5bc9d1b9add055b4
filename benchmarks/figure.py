"""What a figure is: what one operation of it is, who does it, and what it should come to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from benchmarks.effort import Effort, Values

Measure: TypeAlias = Callable[[Effort], Values]

OURS = "ours"
TRIO = "trio"
ASYNCIO = "asyncio"
ELIXIR = "elixir"
SIDES = (OURS, TRIO, ASYNCIO, ELIXIR)


@dataclass(frozen=True, slots=True)
class Contender:
    """One that does it. Of several of one ``side``, told apart by ``way``, the fastest counts.

    An ``isolated`` one gets an interpreter of its own, and need not clean up in it.
    """

    side: str
    measure: Measure
    way: str = ""
    isolated: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """At most so many times what ``beside`` takes; without one, at most so much."""

    most: float
    beside: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One value among those a measurement gives, with its own target."""

    name: str = ""
    target: Target | None = None
    unit: str = "µs"


Ratios: TypeAlias = tuple[tuple[str, str], ...]

BESIDE_OTHERS: Ratios = ((OURS, TRIO), (OURS, ELIXIR))


@dataclass(frozen=True, slots=True)
class Figure:
    """Something that is measured.

    ``rounds`` caps how often: for what takes long, or comes out the same every time.
    """

    name: str
    title: str
    operation: str
    contenders: tuple[Contender, ...]
    rows: tuple[Row, ...] = (Row(),)
    rounds: int | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """The figures of one file; those of one ``section`` share a table."""

    name: str
    section: str
    figures: tuple[Figure, ...]
    ratios: Ratios = BESIDE_OTHERS


def one_row(most: float, beside: str) -> tuple[Row, ...]:
    """The only row of a figure that has a target."""
    return (Row(target=Target(most, beside)),)
