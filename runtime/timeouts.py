"""How long tasks wait, for a reply say: deadlines that are mostly called off.

Most calls have the same time-out, the default, and so are due in the order they were made. Those
stand in a queue of which only the first has an entry on the heap of deadlines, and leave it without
a trace, at a third of what a deadline of their own costs. They are due exactly when that would be,
also among others of the same time.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Final, Protocol

from runtime.deadlines import Deadline, Deadlines, Due

DEFAULT_TIMEOUT: Final = 5.0


class Waiting(Protocol):
    """What may wait too long."""

    def time_out(self) -> None:
        """It has."""
        ...


class Timeouts:
    """The time-outs of one node."""

    def __init__(self, deadlines: Deadlines, now: Callable[[], float]) -> None:
        self._deadlines = deadlines
        self._now = now
        self._usual: OrderedDict[Waiting, Due] = OrderedDict()
        self._next: Due | None = None  # the entry on the heap for the first of them, or one before

    def add(self, waiting: Waiting, seconds: float) -> Deadline | None:
        """Call ``time_out`` after so long, unless discarded, with what this gives, before."""
        if seconds == DEFAULT_TIMEOUT:
            due = (self._now() + seconds, self._deadlines.number())
            if self._next is None:
                self._insert(due)
            self._usual[waiting] = due
            return None
        if seconds == math.inf:
            return None
        return self._deadlines.schedule(self._now() + seconds, waiting.time_out)

    def discard(self, waiting: Waiting, deadline: Deadline | None) -> None:
        """It waits no more."""
        if deadline is None:
            self._usual.pop(waiting, None)
        else:
            self._deadlines.cancel(deadline)

    def _insert(self, due: Due) -> None:
        self._deadlines.insert(due, partial(self._is_due, due))
        self._next = due  # last: without room on the stack the next one must try again

    def _is_due(self, due: Due) -> None:
        """Perhaps that one has been discarded; the first of the rest gets an entry."""
        if due is not self._next:
            return
        self._next = None
        timed_out: Waiting | None = None
        for waiting, its_due in self._usual.items():
            if its_due is not due:
                self._insert(its_due)
                break
            timed_out = waiting
        if timed_out is not None:
            del self._usual[timed_out]
            timed_out.time_out()
