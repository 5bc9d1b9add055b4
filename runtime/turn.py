"""How long a task may go on without letting others run, and the loop without letting threads."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from typing import Final

from trio.lowlevel import Task

from runtime._trio import schedule_points

MESSAGES: Final = 256
"""In the clock of a test, which stands still, only the number counts: turns are repeatable."""
SECONDS: Final = 0.001
LOOK_EVERY: Final = 16
"""Casts between two looks at the clock, which cost as much as a cast."""
BREATH_EVERY: Final = 0.005
BREATH: Final = 0.00005
"""Seconds; what it takes a thread to notice that it may run."""
QUICK_SWITCHES: Final = 0.0002
"""Below the length of a turn, so that with such a switch interval threads are due by force."""


class Breath:
    """Lets threads have the interpreter, however busy the loop is.

    A thread asks for it by force only when nobody has let go of it for a whole switch interval. The
    loop does at the end of every turn, but for too short a moment to be caught; so a thread might
    wait for seconds. Where that can be and there are other threads, the loop draws breath now and
    then, which costs it one hundredth.
    """

    __slots__ = ("_clock", "_due")

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._due = clock() + BREATH_EVERY

    def draw(self) -> None:
        """At the end of a turn: let threads run, if it is time for them."""
        if self._clock() < self._due:
            return
        if threading.active_count() > 1 and sys.getswitchinterval() > QUICK_SWITCHES:
            time.sleep(BREATH)
        self._due = self._clock() + BREATH_EVERY


class Turn:
    """The calls that one task has made at once since it last yielded.

    The task is told by its number, not held.
    """

    __slots__ = ("_breath", "_calls", "_clock", "_points", "_task", "_until")

    def __init__(self, clock: Callable[[], float], breath: Breath) -> None:
        self._clock = clock
        self._breath = breath
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
        self._breath.draw()
        return True
