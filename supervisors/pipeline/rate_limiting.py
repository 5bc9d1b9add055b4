"""The rate limit of a running pipeline: what it is, and changing it.

Elixir: ``Broadway.get_rate_limiting`` and ``update_rate_limiting``.
"""

from __future__ import annotations

import trio

from runtime.current import find_process
from supervisors.pipeline.declaration import RateLimit, check_rate_limit
from supervisors.pipeline.line import Line
from supervisors.pipeline.rate_window import RateWindow
from supervisors.pipeline.source_outlet import RateOpens


class NotLimited(Exception):
    """The pipeline was declared without a rate limit; its sources do not count what leaves."""


def rate_limit(line: Line) -> RateLimit:
    """What holds, or will from the next window on; ``NotLimited`` if there is none."""
    return _window(line).limit


def change_rate_limit(
    line: Line, *, allowed: int | None = None, interval: float | None = None, reset: bool = False
) -> RateLimit:
    """From the next window on so many, in so long a time; ``None`` leaves it as it is.

    With ``reset`` a new window begins now, and with it what was left of this one is gone.
    """
    window = _window(line)
    was = window.limit
    limit = RateLimit(
        was.allowed if allowed is None else allowed, was.interval if interval is None else interval
    )
    window.change(check_rate_limit("rate_limit", limit), trio.current_time(), reset=reset)
    for pid in line.producer_pids():
        process = find_process(pid)
        if process is not None:
            process.post_system(RateOpens())
    return limit


def _window(line: Line) -> RateWindow:
    if line.rate is None:
        raise NotLimited(
            f"the pipeline {line.name!r} has no rate limit, "
            "it is to be declared with Producers(rate_limit=RateLimit(...))"
        )
    return line.rate
