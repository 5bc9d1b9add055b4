"""How many messages may still leave in this window. Pure: it is told what time it is.

Windows follow each other without a gap from the first use on, as in Broadway, and nothing is saved
up: what was not used in one is gone with it.
"""

from __future__ import annotations

import math

from supervisors.pipeline.declaration import RateLimit


class RateWindow:
    """One counter for all producers of a pipeline; fixed windows, not smoothed."""

    __slots__ = ("_begun", "_ends", "_left", "_limit", "_now")

    def __init__(self, limit: RateLimit) -> None:
        self._limit = self._now = limit  # from the next window on, in this one
        self._begun = False  # by the first use
        self._ends = -math.inf  # when this window ends
        self._left = 0

    @property
    def limit(self) -> RateLimit:
        """What holds, or will from the next window on."""
        return self._limit

    def left(self, now: float) -> int:
        """How many more may leave in this window."""
        self._roll(now)
        return self._left

    def take(self, wanted: int, now: float) -> int:
        """How many of ``wanted`` may leave now; they count from now on."""
        self._roll(now)
        taken = min(wanted, self._left)
        self._left -= taken
        return taken

    def ends_at(self, now: float) -> float:
        """When the next window begins."""
        self._roll(now)
        return self._ends

    def change(self, limit: RateLimit, now: float, *, reset: bool) -> None:
        """Another limit, from the next window on; with ``reset`` a new window begins now."""
        if self._begun:
            self._roll(now)
        self._limit = limit
        if reset:
            self._begin(now)

    def _roll(self, now: float) -> None:
        """Begin the window that ``now`` is in, unless it has begun."""
        if not self._begun:
            self._begin(now)
        if now < self._ends:
            return
        # The grid goes on in steps of the old interval; the window that begins has the new one.
        skipped = math.floor((now - self._ends) / self._now.interval)
        self._begin(max(self._ends, self._ends + skipped * self._now.interval))
        if self._ends <= now:  # rounding, or the new interval is shorter
            self._begin(now)

    def _begin(self, at: float) -> None:
        self._begun = True
        self._now = self._limit
        self._ends = at + self._now.interval
        self._left = self._now.allowed
