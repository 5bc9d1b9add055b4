"""Restart intensity: how many restarts, in how many seconds, are too many. A pure decision.

OTP: ``max_restarts`` and ``max_seconds``. Counted per supervisor, over all its children.
"""

from __future__ import annotations

import msgspec

from runtime.outcomes import check_seconds


class Intensity(msgspec.Struct, frozen=True):
    """At most ``max_restarts`` restarts within any ``max_seconds`` seconds."""

    max_restarts: int = 3
    max_seconds: float = 5.0

    def __post_init__(self) -> None:
        restarts = self.max_restarts
        if isinstance(restarts, bool) or not isinstance(restarts, int) or restarts < 0:
            raise ValueError(f"max_restarts: got {restarts!r}, allowed is an int of 0 or more")
        check_seconds("max_seconds", self.max_seconds)
        if self.max_seconds <= 0:
            raise ValueError(f"max_seconds: got {self.max_seconds!r}, allowed is a number above 0")

    def record(self, restarts: tuple[float, ...], now: float) -> tuple[float, ...]:
        """The times of the restarts that still count, in order, the one at ``now`` included."""
        first = 0
        while first < len(restarts) and now - restarts[first] > self.max_seconds:
            first += 1
        return (*restarts[first:], now)

    def exceeded(self, restarts: tuple[float, ...]) -> bool:
        """Whether these recorded restarts are one too many."""
        return len(restarts) > self.max_restarts

    def is_high(self, restarts: tuple[float, ...]) -> bool:
        """Whether these recorded restarts are more than half of what may be."""
        return len(restarts) * 2 > self.max_restarts
