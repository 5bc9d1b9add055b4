"""Fixed windows: how many may leave in this one, and when the next one begins."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisors.pipeline.declaration import RateLimit
from supervisors.pipeline.rate_window import RateWindow


def test_so_many_leave_in_a_window_and_the_rest_in_the_next_ones() -> None:
    window = RateWindow(RateLimit(3, 1.0))
    assert window.ends_at(10.0) == 11.0
    assert [window.take(5, 10.0), window.take(1, 10.0), window.left(10.0)] == [3, 0, 0]
    assert window.ends_at(10.5) == 11.0
    assert window.take(1, 10.999) == 0
    assert [window.take(2, 11.0), window.take(2, 11.9)] == [2, 1]


def test_what_is_not_used_is_gone_and_the_grid_stays() -> None:
    window = RateWindow(RateLimit(3, 1.0))
    assert window.take(1, 0.0) == 1
    assert window.left(7.5) == 3
    assert window.take(9, 7.5) == 3
    assert window.ends_at(7.5) == 8.0
    assert window.ends_at(8.0) == 9.0


def test_windows_begin_with_the_first_use() -> None:
    window = RateWindow(RateLimit(1, 10.0))
    assert window.take(1, 3.0) == 1
    assert window.ends_at(4.0) == 13.0


def test_another_limit_holds_from_the_next_window_on() -> None:
    window = RateWindow(RateLimit(3, 1.0))
    assert window.take(1, 0.0) == 1
    window.change(RateLimit(5, 2.0), 0.5, reset=False)
    assert window.limit == RateLimit(5, 2.0)
    assert window.take(9, 0.5) == 2
    assert window.ends_at(0.5) == 1.0
    assert window.take(9, 1.0) == 5
    assert window.ends_at(1.0) == 3.0


def test_with_reset_a_new_window_begins_now() -> None:
    window = RateWindow(RateLimit(3, 1.0))
    assert window.take(3, 0.0) == 3
    window.change(RateLimit(2, 1.0), 0.25, reset=True)
    assert window.take(3, 0.25) == 2
    assert window.ends_at(0.25) == 1.25


def test_a_limit_that_is_changed_before_the_first_use_holds_at_once() -> None:
    window = RateWindow(RateLimit(3, 1.0))
    window.change(RateLimit(1, 5.0), 2.0, reset=False)
    assert window.take(3, 4.0) == 1
    assert window.ends_at(4.0) == 9.0


def test_a_shorter_interval_after_a_long_silence_begins_a_window_now() -> None:
    window = RateWindow(RateLimit(3, 10.0))
    window.take(1, 0.0)
    window.change(RateLimit(1, 1.0), 0.0, reset=False)
    assert window.take(2, 19.0) == 1
    assert window.ends_at(19.0) == 20.0


@pytest.mark.parametrize("interval", [0.1, 0.15, 1 / 3, 7.0])
def test_whoever_comes_when_it_opens_finds_it_open(interval: float) -> None:
    window = RateWindow(RateLimit(1, interval))
    now = 0.3
    for _ in range(1000):
        assert window.take(1, now) == 1
        at = window.ends_at(now)
        assert now < at <= now + interval * 1.001
        now = at


@given(
    st.integers(1, 5),
    st.floats(0.01, 10),
    st.lists(st.tuples(st.floats(0, 5), st.integers(0, 7)), max_size=40),
)
def test_no_window_lets_more_pass_than_it_may(
    allowed: int, interval: float, uses: list[tuple[float, int]]
) -> None:
    window = RateWindow(RateLimit(allowed, interval))
    now, ends, passed = 100.0, 0.0, 0
    for later, wanted in uses:
        now += later
        if now >= ends:
            passed = 0
        left = window.left(now)
        taken = window.take(wanted, now)
        assert taken == min(wanted, left)
        passed += taken
        assert passed <= allowed
        assert window.left(now) == left - taken
        if window.left(now) == 0:
            ends = window.ends_at(now)
            assert now < ends <= now + interval * (1 + 1e-9)
            assert window.left(ends) == allowed
            passed, now, ends = 0, ends, 0.0
