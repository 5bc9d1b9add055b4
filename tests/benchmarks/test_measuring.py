from __future__ import annotations

import math

import pytest

from benchmarks.measuring import (
    Summary,
    distribution,
    fastest,
    is_close,
    quantile,
    ratio,
    repetitions,
    summary,
    verdict,
)


def test_a_summary_is_the_median_and_the_ends() -> None:
    assert summary([5.0, 1.0, 2.0]) == Summary(2.0, 1.0, 5.0)
    assert summary([4.0, 1.0]) == Summary(2.5, 1.0, 4.0)
    assert summary([7.0]) == Summary(7.0, 7.0, 7.0)


def test_a_ratio_is_taken_round_by_round() -> None:
    """In the second round everything was slower, and the ratio the same."""
    assert ratio([2.0, 20.0, 3.0], [1.0, 10.0, 1.0]) == Summary(2.0, 2.0, 3.0)


def test_a_ratio_wants_as_many_rounds_of_both() -> None:
    with pytest.raises(ValueError, match="shorter"):
        ratio([1.0, 2.0], [1.0])


def test_nothing_is_infinitely_less() -> None:
    assert ratio([1.0], [0.0]) == Summary(math.inf, math.inf, math.inf)


def test_the_fastest_way_is_the_one_with_the_lowest_median() -> None:
    assert fastest({"often": [1.0, 1.0, 9.0], "once": [0.5, 2.0, 2.0]}) == "often"


def test_a_target_is_met_by_the_median_and_exactly_is_enough() -> None:
    assert verdict(Summary(1.0, 0.5, 3.0), 1.0) == "yes"
    assert verdict(Summary(1.01, 0.5, 3.0), 1.0) == "no"


@pytest.mark.parametrize(
    ("low", "high", "close"), [(0.9, 1.1, True), (0.5, 1.0, False), (1.1, 1.2, False)]
)
def test_it_is_close_if_some_rounds_meet_it_and_some_do_not(
    low: float, high: float, close: bool
) -> None:
    assert is_close(Summary(1.0, low, high), 1.0) is close


def test_a_quantile_is_one_of_the_values() -> None:
    values = [float(number) for number in range(1, 1001)]
    assert [quantile(values, share) for share in (0.0, 0.5, 0.99, 0.999, 1.0)] == [
        1.0, 500.0, 990.0, 999.0, 1000.0,
    ]  # fmt: skip
    assert quantile([3.0], 0.5) == 3.0


def test_a_distribution_sorts_first() -> None:
    assert distribution([3.0, 1.0, 2.0]) == {
        "p10": 1.0, "p25": 1.0, "p50": 2.0, "p75": 3.0, "p90": 3.0, "p99": 3.0, "p99.9": 3.0,
        "p99.99": 3.0, "max": 3.0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("count", "took", "wanted", "repeated"),
    [
        (100, 1.0, 2.0, 200),
        (100, 1.0, 50.0, 1000),
        (100, 0.0, 1.0, 1000),
        (100, 1.0, 0.1, 10),
        (1, 10.0, 1.0, 1),
    ],
)
def test_repetitions_fill_the_time_but_grow_at_most_tenfold(
    count: int, took: float, wanted: float, repeated: int
) -> None:
    assert repetitions(count, took, wanted) == repeated
