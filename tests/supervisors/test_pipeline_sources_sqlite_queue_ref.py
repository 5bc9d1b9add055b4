"""The handle of a durable queue: what it takes, what it says, other programs beside it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trio

from supervisors.pipeline.sources.queue_store import QueueStore
from supervisors.pipeline.sources.queue_values import Failure, QueueStatistics
from supervisors.pipeline.sources.sqlite_file import UnusableFile
from supervisors.pipeline.sources.sqlite_queue_ref import DeadLetter, SqliteQueueRef

# Virtual time does not wait for threads.
pytestmark = pytest.mark.real_clock


class Job(msgspec.Struct, frozen=True):
    """What is to be done."""

    name: str
    size: int = 0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "jobs.sqlite"


@pytest.fixture
def jobs(path: Path) -> SqliteQueueRef[Job]:
    return SqliteQueueRef(path, Job)


def stored(path: Path) -> list[bytes]:
    with QueueStore(path) as store:
        return [one.data for one in store.lease(100, 1000)]


async def test_what_is_put_is_in_the_file_as_json(jobs: SqliteQueueRef[Job], path: Path) -> None:
    assert await jobs.put(Job("a"))
    assert await jobs.put_many([Job("b", 1), Job("c", 2)]) == 2
    assert stored(path) == [
        b'{"name":"a","size":0}',
        b'{"name":"b","size":1}',
        b'{"name":"c","size":2}',
    ]


async def test_a_message_with_a_key_is_put_once(jobs: SqliteQueueRef[Job], path: Path) -> None:
    assert await jobs.put(Job("a"), key="a")
    assert not await jobs.put(Job("a", 1), key="a")
    assert await jobs.put_many([Job("a", 2), Job("b"), Job("b")], key=lambda job: job.name) == 1
    assert len(stored(path)) == 2


async def test_a_key_is_remembered_for_as_long_as_was_said(path: Path) -> None:
    jobs = SqliteQueueRef(path, Job, remember_keys=0)
    with QueueStore(path, remember_keys=0) as store:
        await jobs.put(Job("a"), key="a")
        store.acknowledge([one.lease for one in store.lease(1, 10)])
    assert await jobs.put(Job("a"), key="a")


async def test_another_encoding_can_be_given(path: Path) -> None:
    texts: SqliteQueueRef[str] = SqliteQueueRef(
        path, str, encode=str.encode, decode=partial(str, encoding="utf-8")
    )
    await texts.put("plain")
    assert stored(path) == [b"plain"]
    with pytest.raises(TypeError, match="encode, decode: got one of them"):
        SqliteQueueRef(path, str, encode=str.encode)


async def test_what_cannot_be_encoded_is_the_error_of_who_puts_it(
    jobs: SqliteQueueRef[Any],
) -> None:
    with pytest.raises(TypeError):
        await jobs.put_many([Job("a"), object()])
    assert (await jobs.statistics()).ready == 0
    with pytest.raises(ValueError, match="delay: got -1"):
        await jobs.put(Job("a"), delay=-1)
    with pytest.raises(TypeError, match="key: got 7, allowed are a string and None"):
        await jobs.put_many([Job("a")], key=lambda job: 7)  # type: ignore[arg-type, return-value]


async def test_the_numbers_of_the_queue(jobs: SqliteQueueRef[Job]) -> None:
    assert await jobs.statistics() == QueueStatistics(0, 0, 0, 0, 0.0)
    await jobs.put(Job("a"))
    await jobs.put(Job("b"), delay=1000)
    numbers = await jobs.statistics()
    assert (numbers.ready, numbers.delayed, numbers.leased, numbers.dead) == (1, 1, 0, 0)
    assert 0 <= numbers.oldest < 10


async def make_dead(jobs: SqliteQueueRef[Job], *names: str) -> None:
    await jobs.put_many([Job(name) for name in names])
    with QueueStore(jobs.path) as store:
        store.put(b"nonsense", key="k")
        store.fail([Failure(one.lease, "bad", None) for one in store.lease(100, 10)])


async def test_dead_letters_are_listed_put_back_and_discarded(jobs: SqliteQueueRef[Job]) -> None:
    await make_dead(jobs, "a", "b")
    first, second, third = await jobs.dead_letters()
    assert isinstance(first, DeadLetter)
    assert (first.data, first.raw, first.key) == (Job("a"), b'{"name":"a","size":0}', None)
    assert (first.attempts, first.reason) == (1, "bad")
    assert first.put_at <= first.died_at
    assert (third.data, third.raw, third.key) == (None, b"nonsense", "k")
    assert await jobs.dead_letters(after=first.id, limit=1) == [second]
    assert await jobs.put_back([first.id]) == 1
    assert await jobs.discard([second.id]) == 1
    assert [one.id for one in await jobs.dead_letters()] == [third.id]
    assert (await jobs.put_back(), await jobs.discard()) == (1, 0)
    with pytest.raises(ValueError, match="limit: got -1"):
        await jobs.dead_letters(limit=-1)


async def test_puts_at_the_same_time_are_all_there(jobs: SqliteQueueRef[Job]) -> None:
    async with trio.open_nursery() as nursery:
        for number in range(50):
            nursery.start_soon(jobs.put, Job(str(number)))
    assert (await jobs.statistics()).ready == 50


async def test_a_file_of_something_else_is_refused_when_it_is_used(path: Path) -> None:
    path.write_text("something else, and long enough to be read as a header " * 20)
    with pytest.raises(UnusableFile, match="file is not a database"):
        await SqliteQueueRef(path, Job).put(Job("a"))


async def test_it_shows_where_it_leads(jobs: SqliteQueueRef[Job], path: Path) -> None:
    assert repr(jobs) == f"<SqliteQueueRef {path} of Job>"
    assert jobs.path == path
    several: Any = list[int]
    assert repr(SqliteQueueRef(path, several)) == f"<SqliteQueueRef {path} of list>"


def test_one_ref_serves_several_runs(jobs: SqliteQueueRef[Job], path: Path) -> None:
    trio.run(jobs.put, Job("a"))
    trio.run(jobs.put, Job("b"))
    assert len(stored(path)) == 2
