"""The leases of a durable queue: held while they are needed, left when they are not."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import trio

from runtime import Node, exit, get_state, kill, wait_exit
from supervisors.backoff import Backoff
from supervisors.pipeline.message import Message
from supervisors.pipeline.pipeline_ref import PipelineRef
from supervisors.pipeline.sources.file_commits import FileCommits
from supervisors.pipeline.sources.queue_store import QueueStore
from supervisors.pipeline.sources.sqlite_queue_ref import SqliteQueueRef
from tests.supervisors.collecting import Collecting, stage, until
from tests.supervisors.queue_parts import all_gone, source

# Virtual time does not wait for threads.
pytestmark = pytest.mark.real_clock

AT_ONCE = Backoff(initial=0.0, maximum=0.0)


@pytest.fixture
def queue(tmp_path: Path) -> SqliteQueueRef[int]:
    return SqliteQueueRef(tmp_path / "queue.sqlite", int)


# ---------------------------------------------------------------------- leases


async def test_the_leases_of_what_is_under_way_are_extended(
    node: Node, queue: SqliteQueueRef[int]
) -> None:
    async def handle(message: Message[int]) -> None:
        await trio.sleep(1.2)

    collecting = Collecting(handle)
    await queue.put(1)
    async with collecting.running(source(queue, lease=0.3), concurrency=2):
        await collecting.come(1)
        await until(lambda: all_gone(queue))
    assert collecting.data == [1]


async def test_a_lease_that_somebody_else_has_is_not_extended(
    node: Node, queue: SqliteQueueRef[int]
) -> None:
    held = trio.Event()

    async def handle(message: Message[int]) -> None:
        await held.wait()

    collecting = Collecting(handle)
    await queue.put_many([1, 2])
    async with collecting.running(source(queue, lease=0.3)):
        await collecting.come(1)
        server = await get_state(stage("producer_0"))
        answers = server["_answers"]
        assert len(answers.under_way) == 2
        with QueueStore(queue.path) as store:
            with store._file.writing() as db:
                db.execute("UPDATE messages SET delivery = 9 WHERE id = 1")

        async def noticed() -> bool:
            return {one.message for one in answers.under_way} == {2}

        await until(noticed)
        held.set()
        await collecting.come(2)
    assert (await queue.statistics()).leased == 1


# ---------------------------------------------------------------------- crashes, stops


async def test_a_killed_processor_gives_its_messages_back_and_that_was_no_attempt(
    node: Node, queue: SqliteQueueRef[int]
) -> None:
    held = trio.Event()

    async def handle(message: Message[int]) -> None:
        await held.wait()

    collecting = Collecting(handle)
    await queue.put_many([1, 2])
    async with collecting.running(source(queue, poll=1000.0)):
        await collecting.come(1)
        kill(stage("processor_0"))
        held.set()
        await collecting.come(3)
        await until(lambda: all_gone(queue))
    assert collecting.data == [1, 1, 2]
    assert {one.metadata["attempt"] for one in collecting.messages} == {1}


async def test_the_messages_of_a_killed_source_are_still_answered_for(
    node: Node, queue: SqliteQueueRef[int]
) -> None:
    held = trio.Event()

    async def handle(message: Message[int]) -> None:
        await held.wait()

    collecting = Collecting(handle)
    await queue.put_many([1, 2])
    async with collecting.running(source(queue)):
        await collecting.come(1)
        kill(stage("producer_0"))
        held.set()
        await until(lambda: all_gone(queue))
        await queue.put(3)
        await collecting.come(3)
    assert collecting.data == [1, 2, 3]


async def test_a_drain_takes_nothing_more_and_finishes_what_is_under_way(
    node: Node, queue: SqliteQueueRef[int]
) -> None:
    held = trio.Event()

    async def handle(message: Message[int]) -> None:
        await held.wait()

    collecting = Collecting(handle)
    await queue.put_many(range(100))
    await collecting.start(source(queue), max_demand=5)
    await collecting.come(1)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(PipelineRef("line").stop)
        await trio.sleep(0.1)
        held.set()
    done = len(collecting.data)
    assert 5 <= done < 20
    numbers = await queue.statistics()
    assert (numbers.ready, numbers.leased, numbers.dead) == (100 - done, 0, 0)


async def test_what_a_drain_has_no_time_for_can_be_taken_by_others_at_once(
    node: Node, queue: SqliteQueueRef[int]
) -> None:
    async def handle(message: Message[int]) -> None:
        await trio.sleep_forever()

    collecting = Collecting(handle)
    await queue.put_many(range(10))
    await collecting.start(source(queue), max_demand=5, drain_timeout=0.1)
    await collecting.come(1)
    await PipelineRef("line").stop()
    with QueueStore(queue.path) as store:
        assert [(one.data, one.attempt) for one in store.lease(100, 1.0)] == [
            (str(number).encode(), 1) for number in range(10)
        ]


async def test_a_source_that_is_stopped_in_a_fetch_leaves_nothing_leased(
    node: Node, queue: SqliteQueueRef[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its transaction is done in any case; nobody has seen the messages."""
    from supervisors.pipeline.sources import queue_statements

    lease, begun = queue_statements.lease, trio.Event()
    run = trio.lowlevel.current_trio_token()

    def slow(*args: Any) -> Any:
        run.run_sync_soon(begun.set)
        time.sleep(0.2)
        return lease(*args)

    monkeypatch.setattr(queue_statements, "lease", slow)
    await queue.put(1)
    collecting = Collecting()
    running = await collecting.start(source(queue))
    await begun.wait()
    exit(stage("producer_0"), "boom")
    await wait_exit(stage("producer_0"))
    monkeypatch.undo()
    await collecting.come(1)
    assert collecting.messages[0].metadata["attempt"] == 1
    await PipelineRef("line").stop()
    await wait_exit(running)


async def test_what_was_leased_and_not_seen_yet_is_given_back_at_the_end(
    node: Node, queue: SqliteQueueRef[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its transaction was another task's too, so the end did not wait for its answer."""
    write, hangs = FileCommits.write, iter([True])

    async def slow(self: FileCommits, work: Any, *, durable: bool = False) -> Any:
        result = await write(self, work, durable=durable)
        if next(hangs, False):
            await trio.sleep_forever()
        return result

    await queue.put_many([1, 2])
    monkeypatch.setattr(FileCommits, "write", slow)
    collecting = Collecting()
    running = await collecting.start(source(queue, poll=1000.0))

    async def taken() -> bool:
        return (await queue.statistics()).leased == 2

    await until(taken)
    exit(stage("producer_0"), "boom")
    await collecting.come(2)
    assert [one.metadata["attempt"] for one in collecting.messages] == [1, 1]
    await PipelineRef("line").stop()
    await wait_exit(running)


async def test_a_drain_in_a_fetch_gives_back_what_it_brings(
    node: Node, queue: SqliteQueueRef[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    from supervisors.pipeline.sources import queue_statements

    lease, begun = queue_statements.lease, trio.Event()
    run = trio.lowlevel.current_trio_token()

    def slow(*args: Any) -> Any:
        run.run_sync_soon(begun.set)
        time.sleep(0.2)
        return lease(*args)

    monkeypatch.setattr(queue_statements, "lease", slow)
    await queue.put(1)
    collecting = Collecting()
    await collecting.start(source(queue))
    await begun.wait()
    await PipelineRef("line").stop()
    assert collecting.data == []
    numbers = await queue.statistics()
    assert (numbers.ready, numbers.leased) == (1, 0)


async def test_an_acknowledgement_that_cannot_be_written_gives_the_messages_back(
    node: Node, queue: SqliteQueueRef[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    from supervisors.pipeline.sources import queue_statements

    acknowledge, fails = queue_statements.acknowledge, iter([True, True])

    def refuse(*args: Any) -> Any:
        if next(fails, False):
            raise OSError("disk full")
        return acknowledge(*args)

    monkeypatch.setattr(queue_statements, "acknowledge", refuse)
    await queue.put(1)
    collecting = Collecting()
    async with collecting.running(source(queue)):
        await until(lambda: all_gone(queue))
    assert collecting.data == [1, 1]
