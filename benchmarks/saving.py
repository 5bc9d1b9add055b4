"""The results as JSON: every sample of every way, for whoever draws or compares."""

from __future__ import annotations

import os
import platform
import sys
from typing import TypeAlias

import trio

from benchmarks.figure import Figure, Subject
from benchmarks.rounds import Plan, Samples, all_rows

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"


def machine() -> dict[str, Json]:
    """What it ran on."""
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "trio": trio.__version__,
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "switch interval": sys.getswitchinterval(),
    }


def figure_as_json(subject: Subject, figure: Figure, samples: Samples) -> dict[str, Json]:
    """One figure, with what no table shows of it."""
    known = {row.name: row for row in figure.rows}
    unit = figure.rows[0].unit
    rows: list[Json] = []
    for name in all_rows(samples):
        row = known.get(name)
        target = None if row is None else row.target
        rows.append(
            {
                "name": name,
                "unit": unit if row is None else row.unit,
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
        "title": figure.title,
        "operation": figure.operation,
        "rows": rows,
    }


def as_json(plan: Plan, results: list[tuple[Subject, Figure, Samples]]) -> dict[str, Json]:
    """Everything."""
    return {
        "machine": machine(),
        "rounds": plan.rounds,
        "seconds": plan.effort.seconds,
        "share": plan.effort.share,
        "figures": [figure_as_json(*result) for result in results],
    }
