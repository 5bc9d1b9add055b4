from __future__ import annotations

import pytest

from benchmarks.effort import Effort, Values
from benchmarks.figure import ELIXIR, OURS, TRIO, Contender, Figure, Row, Target
from benchmarks.measuring import Summary
from benchmarks.rounds import Samples, rows
from benchmarks.table import Part, cell, number, table, target_cell


def unused(effort: Effort) -> Values:
    raise AssertionError("nothing is measured here")


OF_OURS = Contender(OURS, unused)
BY_DEQUE = Contender(TRIO, unused, "deque")
BY_CHANNEL = Contender(TRIO, unused, "channel")
OF_ELIXIR = Contender(ELIXIR, unused)


def part(title: str, samples: Samples, *wanted: Row) -> Part:
    figure = Figure("name", title, "operation", tuple(samples), wanted)
    return Part(figure, rows(figure, samples))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (12_345.6, "12,346"), (100.0, "100"), (99.94, "99.9"), (10.0, "10.0"), (9.994, "9.99"),
        (1.0, "1.00"), (0.9949, "0.995"), (0.12, "0.120"), (0.0, "0.000"),
    ],
)  # fmt: skip
def test_a_number_has_three_digits_that_say_something(value: float, text: str) -> None:
    assert number(value) == text


def test_a_cell_shows_the_spread_if_there_is_one() -> None:
    assert cell(Summary(2.0, 1.5, 11.0)) == "2.00 (1.50..11.0)"
    assert cell(Summary(2.0, 2.0, 2.0)) == "2.00"
    assert cell(None) == "-"


def test_a_target_is_a_multiple_or_an_amount() -> None:
    assert target_cell(Target(1.4, TRIO), "µs") == "≤ 1.4 x trio"
    assert target_cell(Target(5.0), "ms") == "≤ 5 ms"
    assert target_cell(None, "µs") == ""


def test_a_table_with_targets_and_with_other_ways_below() -> None:
    wanted = Row(target=Target(2.0, TRIO))
    call: Samples = {
        OF_OURS: [{"": 2.0}, {"": 10.0}],
        BY_CHANNEL: [{"": 9.0}, {"": 9.0}],
        BY_DEQUE: [{"": 1.0}, {"": 4.0}],
    }
    start: Samples = {OF_OURS: [{"": 30.0}, {"": 30.0}], BY_DEQUE: [{"": 10.0}, {"": 10.0}]}
    spawn: Samples = {OF_OURS: [{"": 5.0}, {"": 5.0}]}
    parts = [part("call", call, wanted), part("start", start, wanted), part("spawn", spawn, Row())]
    assert (
        table(((OURS, TRIO), (OURS, ELIXIR)), parts)
        == """\
|       |              ours |              trio |         ours/trio |     target | met |
|-------|------------------:|------------------:|------------------:|-----------:|----:|
| call  | 6.00 (2.00..10.0) | 2.50 (1.00..4.00) | 2.25 (2.00..2.50) | ≤ 2 x trio | no? |
| start |              30.0 |              10.0 |              3.00 | ≤ 2 x trio |  no |
| spawn |              5.00 |                 - |                 - |            |     |

- call: trio is deque; channel 9.00"""
    )


def test_sides_of_its_own_come_after_those_known_and_ratios_as_they_are_asked_for() -> None:
    none, every = Contender("none", unused), Contender("all", unused)
    samples: Samples = {none: [{"": 2.0}], every: [{"": 3.0}], OF_OURS: [{"": 1.0}]}
    assert (
        table((("all", "none"), ("all", TRIO)), [part("call", samples, Row())])
        == """\
|      | ours | none |  all | all/none |
|------|-----:|-----:|-----:|---------:|
| call | 1.00 | 2.00 | 3.00 |     1.50 |"""
    )


def test_rows_are_named_after_the_figure_and_say_what_they_are_counted_in() -> None:
    samples: Samples = {OF_OURS: [{"p50": 2.0, "max": 9.0}], OF_ELIXIR: [{"p50": 1.0}]}
    rows = (Row("p50", Target(5.0), "ms"), Row("max", Target(1.0, ELIXIR)))
    assert (
        table((), [part("late", samples, *rows)])
        == """\
|                | ours | elixir |       target | met |
|----------------|-----:|-------:|-------------:|----:|
| late, p50 [ms] | 2.00 |   1.00 |       ≤ 5 ms | yes |
| late, max      | 9.00 |      - | ≤ 1 x elixir |   - |"""
    )
