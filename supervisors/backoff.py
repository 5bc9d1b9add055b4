"""Optional delay before a restart. The default is OTP's: restart at once."""

from __future__ import annotations

import math

import msgspec

from runtime.outcomes import check_seconds


class Backoff(msgspec.Struct, frozen=True):
    """Wait ``initial`` seconds, times ``factor`` for each further restart, at most ``maximum``.

    ``jitter`` is the part of the delay that is random: with 0.2 it lies between 80 and 100 % of
    the full delay, so that many children do not come back in step. Counted per child, until it
    has stayed up for longer than ``max_seconds`` and than its last delay.

    The supervisor's limit counts all the same: with 3 restarts in 5 seconds it gives up after less
    than a second. To wait for a database that is away, give it room: ``max_restarts=20,
    max_seconds=600.0`` with the defaults here lasts about six minutes.
    """

    initial: float = 0.1
    maximum: float = 30.0
    factor: float = 2.0
    jitter: float = 0.2

    def __post_init__(self) -> None:
        check_seconds("Backoff.initial", self.initial)
        if math.isinf(self.initial):
            raise ValueError("Backoff.initial: got inf, allowed is a finite number of seconds")
        check_seconds("Backoff.maximum", self.maximum, minimum=self.initial)
        if (
            isinstance(self.factor, bool)
            or not isinstance(self.factor, int | float)
            or (not self.factor >= 1)
        ):
            raise ValueError(f"Backoff.factor: got {self.factor!r}, allowed is 1 or more")
        if (
            isinstance(self.jitter, bool)
            or not isinstance(self.jitter, int | float)
            or (not 0 <= self.jitter <= 1)
        ):
            raise ValueError(f"Backoff.jitter: got {self.jitter!r}, allowed is 0 to 1")

    def delay(self, restarts: int, random: float) -> float:
        """Seconds to wait before the restart with this number, from 1; ``random`` from 0 to 1."""
        try:
            full = min(self.maximum, self.initial * self.factor ** (restarts - 1))
        except OverflowError:
            full = self.maximum if self.initial else 0.0
        return full * (1 - self.jitter * random)


def check_backoff(backoff: object) -> None:
    """Refuse what is no ``Backoff``."""
    if backoff is not None and not isinstance(backoff, Backoff):
        raise TypeError(f"backoff: got {backoff!r}, allowed are Backoff(...) and None")
