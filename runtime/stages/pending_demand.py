"""How many events a consumer has asked for and not got: when it asks again, and for how many.

GenStage: ``GenStage.Utils.split_batches``. Pure arithmetic.
"""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T")


class PendingDemand(Generic[T]):
    """The demand of one subscription that asks by itself.

    At most ``max_demand`` events are under way. Whenever no more than ``min_demand`` are, as many
    are asked for as make it ``max_demand`` again.
    """

    __slots__ = ("_max", "_min", "pending")

    def __init__(self, max_demand: int, min_demand: int) -> None:
        self._max, self._min = max_demand, min_demand
        self.pending = max_demand

    def split(self, events: list[T]) -> tuple[list[tuple[list[T], int]], int]:
        """Chunks for the handler, each with what to ask for when it is done; and the excess.

        A chunk has ``max_demand - min_demand`` events, the last one fewer. The excess is how many
        of them nobody had asked for; they are in the chunks all the same.
        """
        size = self._max - self._min
        chunks: list[tuple[list[T], int]] = []
        wanted, excess = self.pending, 0
        for start in range(0, len(events), size):
            chunk = events[start : start + size] if len(events) > size else events
            counted = min(len(chunk), wanted)
            wanted -= counted
            excess += len(chunk) - counted
            chunks.append((chunk, self._used(counted)))
        return chunks, excess

    def _used(self, count: int) -> int:
        left = self.pending - count
        if left > self._min:
            self.pending = left
            return 0
        self.pending = self._max
        return self._max - left
