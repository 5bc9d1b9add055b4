"""Backoff: how long to wait before a restart. A pure function of two numbers."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisors import Backoff


@pytest.mark.parametrize(
    ("backoff", "delays"),
    [
        (Backoff(1.0, 30.0, 2.0, 0.0), [1, 2, 4, 8, 16, 30, 30]),
        (Backoff(1.0, 30.0, 3.0, 0.0), [1, 3, 9, 27, 30]),
        (Backoff(2.0, 30.0, 1.0, 0.0), [2, 2, 2]),
        (Backoff(0.0, 30.0, 2.0, 0.0), [0, 0, 0]),
        (Backoff(5.0, 5.0, 2.0, 0.0), [5, 5]),
        (Backoff(1.0, math.inf, 10.0, 0.0), [1, 10, 100]),
    ],
)
def test_delays_grow_by_the_factor_up_to_the_maximum(backoff: Backoff, delays: list[float]) -> None:
    assert [backoff.delay(number, 0.5) for number in range(1, len(delays) + 1)] == delays


@pytest.mark.parametrize(("random", "expected"), [(0.0, 10.0), (0.5, 9.0), (1.0, 8.0)])
def test_the_jitter_is_the_part_of_the_delay_that_is_random(random: float, expected: float) -> None:
    assert Backoff(10.0, 30.0, 2.0, 0.2).delay(1, random) == expected


def test_a_full_jitter_may_be_no_delay() -> None:
    assert Backoff(10.0, 30.0, 2.0, 1.0).delay(3, 1.0) == 0.0


def test_the_defaults() -> None:
    assert Backoff() == Backoff(initial=0.1, maximum=30.0, factor=2.0, jitter=0.2)


@pytest.mark.parametrize("restarts", [10_000, 10**9])
def test_very_many_restarts_do_not_overflow(restarts: int) -> None:
    assert Backoff(1.0, 30.0, 2.0, 0.0).delay(restarts, 0.0) == 30.0


def test_an_initial_delay_of_nothing_stays_nothing_however_often() -> None:
    for restarts in (1, 1000, 2000):
        assert Backoff(0.0, 30.0, 2.0, 0.0).delay(restarts, 0.0) == 0.0


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"initial": -1}, ValueError, "Backoff.initial: got -1"),
        ({"initial": "1"}, TypeError, "Backoff.initial: got '1', allowed is a number of seconds"),
        ({"initial": math.nan}, ValueError, "Backoff.initial: got nan"),
        ({"initial": math.inf, "maximum": math.inf}, ValueError, "Backoff.initial: got inf"),
        ({"initial": True}, TypeError, "Backoff.initial: got True"),
        ({"initial": 5, "maximum": 4}, ValueError, "Backoff.maximum: got 4, allowed is 5 or more"),
        ({"maximum": None}, TypeError, "Backoff.maximum: got None"),
        ({"factor": 0.9}, ValueError, "Backoff.factor: got 0.9, allowed is 1 or more"),
        ({"factor": math.nan}, ValueError, "Backoff.factor: got nan"),
        ({"factor": "2"}, ValueError, "Backoff.factor: got '2'"),
        ({"factor": True}, ValueError, "Backoff.factor: got True"),
        ({"jitter": -0.1}, ValueError, "Backoff.jitter: got -0.1, allowed is 0 to 1"),
        ({"jitter": 1.1}, ValueError, "Backoff.jitter: got 1.1"),
        ({"jitter": math.nan}, ValueError, "Backoff.jitter: got nan"),
        ({"jitter": "0"}, ValueError, "Backoff.jitter: got '0'"),
        ({"jitter": True}, ValueError, "Backoff.jitter: got True"),
    ],
)
def test_what_is_no_backoff_is_refused(
    options: dict[str, Any], error: type[Exception], message: str
) -> None:
    """Contract 9: it names the field, what was given and what is allowed."""
    with pytest.raises(error, match=message):
        Backoff(**options)


def model(backoff: Backoff, restarts: int, random: float) -> float:
    """Step by step, the way a person would do it."""
    full = backoff.initial
    for _ in range(restarts - 1):
        full = min(full * backoff.factor, backoff.maximum)
    full = min(full, backoff.maximum)
    return full - full * backoff.jitter * random


@given(
    st.floats(0, 100),
    st.floats(0, 1000),
    st.floats(1, 10),
    st.floats(0, 1),
    st.integers(1, 400),
    st.floats(0, 1),
)
def test_it_agrees_with_counting_step_by_step(
    initial: float, more: float, factor: float, jitter: float, restarts: int, random: float
) -> None:
    backoff = Backoff(initial, initial + more, factor, jitter)
    delay = backoff.delay(restarts, random)
    assert delay == pytest.approx(model(backoff, restarts, random), rel=1e-6, abs=1e-9)
    assert 0 <= delay <= backoff.maximum


@given(st.integers(1, 100), st.floats(0, 1))
def test_without_jitter_later_restarts_never_wait_less(restarts: int, random: float) -> None:
    backoff = Backoff(0.1, 30.0, 1.5, 0.0)
    assert backoff.delay(restarts, random) <= backoff.delay(restarts + 1, random)
