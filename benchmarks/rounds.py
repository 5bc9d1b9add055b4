"""The rounds of a figure: every contender in turn, then every one again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter

from benchmarks.effort import FULL, Effort, Values
from benchmarks.figure import Contender, Figure, Row, Target
from benchmarks.isolated import measure_alone
from benchmarks.measuring import Summary, fastest, ratio, summary


@dataclass(frozen=True, slots=True)
class Plan:
    """How it is measured: which sides take part, how often, with what effort.

    No round of a figure begins after ``patience`` seconds, but for the first.
    """

    rounds: int = 7
    effort: Effort = FULL
    without: frozenset[str] = frozenset()
    isolate: bool = True
    patience: float = 8.0


@dataclass(frozen=True, slots=True)
class Measured:
    """One row of a figure: of each side the samples of its fastest way."""

    row: Row
    samples: Mapping[str, list[float]]
    ways: Mapping[str, str]
    others: Mapping[str, Mapping[str, Summary]]  # by side, the ways that were not the fastest

    def summary(self, side: str) -> Summary | None:
        """How long it took that side, if it took part."""
        return summary(self.samples[side]) if side in self.samples else None

    def ratio(self, one: str, other: str) -> Summary | None:
        """How many times the other the one is, if both took part."""
        if one not in self.samples or other not in self.samples:
            return None
        return ratio(self.samples[one], self.samples[other])

    def against(self, target: Target, side: str) -> Summary | None:
        """What the target speaks of: a ratio, or the side's own value."""
        return self.summary(side) if target.beside is None else self.ratio(side, target.beside)


Samples = dict[Contender, list[Values]]


def measure(figure: Figure, plan: Plan) -> Samples:
    """The values of every round, by contender; within a round, one after the other."""
    contenders = [
        (place, contender)
        for place, contender in enumerate(figure.contenders)
        if contender.side not in plan.without
    ]
    samples: Samples = {contender: [] for _, contender in contenders}
    began = perf_counter()
    for number in range(min(plan.rounds, figure.rounds or plan.rounds)):
        if number and perf_counter() - began > plan.patience:
            break
        for place, contender in contenders:
            if contender.isolated and plan.isolate:
                values = measure_alone(figure, place, plan.effort)
            else:
                plan.effort.settle()
                values = contender.measure(plan.effort)
            samples[contender].append(values)
    return samples


def rows(figure: Figure, samples: Samples) -> list[Measured]:
    """What the table shows of it."""
    return [measured(row, samples) for row in figure.rows]


def all_rows(samples: Samples) -> list[str]:
    """The names of everything that was measured, also what no table shows."""
    return list(dict.fromkeys(row for runs in samples.values() for run in runs for row in run))


def measured(row: Row, samples: Samples) -> Measured:
    """One row of it, also one that no table shows."""
    by_side: dict[str, dict[str, list[float]]] = {}
    for contender, runs in samples.items():
        values = [run[row.name] for run in runs if row.name in run]
        if values:
            by_side.setdefault(contender.side, {})[contender.way] = values
    best = {side: fastest(ways) for side, ways in by_side.items()}
    return Measured(
        row,
        {side: ways[best[side]] for side, ways in by_side.items()},
        best,
        {
            side: {way: summary(values) for way, values in ways.items() if way != best[side]}
            for side, ways in by_side.items()
        },
    )
