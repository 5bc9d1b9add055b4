"""What a producer has made and nobody has asked for yet. GenStage: its buffer, ``:buffer_size``."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Generic, Literal, TypeAlias, TypeVar

from runtime.containment import short_repr
from runtime.stages.refusals import check_limit

T = TypeVar("T")

Keep: TypeAlias = Literal["last", "first"]
"""Which events stay when there is no room for all: the newest or the oldest."""


class EventBuffer(Generic[T]):
    """Events in order, and infos between them.

    - ``put(events)``: behind all others. How many events were discarded, and the infos whose turn
      has come by that.
    - ``take(count)``: the oldest events, at most ``count``, and the infos whose turn has come by
      that. It ends at an info: there may be more events behind it, so take until there are none.
    - ``mark(message)``: an info for when every event that is here now is gone. ``True``: there is
      none, it may go at once; ``False``: it is kept, and comes back from ``take`` or ``put``.
    - ``len(buffer)``: how many events it holds.

    At most ``size`` events stay, with ``None`` all; ``keep`` says which. Infos are never lost: one
    that waits for an event goes when that is taken or discarded, and they keep their order.
    """

    __slots__ = ("_events", "_gone", "_infos", "_keeps_last", "_size")

    def __init__(self, size: int | None, keep: Keep = "last") -> None:
        self._size, self._keeps_last = (
            check_limit("buffer_size", size, 0),
            _check_keep(keep) == "last",
        )
        self._events: deque[T] = deque()
        self._infos: deque[tuple[int, object]] = deque()  # how many must be gone by then, and what
        self._gone = 0

    def __len__(self) -> int:
        return len(self._events)

    def put(self, events: Sequence[T]) -> tuple[int, list[object]]:
        """Add events: how many were discarded for it, and the infos that may go now."""
        held = self._events
        if self._size is None or len(held) + len(events) <= self._size:
            held.extend(events)
            return 0, []
        if self._keeps_last:
            return self._put_last(events, self._size)
        room = self._size - len(held)
        held.extend(events[:room])
        return len(events) - room, []

    def _put_last(self, events: Sequence[T], size: int) -> tuple[int, list[object]]:
        held = self._events
        discarded = len(held) + len(events) - size
        self._gone += discarded
        if discarded < len(held):
            for _ in range(discarded):
                held.popleft()
            held.extend(events)
        else:
            held.clear()
            held.extend(events[len(events) - size :])
        return discarded, self._reached()

    def take(self, count: int) -> tuple[list[T], list[object]]:
        """The oldest events up to the next info, at most ``count``; the infos that may go now."""
        held, infos = self._events, self._infos
        count = min(count, len(held))
        if infos:
            count = min(count, infos[0][0] - self._gone)
        self._gone += count
        if count == len(held):
            taken = list(held)
            held.clear()
        else:
            taken = [held.popleft() for _ in range(count)]
        return taken, self._reached()

    def mark(self, message: object) -> bool:
        """Keep an info until the events of now are gone; whether there are none."""
        if not self._events:
            return True
        self._infos.append((self._gone + len(self._events), message))
        return False

    def _reached(self) -> list[object]:
        infos = self._infos
        if not infos:
            return []
        reached: list[object] = []
        while infos and infos[0][0] <= self._gone:
            reached.append(infos.popleft()[1])
        return reached


def _check_keep(keep: object) -> object:
    if keep not in ("last", "first"):
        raise ValueError(f"buffer_keep: got {short_repr(keep)}, allowed are 'last', 'first'")
    return keep
