"""Which parts of a row of numbers are done, whatever the order in which they were: pure.

For a file the numbers are its bytes. ``mark`` is where the first part begins that is not done: all
before it is done, and need not be known any more closely.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator


class Ranges:
    """A set of numbers from 0 on, kept as the ranges it consists of.

    Adjacent ranges are one, so what is kept grows with the holes and not with what is done.
    """

    def __init__(self, ranges: Iterable[tuple[int, int]] = ()) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, end in ranges:
            self.add(start, end)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return zip(self._starts, self._ends, strict=True)

    @property
    def mark(self) -> int:
        """All numbers below are in it, and this one is not."""
        return self._ends[0] if self._starts and self._starts[0] == 0 else 0

    @property
    def end(self) -> int:
        """No number from here on is in it."""
        return self._ends[-1] if self._ends else 0

    def add(self, start: int, end: int) -> None:
        """Put in the numbers from ``start`` to below ``end``; some may be in it already."""
        if start >= end:
            return
        first = bisect_left(self._ends, start)  # the first that ends at the start or later
        last = bisect_right(self._starts, end)  # behind the last that begins at the end or before
        if first < last:
            start = min(start, self._starts[first])
            end = max(end, self._ends[last - 1])
        self._starts[first:last] = [start]
        self._ends[first:last] = [end]

    def end_of(self, number: int) -> int | None:
        """Where the range ends that ``number`` is in; ``None`` if it is in none."""
        index = bisect_right(self._starts, number) - 1
        if index < 0 or self._ends[index] <= number:
            return None
        return self._ends[index]
