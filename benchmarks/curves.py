"""What the plots show of a run: points, without a word on how they are drawn."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks import scale
from benchmarks.figure import SIDES, Row
from benchmarks.measuring import QUANTILES, Summary
from benchmarks.rounds import Samples, measured

MAX = "max"
SCALE, LATENCY = "scale", "latency"


@dataclass(frozen=True, slots=True)
class Curve:
    """One side, from left to right."""

    side: str
    points: Sequence[tuple[float, Summary]]


@dataclass(frozen=True, slots=True)
class Panel:
    """Curves that share their axes."""

    title: str
    curves: Sequence[Curve]


def scale_panels(samples: Samples) -> list[Panel]:
    """For each operation its cost beside so many processes."""
    return [
        Panel(
            operation,
            curves(samples, [(size, scale.row(operation, size)) for size in scale.SIZES]),
        )
        for operation in scale.OPERATIONS
    ]


def latency_panel(samples: Samples) -> Panel:
    """The distribution of one call's time; of how many in ten, hundred, thousand it is so high."""
    return Panel("", curves(samples, [(place(name), name) for name in QUANTILES]))


def place(quantile: str) -> float:
    """Where it stands on an axis on which each step to the right is ten times as rare."""
    if quantile == MAX:
        return 1 + max(place(name) for name in QUANTILES if name != MAX)
    return -math.log10(1 - QUANTILES[quantile])


def curves(samples: Samples, places: Sequence[tuple[float, str]]) -> list[Curve]:
    """A curve for each side that was measured."""
    rows = [(x, measured(Row(name), samples)) for x, name in places]
    found: list[Curve] = []
    for side in SIDES:
        points = [(x, value) for x, row in rows if (value := row.summary(side)) is not None]
        if points:
            found.append(Curve(side, points))
    return found


def digest(panels: Sequence[Panel]) -> str:
    """Written into a plot, it says of what run the plot is."""
    return hashlib.sha256(repr(panels).encode()).hexdigest()[:16]
