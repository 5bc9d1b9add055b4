"""How long a task may go on calling without letting others run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from trio.lowlevel import Task

from runtime._trio import schedule_points


class Turn:
    """The calls that one task has made at once since it last yielded.

    The clock is Trio's, which stands still in a test, so there only the number of calls counts and
    a test that is repeated takes the same turns. The task is told by its number, not held.
    """

    CALLS: Final = 64
    SECONDS: Final = 0.001

    __slots__ = ("_calls", "_clock", "_points", "_task", "_until")

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._task = 0
        self._points: object = None
        self._calls = 0
        self._until = 0.0

    def goes_on(self, task: Task) -> bool:
        """Count one more call of ``task``; ``False`` if it is time for others."""
        points = schedule_points(task)
        if id(task) != self._task or points != self._points:
            self._task, self._points = id(task), points
            self._calls, self._until = self.CALLS, self._clock() + self.SECONDS
            return True
        self._calls -= 1
        if self._calls > 0 and self._clock() < self._until:
            return True
        self._task = 0  # it lets others run now, and then has a turn again
        return False
