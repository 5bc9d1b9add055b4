"""A quick run of everything, so that no measurement rots."""

from __future__ import annotations

import math

import pytest

from benchmarks.catalogue import SUBJECTS, figure_named
from benchmarks.effort import QUICK
from benchmarks.figure import ELIXIR, Figure
from benchmarks.isolated import measure_alone
from benchmarks.rounds import Plan, measure, rows

FIGURES = [figure for subject in SUBJECTS for figure in subject.figures]
PLAN = Plan(1, QUICK, frozenset({ELIXIR}), isolate=False)


def test_figures_and_subjects_are_told_apart_by_their_names() -> None:
    names = [figure.name for figure in FIGURES]
    assert len(names) == len(set(names))
    for subject in SUBJECTS:
        if subject.name in names:
            assert subject.figures[0].name == subject.name


def test_every_target_is_beside_somebody_who_takes_part() -> None:
    for figure in FIGURES:
        sides = {contender.side for contender in figure.contenders}
        beside = {row.target.beside for row in figure.rows if row.target is not None}
        assert beside - {None} <= sides


@pytest.mark.real_clock
@pytest.mark.parametrize("figure", FIGURES, ids=[figure.name for figure in FIGURES])
def test_every_row_is_measured_by_everybody(figure: Figure) -> None:
    sides = {contender.side for contender in figure.contenders} - {ELIXIR}
    for row in rows(figure, measure(figure, PLAN)):
        assert row.samples.keys() == sides
        assert all(
            math.isfinite(value) and value >= 0
            for values in row.samples.values()
            for value in values
        )


@pytest.mark.real_clock
def test_an_interpreter_of_its_own() -> None:
    figure = figure_named("memory-process")
    assert figure.contenders[0].isolated
    values = measure_alone(figure, 0, QUICK)
    assert values.keys() == {""}
    assert 1 < values[""] < 100
