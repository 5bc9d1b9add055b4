"""How long workers take and whether they start: the same for a pool and for its model."""

from __future__ import annotations

from dataclasses import dataclass

BUDGET = 1.0
"""Seconds a worker may take to stop before it is killed."""


def start_takes(number: int, base: float) -> float:
    """Seconds that the start of a worker takes: no two at once."""
    return base + (number * 0x9E3779B1 % 0xFFFF + 1) * 2.0**-24


def stop_takes(number: int, base: float) -> float:
    """Seconds that the last words of a worker take."""
    return base + (number * 0x85EBCA6B % 0xFFFF + 1) * 2.0**-25


@dataclass
class Fleet:
    """How workers are just now; one that is made keeps how it starts, not how it stops."""

    start: float = 0.0
    stop: float = 0.0
    fault: str = "none"  # "raises" or "ignores", in ``init``
    made: int = 0


@dataclass(eq=False)
class Worker:
    """One process. The pool hears of what happens to it by messages, later."""

    number: int
    due: float  # when it is up or has failed, then when it has ended
    fault: str
    state: str = "starting"  # "up", "ending", "dead"
    reason: str = ""
