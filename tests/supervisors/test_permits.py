"""The pure decision of the limiter: how many permits may be given, and when the next one."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisors.permits import Permits, Rate, check_count, make_rate


def take_all(permits: Permits, now: float) -> int:
    """Take what can be had at one moment."""
    taken = 0
    while permits.ready_at(now) <= now:
        permits.take(now)
        taken += 1
    return taken


def test_a_limit_gives_so_many_and_then_waits_for_one_to_come_back() -> None:
    permits = Permits(2, None)
    assert take_all(permits, 0.0) == 2
    assert (permits.in_use, permits.ready_at(1e9)) == (2, math.inf)
    permits.give_back(1)
    assert (permits.in_use, permits.ready_at(5.0)) == (1, 5.0)


def test_a_rate_gives_a_burst_and_then_one_per_interval() -> None:
    permits = Permits(None, Rate(2, per=1.0, burst=3))
    assert take_all(permits, 10.0) == 3
    assert permits.ready_at(10.0) == 10.5
    assert take_all(permits, 10.49) == 0
    assert take_all(permits, 10.5) == 1
    assert permits.ready_at(10.5) == 11.0


def test_what_is_not_taken_is_saved_up_to_the_burst_and_no_further() -> None:
    permits = Permits(None, Rate(2, burst=3))
    take_all(permits, 0.0)
    assert take_all(permits, 1.0) == 2
    assert take_all(permits, 1000.0) == 3


def test_the_burst_is_by_default_the_rate_in_whole_permits_and_at_least_one() -> None:
    assert [Rate(rate).size for rate in (0.1, 1, 2.9, 100)] == [1, 1, 2, 100]
    assert Rate(10, per=60.0).size == 10
    assert Rate(0.5, burst=4).size == 4


def test_with_both_the_scarcer_one_decides() -> None:
    permits = Permits(1, Rate(1, burst=2))
    assert take_all(permits, 0.0) == 1
    assert permits.ready_at(0.0) == math.inf, "the limit"
    permits.give_back(1)
    assert take_all(permits, 0.0) == 1
    permits.give_back(1)
    assert permits.ready_at(0.0) == 1.0, "the rate"


def test_without_a_limit_a_permit_is_spent_and_not_to_be_given_back() -> None:
    permits = Permits(None, Rate(1))
    assert permits.take(0.0) is False
    assert permits.in_use == 0
    assert Permits(1, None).take(0.0) is True


def test_it_is_like_new_when_nothing_is_in_use_and_the_bucket_is_full() -> None:
    permits = Permits(2, Rate(1, burst=2))
    assert permits.like_new_at(7.0) == 7.0
    permits.take(7.0)
    assert permits.like_new_at(7.0) == math.inf
    permits.give_back(1)
    assert permits.like_new_at(7.5) == 8.0
    assert permits.like_new_at(9.0) == 9.0


def test_a_smaller_limit_takes_nothing_away_but_gives_nothing_until_there_is_room() -> None:
    permits = Permits(3, None)
    take_all(permits, 0.0)
    permits.set_limit(1)
    permits.give_back(2)
    assert (permits.in_use, permits.ready_at(0.0)) == (1, math.inf)
    permits.give_back(1)
    assert permits.ready_at(0.0) == 0.0


def test_a_new_rate_keeps_what_is_saved_up_to_the_new_burst() -> None:
    permits = Permits(None, Rate(1, burst=4))
    permits.take(0.0)
    permits.set_rate(Rate(1, burst=2), 0.0)
    assert take_all(permits, 0.0) == 2
    permits.set_rate(Rate(10, burst=10), 0.0)
    assert permits.ready_at(0.0) == pytest.approx(0.1)
    permits.set_rate(Rate(1, per=4.0), 0.0)
    assert permits.ready_at(0.0) == 4.0


def test_half_a_token_stays_half_a_token_under_a_new_rate() -> None:
    permits = Permits(None, Rate(1))
    permits.take(0.0)
    permits.set_rate(Rate(1, per=8.0), 0.5)
    assert permits.ready_at(0.5) == 4.5


def test_a_rate_where_none_was_begins_with_a_full_bucket() -> None:
    permits = Permits(5, None)
    permits.set_rate(Rate(1, burst=2), 3.0)
    assert take_all(permits, 3.0) == 2
    permits.set_rate(None, 3.0)
    assert take_all(permits, 3.0) == 3
    permits.set_rate(Rate(1, burst=2), 3.0)
    permits.give_back(5)
    assert take_all(permits, 3.0) == 2


def test_one_of_limit_and_rate_must_be_there_always() -> None:
    neither = "got None and rate too, allowed is one of them or both"
    with pytest.raises(ValueError, match=neither):
        Permits(None, None)
    by_limit = Permits(1, None)
    with pytest.raises(ValueError, match=neither):
        by_limit.set_limit(None)
    assert take_all(by_limit, 0.0) == 1
    by_rate = Permits(None, Rate(1))
    with pytest.raises(ValueError, match=neither):
        by_rate.set_rate(None, 0.0)
    assert take_all(by_rate, 0.0) == 1
    assert by_rate.ready_at(0.0) == 1.0


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (0, ValueError, "x: got 0, allowed is an int of 1 or more"),
        (-1, ValueError, "x: got -1"),
        (True, TypeError, "x: got True, allowed is an int of 1 or more"),
        (1.0, TypeError, "x: got 1.0"),
        ("1", TypeError, "x: got '1'"),
        (None, TypeError, "x: got None"),
    ],
)
def test_what_is_no_count_is_refused(value: Any, error: type[Exception], message: str) -> None:
    """Contract 9."""
    with pytest.raises(error, match=message):
        check_count("x", value, 1)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"rate": 0}, ValueError, "rate: got 0, allowed is a finite number above 0"),
        ({"rate": -1.0}, ValueError, "rate: got -1.0"),
        ({"rate": math.nan}, ValueError, "rate: got nan"),
        ({"rate": math.inf}, ValueError, "rate: got inf"),
        ({"rate": 10**400}, ValueError, "rate: got 1000.* allowed is a finite number"),
        ({"rate": True}, TypeError, "rate: got True, allowed is a number above 0"),
        ({"rate": "5"}, TypeError, "rate: got '5'"),
        ({"rate": 1, "per": 0}, ValueError, "per: got 0, allowed is a finite number above 0"),
        ({"rate": 1, "per": math.inf}, ValueError, "per: got inf"),
        ({"rate": 1, "per": None}, TypeError, "per: got None"),
        ({"rate": 1e300, "per": 1e-300}, ValueError, "rate: got .*, which is one in 0 seconds"),
        ({"rate": 1e-300, "per": 1e300}, ValueError, "rate: got .*, which is one in inf seconds"),
        ({"rate": 1, "burst": 0}, ValueError, "burst: got 0, allowed is an int of 1 or more"),
        ({"rate": 1, "burst": 1.5}, TypeError, "burst: got 1.5"),
        ({"rate": 1, "burst": True}, TypeError, "burst: got True"),
        ({"rate": 1, "burst": 10**400}, ValueError, "burst: got .*, which is never full"),
    ],
)
def test_what_is_no_rate_is_refused(
    options: dict[str, Any], error: type[Exception], message: str
) -> None:
    """Contract 9: it names the field, what was given and what is allowed."""
    with pytest.raises(error, match=message):
        Rate(**options)


def test_no_rate_is_a_rate_of_none_without_a_burst() -> None:
    assert make_rate(None, 1.0, None) is None
    assert make_rate(3, 2.0, 1) == Rate(3, 2.0, 1)
    with pytest.raises(ValueError, match="burst: got 3 without a rate, allowed is None then"):
        make_rate(None, 1.0, 3)
    with pytest.raises(ValueError, match=r"per: got -1\.0"):
        make_rate(None, -1.0, None)


# ------------------------------------------------------------------- against a textbook

Step: TypeAlias = tuple[Any, ...]


class Textbook:
    """A semaphore and a bucket of tokens that is topped up, in exact fractions."""

    def __init__(self, limit: int | None, rate: Rate | None) -> None:
        self.limit, self.rate = limit, rate
        self.in_use = 0
        self.tokens = Fraction(0 if rate is None else rate.size)
        self.now = Fraction(0)

    def advance(self, seconds: float) -> None:
        self.now += Fraction(seconds)
        if self.rate is not None:
            new = Fraction(seconds) / Fraction(self.rate.interval)
            self.tokens = min(Fraction(self.rate.size), self.tokens + new)

    def ready_at(self) -> float:
        if self.limit is not None and self.in_use >= self.limit:
            return math.inf
        if self.rate is None:
            return float(self.now)
        missing = max(Fraction(0), 1 - self.tokens)
        return float(self.now + missing * Fraction(self.rate.interval))

    def take(self) -> None:
        self.tokens -= self.rate is not None
        self.in_use += self.limit is not None

    def set_rate(self, rate: Rate | None) -> None:
        if rate is not None:
            full = Fraction(rate.size)
            self.tokens = full if self.rate is None else min(self.tokens, full)
        self.rate = rate


# Powers of two, so that floats are exact and the two must agree to the last bit.
POWERS = st.sampled_from([0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0])
RATES = st.builds(Rate, POWERS, POWERS, st.none() | st.integers(1, 8))
LIMITS = st.none() | st.integers(1, 4)
STEPS = st.one_of(
    st.tuples(st.just("advance"), st.integers(0, 200).map(lambda eighths: eighths / 8)),
    st.tuples(st.just("take")),
    st.tuples(st.just("take")),
    st.tuples(st.just("give back")),
    st.tuples(st.just("set_limit"), LIMITS),
    st.tuples(st.just("set_rate"), st.none() | RATES),
)


@given(LIMITS, st.none() | RATES, st.lists(STEPS, max_size=60))
def test_it_agrees_with_a_bucket_that_is_topped_up(
    limit: int | None, rate: Rate | None, steps: list[Step]
) -> None:
    if limit is None and rate is None:
        limit = 1
    permits, model, now = Permits(limit, rate), Textbook(limit, rate), 0.0
    for step in steps:
        match step:
            case ("advance", seconds):
                now += seconds
                model.advance(seconds)
            case ("take",):
                if permits.ready_at(now) <= now:
                    permits.take(now)
                    model.take()
            case ("give back",):
                if permits.in_use:
                    permits.give_back(1)
                    model.in_use -= 1
            case ("set_limit", limit):
                if limit is not None or model.rate is not None:
                    permits.set_limit(limit)
                    model.limit = limit
            case _:
                rate = step[1]
                if rate is not None or model.limit is not None:
                    permits.set_rate(rate, now)
                    model.set_rate(rate)
        assert permits.ready_at(now) == model.ready_at()
        assert permits.in_use == model.in_use


@given(
    st.floats(0.01, 1e6),
    st.floats(0.01, 1e4),
    st.integers(1, 20),
    st.floats(0, 1e6),
    st.lists(st.floats(0, 3), min_size=1, max_size=80),
)
def test_no_stretch_of_time_sees_more_than_the_burst_and_the_rate_allow(
    rate: float, per: float, burst: int, start: float, waits: list[float]
) -> None:
    """Greedy, with any numbers, at moments that are multiples of the interval and odd ones."""
    permits, interval = Permits(None, Rate(rate, per, burst)), per / rate
    now, times = start, list[float]()
    for wait in waits:
        now += wait * interval
        times += [now] * take_all(permits, now)
    for first, begun in enumerate(times):
        for last in range(first + burst, len(times)):
            allowed = burst + (times[last] - begun) / interval
            assert last - first + 1 <= allowed + 1e-6 * (1 + start / interval)


@given(st.floats(0.001, 1e6), st.floats(0.001, 1e6), st.floats(0, 1e9))
def test_at_the_time_it_names_a_permit_can_be_had(rate: float, per: float, start: float) -> None:
    """So one timer is enough, and no rounding makes it spin."""
    permits, now = Permits(None, Rate(rate, per, 1)), start
    for _ in range(20):
        assert permits.ready_at(now) == now
        permits.take(now)
        now = permits.ready_at(now)
