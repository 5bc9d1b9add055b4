"""A run that was written as JSON, to be shown again without measuring."""

from __future__ import annotations

import msgspec

from benchmarks.effort import Effort, Values
from benchmarks.figure import Contender, Figure, Row, Subject, Target
from benchmarks.rounds import Samples
from benchmarks.run import Result, Run


class _Contender(msgspec.Struct):
    side: str
    way: str
    samples: list[float]


class _Target(msgspec.Struct):
    most: float
    beside: str | None

    def as_target(self) -> Target:
        return Target(self.most, self.beside)


class _Row(msgspec.Struct):
    name: str
    unit: str
    shown: bool
    target: _Target | None
    contenders: list[_Contender]

    def as_row(self) -> Row:
        target = None if self.target is None else self.target.as_target()
        return Row(self.name, target, self.unit)


class _Figure(msgspec.Struct):
    name: str
    subject: str
    section: str
    ratios: list[tuple[str, str]]
    title: str
    operation: str
    rows: list[_Row]

    def as_result(self) -> Result:
        samples = self._samples()
        shown = tuple(row.as_row() for row in self.rows if row.shown)
        figure = Figure(self.name, self.title, self.operation, tuple(samples), shown)
        return Subject(self.subject, self.section, (figure,), tuple(self.ratios)), figure, samples

    def _samples(self) -> Samples:
        """By contender and round, as they were measured; the file has them by row."""
        rounds: dict[Contender, list[dict[str, float]]] = {}
        for row in self.rows:
            for one in row.contenders:
                runs = rounds.setdefault(Contender(one.side, measured_before, one.way), [])
                runs.extend({} for _ in range(len(one.samples) - len(runs)))
                for run, value in zip(runs, one.samples, strict=False):
                    run[row.name] = value
        return {contender: [*runs] for contender, runs in rounds.items()}


class _Run(msgspec.Struct):
    machine: dict[str, str | int | float]
    rounds: int
    seconds: float
    share: float
    figures: list[_Figure]


def measured_before(_effort: Effort) -> Values:
    """What a contender out of a file would measure."""
    raise NotImplementedError("a stored run is not measured again")


def run_in(text: str | bytes) -> Run:
    """The run; ``msgspec.DecodeError`` says what is wrong with the text."""
    stored = msgspec.json.decode(text, type=_Run)
    return Run(
        stored.machine,
        stored.rounds,
        stored.seconds,
        stored.share,
        [figure.as_result() for figure in stored.figures],
    )
