"""How messages become batches: by size, key, flush and time. Pure: it is told what time it is.

All batches of a batcher wait equally long, so the one that was begun first is due first: the table
of unfinished batches, in order, is the heap of deadlines, and a batch that leaves takes its
deadline along.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, Literal, TypeAlias

import msgspec

from runtime.containment import attempt
from runtime.stages.partition_dispatcher import partition_of
from supervisors.pipeline.declaration import Batcher, Full, SizedBy
from supervisors.pipeline.message import AnyMessage

Trigger: TypeAlias = Literal["size", "timeout", "flush"]
"""Why a batch left: it was full, old enough, or asked to."""


class BatchInfo(msgspec.Struct, frozen=True):
    """What ``handle_batch`` is told of its batch. ``partition`` is ``None`` without one."""

    batcher: str
    key: Hashable
    partition: int | None
    size: int
    trigger: Trigger


class Batch(msgspec.Struct, frozen=True):
    """A batch on its way from its batcher to a batch processor."""

    messages: list[AnyMessage]
    info: BatchInfo


class Added(msgspec.Struct, frozen=True):
    """The batches that messages have completed, and those that a user's function failed at."""

    batches: list[Batch]
    failed: list[AnyMessage]


class _Unfinished:
    """A batch that is being filled; ``count(message)`` says whether it is full with it."""

    __slots__ = ("count", "deadline", "messages")

    def __init__(self, deadline: float, count: Callable[[AnyMessage], bool]) -> None:
        self.messages: list[AnyMessage] = []
        self.deadline = deadline
        self.count = count


_Place: TypeAlias = tuple[Hashable, int | None]


class Batches:
    """The unfinished batches of one batcher, by key and partition.

    The timer of a batch starts at its first message. Nothing of a batch that has left stays.
    """

    def __init__(self, name: str, batcher: Batcher) -> None:
        self._name, self._batcher = name, batcher
        self._unfinished: dict[_Place, _Unfinished] = {}  # the oldest first
        self._held = 0

    def add(self, messages: Sequence[AnyMessage], now: float) -> Added:
        """One group of messages, as a processor has sent it. Never raises for a user's function."""
        added = Added([], [])
        flushing: dict[_Place, None] = {}
        for message in messages:
            place, wrong = attempt(self._place_of, message)
            if place is None:
                added.failed.append(message.fail(wrong))
                continue
            batch = self._unfinished.get(place) or self._begun(now)
            full, wrong = attempt(batch.count, message)
            if full is None:
                added.failed.append(message.fail(wrong))
                continue
            batch.messages.append(message)
            self._held += 1
            self._unfinished[place] = batch
            if full:
                flushing.pop(place, None)
                added.batches.append(self._taken(place, "size"))
            elif message.is_flush:
                flushing[place] = None
        added.batches.extend(self._taken(place, "flush") for place in flushing)
        return added

    @property
    def next_due(self) -> float | None:
        """When the oldest unfinished batch is to leave."""
        oldest = next(iter(self._unfinished.values()), None)
        return None if oldest is None else oldest.deadline

    def due(self, now: float) -> list[Batch]:
        """The batches whose time is over, oldest first, trigger ``timeout``."""
        places = [place for place, batch in self._unfinished.items() if batch.deadline <= now]
        return [self._taken(place, "timeout") for place in places]

    def flush(self) -> list[Batch]:
        """All that is left, oldest first, trigger ``flush``."""
        return [self._taken(place, "flush") for place in tuple(self._unfinished)]

    @property
    def held(self) -> int:
        """How many messages are in unfinished batches."""
        return self._held

    def _taken(self, place: _Place, trigger: Trigger) -> Batch:
        messages = self._unfinished.pop(place).messages
        self._held -= len(messages)
        return Batch(messages, BatchInfo(self._name, *place, len(messages), trigger))

    def _begun(self, now: float) -> _Unfinished:
        size = self._batcher.size
        count = _by_function(size) if isinstance(size, SizedBy) else _by_number(size)
        return _Unfinished(now + self._batcher.timeout, count)

    def _place_of(self, message: AnyMessage) -> _Place:
        by = self._batcher.partition_by
        partition = None if by is None else partition_of(by(message), self._batcher.concurrency)
        place = message.batch_key, partition
        hash(place)  # a source may have made it with any key
        return place


def _by_number(size: int) -> Callable[[AnyMessage], bool]:
    left = size

    def count(message: AnyMessage) -> bool:
        nonlocal left
        left -= 1
        return left == 0

    return count


def _by_function(size: SizedBy[Any]) -> Callable[[AnyMessage], bool]:
    so_far = size.start

    def count(message: AnyMessage) -> bool:
        nonlocal so_far
        so_far = size.step(so_far, message)
        return isinstance(so_far, Full)

    return count
