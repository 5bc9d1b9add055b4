"""Intensity: a pure decision, against tables and an independent model."""

from __future__ import annotations

import math
from collections import deque
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisors import Intensity


def survivors(intensity: Intensity, times: list[float]) -> int:
    """How many restarts are made before one is too many."""
    recent: tuple[float, ...] = ()
    for made, at in enumerate(times):
        recent = intensity.record(recent, at)
        if intensity.exceeded(recent):
            return made
    return len(times)


@pytest.mark.parametrize(
    ("max_restarts", "max_seconds", "times", "made"),
    [
        (3, 5.0, [0, 0, 0, 0], 3),
        (3, 5.0, [0, 1, 2, 5], 3),
        (3, 5.0, [0, 1, 2, 5.01], 4),
        (3, 5.0, [0, 1, 2, 5.01, 5.99], 4),
        (3, 5.0, [0, 1, 2, 5.01, 6.02, 7.03], 6),
        (0, 5.0, [0], 0),
        (1, 1.0, [0, 2.2, 4.4], 3),
        (1, 2.0, [0, 0.9], 1),
        (1, math.inf, [0, 1e9], 1),
        (2, 0.5, [], 0),
    ],
)
def test_more_than_max_restarts_within_max_seconds_are_too_many(
    max_restarts: int, max_seconds: float, times: list[float], made: int
) -> None:
    """SUP-034 to SUP-037."""
    assert survivors(Intensity(max_restarts, max_seconds), times) == made


def test_a_restart_exactly_as_old_as_the_window_still_counts() -> None:
    """OTP: in_period is `=<`."""
    intensity = Intensity(1, 5.0)
    assert intensity.record((0.0,), 5.0) == (0.0, 5.0)
    assert intensity.record((0.0,), 5.000001) == (5.000001,)


def test_the_defaults_are_three_in_five_seconds() -> None:
    """SUP-017."""
    assert Intensity() == Intensity(3, 5.0)


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ((-1, 5.0), ValueError, "max_restarts: got -1, allowed is an int of 0 or more"),
        ((1.0, 5.0), ValueError, "max_restarts: got 1.0, allowed"),
        ((True, 5.0), ValueError, "max_restarts: got True, allowed"),
        ((None, 5.0), ValueError, "max_restarts: got None, allowed"),
        ((3, 0), ValueError, "max_seconds: got 0, allowed is a number above 0"),
        ((3, -1.0), ValueError, r"max_seconds: got -1.0, allowed"),
        ((3, math.nan), ValueError, "max_seconds: got nan, allowed"),
        ((3, "5"), TypeError, "max_seconds: got '5', allowed is a number of seconds"),
        ((3, True), TypeError, "max_seconds: got True, allowed"),
        ((3, None), TypeError, "max_seconds: got None, allowed"),
    ],
)
def test_what_is_no_intensity_is_refused(
    values: tuple[Any, Any], error: type[Exception], message: str
) -> None:
    """SUP-013: it names the field, what was given and what is allowed."""
    with pytest.raises(error, match=message):
        Intensity(*values)


def model(max_restarts: int, max_seconds: float, times: list[float]) -> int:
    """The other way round: a window slides over the sorted times."""
    window: deque[float] = deque()
    for made, at in enumerate(times):
        while window and at - window[0] > max_seconds:
            window.popleft()
        window.append(at)
        if len(window) > max_restarts:
            return made
    return len(times)


@given(
    st.integers(0, 6),
    st.sampled_from([0.5, 1.0, 2.5, 5.0, math.inf]),
    st.lists(st.integers(0, 20), max_size=30),
)
def test_it_agrees_with_a_sliding_window(
    max_restarts: int, max_seconds: float, gaps: list[int]
) -> None:
    times: list[float] = []
    for gap in gaps:
        times.append((times[-1] if times else 0.0) + gap / 4)
    expected = model(max_restarts, max_seconds, times)
    assert survivors(Intensity(max_restarts, max_seconds), times) == expected


@given(st.integers(0, 5), st.lists(st.floats(0, 100), max_size=30).map(sorted))
def test_what_is_kept_never_grows_beyond_one_too_many_before_it_gives_up(
    max_restarts: int, times: list[float]
) -> None:
    intensity = Intensity(max_restarts, 5.0)
    recent: tuple[float, ...] = ()
    for at in times:
        recent = intensity.record(recent, at)
        assert recent[-1] == at
        assert list(recent) == sorted(recent)
        assert all(at - one <= 5.0 for one in recent)
        if intensity.exceeded(recent):
            assert len(recent) == max_restarts + 1
            break


@pytest.mark.parametrize(
    ("max_restarts", "high_from"), [(0, 1), (1, 1), (2, 2), (3, 2), (4, 3), (10, 6)]
)
def test_more_than_half_of_what_may_be_is_high(max_restarts: int, high_from: int) -> None:
    intensity = Intensity(max_restarts, 5.0)
    found = [intensity.is_high((0.0,) * count) for count in range(high_from + 3)]
    assert found == [False] * high_from + [True] * 3
