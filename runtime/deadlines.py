"""Everything that is due later, on one heap, with one task per node.

The choice: no cancel scope and no sleeping task per call timeout, idle timeout or ``send_after``,
because a scope costs more than a whole call. One task sleeps until the earliest deadline; an
earlier one moves the deadline of the scope it sleeps in, which wakes nothing and is exact on every
Trio clock, the autojump clock included. The cost: a call that ends in time leaves a stale entry;
when more than half of the heap is stale it is rebuilt.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from typing import TypeAlias

import trio

_COMPACT_ABOVE = 64


Due: TypeAlias = tuple[float, int]
"""When, and which of those that are due then."""


class Deadline:
    """One pending callback. ``callback`` is ``None`` once it has run or was cancelled."""

    __slots__ = ("at", "callback")

    def __init__(self, at: float, callback: Callable[[], None]) -> None:
        self.at = at
        self.callback: Callable[[], None] | None = callback


class Deadlines:
    """A heap of callbacks and the task that runs them; equal deadlines run in creation order."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Deadline]] = []  # when, the number of it, what
        self._sequence = 0
        self._stale = 0
        self._sleep = trio.CancelScope()

    def schedule(self, at: float, callback: Callable[[], None]) -> Deadline:
        """Run ``callback`` in the timer task once Trio's clock has reached ``at``."""
        return self.insert((at, self.number()), callback)

    def number(self) -> int:
        """The place of one more deadline among those of the same time."""
        self._sequence += 1
        return self._sequence

    def insert(self, due: Due, callback: Callable[[], None]) -> Deadline:
        """As ``schedule``, for what got its number before."""
        _ask_for_room()  # Trio's own deadline, if it were changed half-way, would never come
        at, number = due
        deadline = Deadline(at, callback)
        heapq.heappush(self._heap, (at, number, deadline))
        if at < self._sleep.deadline:
            self._sleep.deadline = at
        return deadline

    def cancel(self, deadline: Deadline) -> bool:
        """Call it off; false if it has run or was cancelled before."""
        if deadline.callback is None:
            return False
        deadline.callback = None
        self._stale += 1
        if self._stale > _COMPACT_ABOVE and self._stale * 2 > len(self._heap):
            self._heap = [entry for entry in self._heap if entry[2].callback is not None]
            heapq.heapify(self._heap)
            self._stale = 0
        return True

    async def run(self) -> None:
        """The timer task: for as long as the node lives."""
        while True:
            self._run_due(trio.current_time())
            next_at = self._heap[0][0] if self._heap else math.inf
            with trio.CancelScope(deadline=next_at) as self._sleep:
                await trio.sleep_forever()

    def _run_due(self, now: float) -> None:
        while self._heap and self._heap[0][0] <= now:
            _, _, deadline = heapq.heappop(self._heap)
            callback, deadline.callback = deadline.callback, None
            if callback is None:
                self._stale -= 1
            else:
                callback()


def _ask_for_room(frames: int = 12) -> None:
    """Raise a RecursionError now, rather than in the middle of what must not stop half-way."""
    if frames:
        _ask_for_room(frames - 1)
