"""A run as JSON: every sample of every way, for whoever draws or compares."""

from __future__ import annotations

from typing import TypeAlias

from benchmarks.figure import Figure, Subject
from benchmarks.rounds import Samples, all_rows
from benchmarks.run import Run

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"


def figure_as_json(subject: Subject, figure: Figure, samples: Samples) -> dict[str, Json]:
    """One figure, with what no table shows of it."""
    known = {row.name: row for row in figure.rows}
    unit = figure.rows[0].unit
    rows: list[Json] = []
    for name in dict.fromkeys([*known, *all_rows(samples)]):
        row = known.get(name)
        target = None if row is None else row.target
        rows.append(
            {
                "name": name,
                "unit": unit if row is None else row.unit,
                "shown": row is not None,
                "target": None
                if target is None
                else {"most": target.most, "beside": target.beside},
                "contenders": [
                    {
                        "side": contender.side,
                        "way": contender.way,
                        "samples": [run[name] for run in runs if name in run],
                    }
                    for contender, runs in samples.items()
                ],
            }
        )
    return {
        "name": figure.name,
        "subject": subject.name,
        "section": subject.section,
        "ratios": [list(pair) for pair in subject.ratios],
        "title": figure.title,
        "operation": figure.operation,
        "rows": rows,
    }


def as_json(run: Run) -> dict[str, Json]:
    """Everything."""
    return {
        "machine": dict(run.machine),
        "rounds": run.rounds,
        "seconds": run.seconds,
        "share": run.share,
        "figures": [figure_as_json(*result) for result in run.results],
    }
