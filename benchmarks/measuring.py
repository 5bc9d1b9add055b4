"""What the samples of several rounds say: medians, spreads, ratios, and whether a target is met.

Nothing here measures or prints, so all of it is tested.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

Verdict: TypeAlias = Literal["yes", "no"]


@dataclass(frozen=True, slots=True)
class Summary:
    """The median of some samples, and the lowest and the highest of them."""

    median: float
    low: float
    high: float


def summary(samples: Sequence[float]) -> Summary:
    """The median and the spread; at least one sample is needed."""
    return Summary(statistics.median(samples), min(samples), max(samples))


def ratio(one: Sequence[float], other: Sequence[float]) -> Summary:
    """How many times ``other`` the ``one`` is, round by round.

    The machine is not the same from one round to the next; within a round it nearly is.
    """
    pairs = zip(one, other, strict=True)
    return summary([mine / theirs if theirs else math.inf for mine, theirs in pairs])


def fastest(ways: Mapping[str, Sequence[float]]) -> str:
    """Which of several ways to do the same has the lowest median."""
    return min(ways, key=lambda way: statistics.median(ways[way]))


def verdict(measured: Summary, most: float) -> Verdict:
    """Whether the median is within a target."""
    return "yes" if measured.median <= most else "no"


def is_close(measured: Summary, most: float) -> bool:
    """Whether another run might well say something else: the target is within the spread."""
    return measured.low <= most < measured.high


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value that ``share`` of all the values, sorted already, do not exceed (nearest rank)."""
    rank = math.ceil(share * len(ordered))
    return ordered[min(max(rank, 1), len(ordered)) - 1]


QUANTILES: dict[str, float] = {
    "p10": 0.1, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p90": 0.9, "p99": 0.99, "p99.9": 0.999,
    "p99.99": 0.9999, "max": 1.0,
}  # fmt: skip


def distribution(values: Sequence[float]) -> dict[str, float]:
    """What a plot of a distribution needs of it."""
    ordered = sorted(values)
    return {name: quantile(ordered, share) for name, share in QUANTILES.items()}


def repetitions(count: int, took: float, wanted: float) -> int:
    """How many times to do it for it to take ``wanted``, if ``count`` of it ``took`` so long.

    At most ten times as many: what was timed too briefly says little of what follows.
    """
    if took <= 0:
        return count * 10
    return max(1, min(count * 10, round(count * wanted / took)))
