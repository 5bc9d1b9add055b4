"""Everything that is measured, in the order of the tables."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks import (
    calls,
    casts,
    collector,
    crashes,
    fairness,
    inspecting,
    instruments,
    latency,
    limiter,
    memory,
    registry,
    scale,
    stages,
    starts,
    stops,
    streams,
    tasks,
)
from benchmarks.figure import Figure, Subject

SUBJECTS: tuple[Subject, ...] = (
    calls.SUBJECT,
    casts.SUBJECT,
    starts.SUBJECT,
    stops.SUBJECT,
    crashes.SUBJECT,
    tasks.SUBJECT,
    streams.SUBJECT,
    stages.SUBJECT,
    registry.SUBJECT,
    limiter.SUBJECT,
    memory.SUBJECT,
    latency.SUBJECT,
    fairness.SUBJECT,
    instruments.SUBJECT,
    inspecting.SUBJECT,
    scale.SUBJECT,
    collector.SUBJECT,
)


class UnknownFigure(ValueError):
    """There is no figure and no subject of that name."""


def chosen(names: Sequence[str]) -> list[tuple[Subject, Figure]]:
    """The figures of these names, or of the subjects of these names; without names all."""
    known = {subject.name for subject in SUBJECTS} | {
        figure.name for subject in SUBJECTS for figure in subject.figures
    }
    for name in names:
        if name not in known:
            raise UnknownFigure(f"unknown: {name}; allowed are what --list shows")
    return [
        (subject, figure)
        for subject in SUBJECTS
        for figure in subject.figures
        if not names or subject.name in names or figure.name in names
    ]


def figure_named(name: str) -> Figure:
    """The figure of that name."""
    (figure,) = [one for subject in SUBJECTS for one in subject.figures if one.name == name]
    return figure
