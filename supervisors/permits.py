"""How many permits may be given, and when the next one: a pure decision on times and counts.

The choice: the bucket is one number, the time at which it will be full again, instead of a count of
tokens that is topped up. Taking a token moves that time by one interval; a token is there while it
is near enough. Nothing has to run for the bucket to fill, the time of the next token is a number
that a timer can be set to and that then compares as reached, and rounding never adds up to a token
too many. The cost: it reads less like the textbook. (Networks know it as the generic cell rate
algorithm.) What would change our mind: permits that cost different numbers of tokens.
"""

from __future__ import annotations

import math

import msgspec

from runtime.containment import short_repr


def check_count(field: str, value: object, minimum: int) -> None:
    """Refuse what is not an int of at least ``minimum``."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{field}: got {value!r}, allowed is an int of {minimum} or more")
    if value < minimum:
        raise ValueError(
            f"{field}: got {short_repr(value)}, allowed is an int of {minimum} or more"
        )


def _check_positive(field: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{field}: got {value!r}, allowed is a number above 0")
    number = _as_float(value)
    if not 0 < number < math.inf:
        raise ValueError(f"{field}: got {short_repr(value)}, allowed is a finite number above 0")
    return number


def _as_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


class Rate(msgspec.Struct, frozen=True):
    """``rate`` permits per ``per`` seconds; up to ``burst`` of them are saved up in quiet times.

    ``burst`` is by default ``rate``, whole ones, and at least 1.
    """

    rate: float
    per: float = 1.0
    burst: int | None = None

    def __post_init__(self) -> None:
        rate, per = _check_positive("rate", self.rate), _check_positive("per", self.per)
        interval = per / rate
        if not 0 < interval < math.inf:
            raise ValueError(
                f"rate: got {short_repr(self.rate)} per {short_repr(self.per)} seconds, "
                f"which is one in {interval:g} seconds"
            )
        if self.burst is not None:
            check_count("burst", self.burst, 1)
            if math.isinf(interval * _as_float(self.burst)):
                raise ValueError(
                    f"burst: got {short_repr(self.burst)}, which is never full "
                    f"at one in {interval:g} seconds"
                )

    @property
    def size(self) -> int:
        """How many permits are saved up at most."""
        return max(1, int(self.rate)) if self.burst is None else self.burst

    @property
    def interval(self) -> float:
        """Seconds from one permit to the next."""
        return self.per / self.rate

    def missing(self, full_at: float, now: float) -> float:
        """How many permits are missing from a bucket that is full at ``full_at``; not rounded."""
        return max(0.0, full_at - now) / self.interval


class Permits:
    """At most ``limit`` permits in use at once, given at no more than ``rate``; either or both.

    Without a limit a permit is spent when it is given: there is nothing to give back.
    """

    __slots__ = ("_full_at", "_slack", "in_use", "limit", "rate")

    def __init__(self, limit: int | None, rate: Rate | None) -> None:
        self.in_use = 0
        self.limit: int | None = None
        self.rate: Rate | None = None
        self._full_at = -math.inf  # when the bucket will be full, if nothing is taken
        self._slack = 0.0  # a permit can be had so long before that
        self._check(limit, rate)
        self.limit, self.rate = limit, rate
        self._measure()

    def ready_at(self, now: float) -> float:
        """When one can be given: ``now``, later, or ``inf`` if one must be given back first."""
        if self.limit is not None and self.in_use >= self.limit:
            return math.inf
        return now if self.rate is None else max(now, self._full_at - self._slack)

    def take(self, now: float) -> bool:
        """Give a permit, which ``ready_at`` must have allowed; whether it is to be given back."""
        if self.rate is not None:
            self._full_at = max(self._full_at, now) + self.rate.interval
        if self.limit is None:
            return False
        self.in_use += 1
        return True

    def give_back(self, count: int) -> None:
        """So many are no longer in use."""
        self.in_use -= count

    def like_new_at(self, now: float) -> float:
        """From when on a limiter started afresh would do the same; ``inf`` while any is in use."""
        return math.inf if self.in_use else max(now, self._full_at)

    def set_limit(self, limit: int | None) -> None:
        """From now on so many. Those in use beyond it stay so until they are given back."""
        self._check(limit, self.rate)
        self.limit = limit

    def set_rate(self, rate: Rate | None, now: float) -> None:
        """From now on at this rate. What is saved up stays so, up to the new burst."""
        self._check(self.limit, rate)
        old, self.rate = self.rate, rate
        if old is None or rate is None:
            self._full_at = -math.inf
        else:
            saved = min(rate.size, old.size - old.missing(self._full_at, now))
            self._full_at = now + (rate.size - saved) * rate.interval
        self._measure()

    def _measure(self) -> None:
        if self.rate is not None:
            self._slack = (self.rate.size - 1) * self.rate.interval

    @staticmethod
    def _check(limit: int | None, rate: Rate | None) -> None:
        if limit is not None:
            check_count("limit", limit, 1)
        elif rate is None:
            raise ValueError("limit: got None and rate too, allowed is one of them or both")


def make_rate(rate: float | None, per: float, burst: int | None) -> Rate | None:
    """The rate these options mean; ``None`` if the rate is not limited."""
    if rate is not None:
        return Rate(rate, per, burst)
    Rate(1, per, burst)  # refuses what could be no option of any rate
    if burst is not None:
        raise ValueError(f"burst: got {burst!r} without a rate, allowed is None then")
    return None
