"""From when on something is worth a word."""

from __future__ import annotations

import math

import msgspec

from runtime.outcomes import check_seconds

MIN_STALL = 0.01
"""Seconds: the watchdog wakes up twice as often."""


class WatchdogLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What the watchdog puts up with; ``math.inf`` is whatever may come.

    - ``stall``: seconds for which the loop may not turn. What takes less is never told, what takes
      half as much again always is.
    - ``mailbox``: how many messages may wait in one mailbox; ``oldest``: for how many seconds.
    - ``after_kill``: seconds for which a process may live after it was killed.
    - ``every``: how often it looks at the mailboxes, in seconds.
    - ``shown``: seconds for which the alarm of a stall, which is over when it can be shown, stays.
    """

    stall: float = 0.2
    mailbox: float = 10_000
    oldest: float = 10.0
    after_kill: float = 1.0
    every: float = 1.0
    shown: float = 60.0

    def __post_init__(self) -> None:
        for field in ("oldest", "after_kill", "shown"):
            check_seconds(f"WatchdogLimits.{field}", getattr(self, field))
        check_seconds("WatchdogLimits.stall", self.stall, minimum=MIN_STALL)
        check_seconds("WatchdogLimits.every", self.every, minimum=MIN_STALL)
        if math.isinf(self.every):
            raise ValueError("WatchdogLimits.every: got inf, allowed is a finite number of seconds")
        most = self.mailbox
        whole = isinstance(most, int) or (isinstance(most, float) and math.isinf(most))
        if isinstance(most, bool) or not whole or most < 1:
            raise ValueError(
                f"WatchdogLimits.mailbox: got {most!r}, allowed are an int >= 1 and math.inf"
            )
