"""A durable queue as the source of a pipeline: each message is handled, or is a dead letter."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

import pytest
import trio

from runtime import CallExit, Node, wait_exit
from supervisors.backoff import Backoff
from supervisors.pipeline.message import Message
from supervisors.pipeline.pipeline_ref import PipelineRef
from supervisors.pipeline.sources.queue_store import QueueStore
from supervisors.pipeline.sources.sqlite_queue import SqliteQueue
from supervisors.pipeline.sources.sqlite_queue_ref import SqliteQueueRef
from tests.supervisors.collecting import Collecting, until
from tests.supervisors.queue_parts import all_gone, source

# Virtual time does not wait for threads.
pytestmark = pytest.mark.real_clock

AT_ONCE = Backoff(initial=0.0, maximum=0.0)


@pytest.fixture
def queue(tmp_path: Path) -> SqliteQueueRef[int]:
    return SqliteQueueRef(tmp_path / "queue.sqlite", int)


# ---------------------------------------------------------------------- what is handled


async def test_what_is_in_the_queue_is_handled_in_order_and_gone(
    node: Node, queue: SqliteQueueRef[int]
) -> None:
    await queue.put_many(range(2500))
    collecting = Collecting()
    async with collecting.running(source(queue)):
        await collecting.come(2500)
        await until(lambda: all_gone(queue))
    assert collecting.data == list(range(2500))


async def test_what_is_put_meanwhile_is_heard_of_at_once(
    node: Node, queue: SqliteQueueRef[int]
) -> None:
    collecting = Collecting()
    async with collecting.running(source(queue, poll=1000.0)):
        await trio.sleep(0.3)  # it looks ever less often by itself
        for number in range(5):
            await queue.put(number)
            await collecting.come(number + 1)
        with QueueStore(queue.path) as store:
            await trio.to_thread.run_sync(store.put, b"5")
        await collecting.come(6)
    assert collecting.data == [0, 1, 2, 3, 4, 5]


async def test_what_another_program_puts_is_found_by_looking(
    node: Node, queue: SqliteQueueRef[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("supervisors.pipeline.sources.queue_store.wake", lambda path: None)
    collecting = Collecting()
    async with collecting.running(source(queue, poll=0.05)):
        with QueueStore(queue.path) as store:
            for number in range(3):
                store.put(str(number).encode())
                await collecting.come(number + 1)
                await trio.sleep(0.1)


async def test_what_is_delayed_comes_when_it_is_due(node: Node, queue: SqliteQueueRef[int]) -> None:
    collecting = Collecting()
    await queue.put(1, delay=0.2)
    began = time.monotonic()
    async with collecting.running(source(queue, poll=1000.0)):
        await collecting.come(1)
    assert 0.15 < time.monotonic() - began < 5


async def test_a_message_says_what_is_known_of_it(node: Node, queue: SqliteQueueRef[int]) -> None:
    collecting = Collecting()
    await queue.put(7, key="seven")
    async with collecting.running(source(queue)):
        await collecting.come(1)
    (message,) = collecting.messages
    put_at = message.metadata["put_at"]
    assert isinstance(put_at, float)
    assert abs(put_at - time.time()) < 10
    assert message.metadata == {
        "id": 1,
        "key": "seven",
        "attempt": 1,
        "put_at": put_at,
        "last_failure": None,
    }


async def test_no_more_is_leased_than_was_asked_for(node: Node, queue: SqliteQueueRef[int]) -> None:
    await queue.put_many(range(100))
    held = trio.Event()

    async def handle(message: Message[int]) -> None:
        await held.wait()

    collecting = Collecting(handle)
    async with collecting.running(source(queue), max_demand=7):
        await collecting.come(1)
        await trio.sleep(0.1)
        numbers = await queue.statistics()
        assert (numbers.ready, numbers.leased) == (93, 7)
        held.set()
        await until(lambda: all_gone(queue))


# ---------------------------------------------------------------------- looking in, options


async def test_it_shows_what_it_waits_for(node: Node, queue: SqliteQueueRef[int]) -> None:
    made: list[SqliteQueue[int]] = []

    def make() -> SqliteQueue[int]:
        made.append(SqliteQueue(queue))
        return made[-1]

    collecting = Collecting()
    async with collecting.running(make, max_demand=4):
        await collecting.come(0)
        await trio.sleep(0.05)
        facts = made[0].facts()
        assert (facts["unmet demand"], facts["under way"]) == (4, 0)
        assert repr(made[0]._answers) == f"<answers of {queue!r}>"


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no lease": ({"lease": 0}, "lease: got 0, allowed is 0.001 or more seconds"),
    "an endless lease": ({"lease": math.inf}, "lease: got inf, allowed is a finite number"),
    "no attempt": ({"max_attempts": 0}, "max_attempts: got 0, allowed is an int of 1 or more"),
    "another delay": ({"retry": 1.0}, "retry: got 1.0, allowed is a Backoff"),
    "no pause": ({"poll": 0}, "poll: got 0, allowed is 0.001 or more seconds"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_option_is_refused(queue: SqliteQueueRef[int], what: str) -> None:
    options, text = BAD[what]
    with pytest.raises((TypeError, ValueError), match=text):
        SqliteQueue(queue, **options)


def test_a_source_that_is_no_queue_is_refused() -> None:
    what: Any = "queue.sqlite"
    with pytest.raises(TypeError, match=r"queue: got 'queue\.sqlite', allowed is a SqliteQueueRef"):
        SqliteQueue(what)


async def test_a_queue_that_cannot_be_opened_ends_the_pipeline(node: Node, tmp_path: Path) -> None:
    path = tmp_path / "notes"
    path.write_text("no queue, but something long enough to look like a header " * 10)
    collecting = Collecting()
    running = await collecting.start(source(SqliteQueueRef(path, int)))
    with trio.fail_after(10):
        reason = await wait_exit(running)
    assert "is not a database" in repr(reason)
    with pytest.raises(CallExit):
        await PipelineRef("line").statistics()
