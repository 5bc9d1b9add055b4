"""A durable queue with a clock of its own, for the tests of what stands on it."""

from __future__ import annotations

import functools
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from supervisors.pipeline.sources.queue_store import QueueStore
from supervisors.pipeline.sources.queue_values import Leased, QueueStatistics
from supervisors.pipeline.sources.sqlite_queue import SqliteQueue
from supervisors.pipeline.sources.sqlite_queue_ref import SqliteQueueRef


class Clock:
    """A clock that is set by hand."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Timed(QueueStore):
    """A queue whose clock is set by hand."""

    def __init__(self, path: Path, **options: Any) -> None:
        self.hand = Clock()
        super().__init__(path, clock=self.hand, **options)

    def wait(self, seconds: float) -> None:
        """So much later."""
        self.hand.now += seconds


@contextmanager
def timed_queue(folder: Path, **options: Any) -> Generator[Timed]:
    """One in this folder."""
    with Timed(folder / "queue.sqlite", **options) as queue:
        yield queue


def texts(leased: list[Leased]) -> list[str]:
    """What was leased."""
    return [one.data.decode() for one in leased]


EMPTY = QueueStatistics(0, 0, 0, 0, 0.0)


async def all_gone(queue: SqliteQueueRef[int]) -> bool:
    """Whether nothing is left in it."""
    return await queue.statistics() == EMPTY


def source(queue: SqliteQueueRef[int], **options: Any) -> functools.partial[SqliteQueue[int]]:
    """How a source of it is made."""
    return functools.partial(SqliteQueue, queue, **options)
