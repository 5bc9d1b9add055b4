"""How long a task may go on without letting others run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from trio.lowlevel import Task

from runtime._trio import schedule_points

MESSAGES: Final = 256
"""In the clock of a test, which stands still, only the number counts: turns are repeatable."""
SECONDS: Final = 0.001
LOOK_EVERY: Final = 16
"""Casts between two looks at the clock, which cost as much as a cast."""


class Turn:
    """The calls that one task has made at once since it last yielded.

    The task is told by its number, not held.
    """

    __slots__ = ("_calls", "_clock", "_points", "_task", "_until")

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._task = 0
        self._points: object = None
        self._calls = 0
        self._until = 0.0

    def is_over(self, task: Task) -> bool:
        """Count a call that ``task`` has made; whether it is time for others."""
        points = schedule_points(task)
        if points != self._points or id(task) != self._task:
            self._task, self._points = id(task), points
            self._calls, self._until = MESSAGES - 1, self._clock() + SECONDS
            return False
        self._calls -= 1
        if self._calls > 0 and self._clock() < self._until:
            return False
        self._task = 0  # it yields now, and then has a turn again
        return True
