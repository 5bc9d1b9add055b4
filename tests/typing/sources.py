"""What the checkers know about sources: the type of what a queue holds, and of its messages."""

from __future__ import annotations

from pathlib import Path
from typing import assert_type

import msgspec

from supervisors.pipeline import Message, Source
from supervisors.pipeline.sources import (
    DeadLetter,
    Directory,
    FileLines,
    QueueStore,
    SqliteQueue,
    SqliteQueueRef,
)


class Job(msgspec.Struct):
    """What is to be done."""

    name: str


async def a_queue_knows_what_it_holds() -> None:
    jobs = SqliteQueueRef("jobs.sqlite", Job)
    assert_type(jobs, SqliteQueueRef[Job])
    assert_type(await jobs.put(Job("a"), key="a", delay=1), bool)
    assert_type(await jobs.put_many([Job("a")], key=lambda job: job.name), int)
    assert_type(await jobs.dead_letters(), list[DeadLetter[Job]])
    assert_type((await jobs.dead_letters())[0].data, Job | None)
    await jobs.put("a")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await jobs.put_many([1])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    await jobs.put_many([Job("a")], key=lambda job: job.size)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]


def sources_know_what_their_messages_are_about(jobs: SqliteQueueRef[Job]) -> None:
    queue: Source[Job] = SqliteQueue(jobs)
    lines: Source[str] = FileLines("a.txt", "checkpoint.sqlite")
    files: Source[Path] = Directory("src", "checkpoint.sqlite", pattern=["*.py", "*.md"])
    queue.emit([Message(Job("a"))])
    lines.emit([Message(1)])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    files.emit([Message(Path("a"))])
    SqliteQueue("jobs.sqlite")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    FileLines("a.txt", "checkpoint.sqlite", failed="never")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def the_plain_store_holds_bytes(store: QueueStore) -> None:
    assert_type(store.lease(1, 30.0)[0].data, bytes)
    assert_type(store.put(b"a"), bool)
    store.put("a")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
