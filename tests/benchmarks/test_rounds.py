from __future__ import annotations

import pytest

import benchmarks.rounds
from benchmarks.effort import QUICK, Effort, Values
from benchmarks.figure import ELIXIR, OURS, TRIO, Contender, Figure, Measure, Row, Target
from benchmarks.measuring import Summary
from benchmarks.rounds import Plan, Samples, all_rows, measure, rows

Log = list[str]


def saying(log: Log, name: str, *values: float) -> Measure:
    """A measurement that gives these values, one after the other."""
    left = iter(values)

    def run(effort: Effort) -> Values:
        log.append(name)
        return {"": next(left)}

    return run


def figure(*contenders: Contender, rounds: int | None = None, row: Row | None = None) -> Figure:
    return Figure("name", "title", "operation", contenders, (row or Row(),), rounds)


def test_everybody_takes_a_turn_in_each_round() -> None:
    log: Log = []
    ours = Contender(OURS, saying(log, "ours", 1.0, 2.0))
    trio = Contender(TRIO, saying(log, "trio", 3.0, 4.0))
    samples = measure(figure(ours, trio), Plan(2, QUICK))
    assert log == ["ours", "trio", "ours", "trio"]
    assert samples == {ours: [{"": 1.0}, {"": 2.0}], trio: [{"": 3.0}, {"": 4.0}]}


def test_a_side_may_be_left_out() -> None:
    log: Log = []
    ours = Contender(OURS, saying(log, "ours", 1.0))
    beam = Contender(ELIXIR, saying(log, "elixir"))
    assert measure(figure(ours, beam), Plan(1, QUICK, without=frozenset({ELIXIR}))) == {
        ours: [{"": 1.0}]
    }


def test_a_figure_may_want_fewer_rounds_but_never_gets_more() -> None:
    for asked, cap, made in ((5, 2, 2), (1, 2, 1)):
        log: Log = []
        ours = Contender(OURS, saying(log, "ours", 1.0, 2.0))
        measure(figure(ours, rounds=cap), Plan(asked, QUICK))
        assert log == ["ours"] * made


def test_there_is_one_round_however_little_patience_there_is() -> None:
    log: Log = []
    ours = Contender(OURS, saying(log, "ours", 1.0, 2.0))
    measure(figure(ours), Plan(2, QUICK, patience=0.0))
    assert log == ["ours"]


def test_an_isolated_one_is_measured_elsewhere_by_its_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[str, int, Effort]] = []

    def alone(figure: Figure, place: int, effort: Effort) -> Values:
        asked.append((figure.name, place, effort))
        return {"": 7.0}

    monkeypatch.setattr(benchmarks.rounds, "measure_alone", alone)
    log: Log = []
    beam = Contender(ELIXIR, saying(log, "elixir"))
    here = Contender(OURS, saying(log, "here", 1.0))
    there = Contender(TRIO, saying(log, "not here", 2.0), isolated=True)
    both = figure(beam, here, there)
    samples = measure(both, Plan(1, QUICK, without=frozenset({ELIXIR})))
    assert samples == {here: [{"": 1.0}], there: [{"": 7.0}]}
    assert asked == [("name", 2, QUICK)]
    assert measure(figure(there), Plan(1, QUICK, isolate=False)) == {there: [{"": 2.0}]}


def test_of_each_side_the_fastest_way_counts() -> None:
    samples: Samples = {
        Contender(OURS, saying([], ""), "one"): [{"": 4.0}, {"": 6.0}],
        Contender(TRIO, saying([], ""), "slow"): [{"": 8.0}, {"": 9.0}],
        Contender(TRIO, saying([], ""), "fast"): [{"": 2.0}, {"": 2.0}],
    }
    (row,) = rows(figure(), samples)
    assert row.samples == {OURS: [4.0, 6.0], TRIO: [2.0, 2.0]}
    assert row.ways == {OURS: "one", TRIO: "fast"}
    assert row.others == {OURS: {}, TRIO: {"slow": Summary(8.5, 8.0, 9.0)}}
    assert row.summary(TRIO) == Summary(2.0, 2.0, 2.0)
    assert row.ratio(OURS, TRIO) == Summary(2.5, 2.0, 3.0)
    assert row.ratio(OURS, ELIXIR) is None
    assert row.ratio(ELIXIR, OURS) is None
    assert row.summary(ELIXIR) is None


def test_a_target_is_about_a_ratio_or_the_value_itself() -> None:
    samples: Samples = {
        Contender(OURS, saying([], "")): [{"": 4.0}],
        Contender(TRIO, saying([], "")): [{"": 2.0}],
    }
    (row,) = rows(figure(), samples)
    assert row.against(Target(1.0, TRIO), OURS) == Summary(2.0, 2.0, 2.0)
    assert row.against(Target(1.0), OURS) == Summary(4.0, 4.0, 4.0)
    assert row.against(Target(1.0, ELIXIR), OURS) is None


def test_a_side_that_does_not_have_the_row_is_not_in_it() -> None:
    samples: Samples = {
        Contender(OURS, saying([], "")): [{"p50": 1.0, "max": 2.0}],
        Contender(TRIO, saying([], "")): [{"p50": 3.0}],
    }
    (row,) = rows(figure(row=Row("max")), samples)
    assert row.samples == {OURS: [2.0]}
    assert all_rows(samples) == ["p50", "max"]
