"""How messages become batches: by size, key, flush and time. Pure: it is told what time it is."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, Literal, TypeAlias

import msgspec

from supervisors.pipeline.declaration import Batcher
from supervisors.pipeline.message import Message

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

    messages: list[Message[Any]]
    info: BatchInfo


class Added(msgspec.Struct, frozen=True):
    """The batches that messages have completed, and those that a user's function failed at."""

    batches: list[Batch]
    failed: list[Message[Any]]


class Batches:
    """The unfinished batches of one batcher, by key and partition.

    The timer of a batch starts at its first message. Nothing of a batch that has left stays.
    """

    def __init__(self, name: str, batcher: Batcher) -> None:
        raise NotImplementedError

    def add(self, messages: Sequence[Message[Any]], now: float) -> Added:
        """One group of messages, as a processor has sent it. Never raises for a user's function."""
        raise NotImplementedError

    @property
    def next_due(self) -> float | None:
        """When the oldest unfinished batch is to leave."""
        raise NotImplementedError

    def due(self, now: float) -> list[Batch]:
        """The batches whose time is over, oldest first, trigger ``timeout``."""
        raise NotImplementedError

    def flush(self) -> list[Batch]:
        """All that is left, oldest first, trigger ``flush``."""
        raise NotImplementedError

    @property
    def held(self) -> int:
        """How many messages are in unfinished batches."""
        raise NotImplementedError
