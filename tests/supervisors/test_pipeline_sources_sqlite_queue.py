"""A durable queue as the source of a pipeline: each message is handled, or is a dead letter."""

from __future__ import annotations

import functools
import math
import time
from pathlib import Path
from typing import Any

import pytest
import trio

from runtime import CallExit, Node, exit, get_state, kill, wait_exit
from supervisors.backoff import Backoff
from supervisors.pipeline.message import Message
from supervisors.pipeline.pipeline_ref import PipelineRef
from supervisors.pipeline.sources.queue_store import QueueStore
from supervisors.pipeline.sources.queue_values import QueueStatistics
from supervisors.pipeline.sources.sqlite_queue import Rejected, SqliteQueue
from supervisors.pipeline.sources.sqlite_queue_ref import SqliteQueueRef
from tests.supervisors.source_parts import Collecting, stage, until

# Virtual time does not wait for threads.
pytestmark = pytest.mark.real_clock

EMPTY = QueueStatistics(0, 0, 0, 0, 0.0)
AT_ONCE = Backoff(initial=0.0, maximum=0.0)


@pytest.fixture
def queue(tmp_path: Path) -> SqliteQueueRef[int]:
    return SqliteQueueRef(tmp_path / "queue.sqlite", int)


async def all_gone(queue: SqliteQueueRef[int]) -> bool:
    return await queue.statistics() == EMPTY


def source(queue: SqliteQueueRef[int], **options: Any) -> functools.partial[SqliteQueue[int]]:
    return functools.partial(SqliteQueue, queue, **options)


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


async def test_no_more_is_leased_than_was_asked_for(
    node: Node, queue: SqliteQueueRef[int]
) -> None:
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


# ---------------------------------------------------------------------- what fails


async def test_what_fails_is_tried_again_and_knows_why(
    node: Node, queue: SqliteQueueRef[int]
) -> None:
    def handle(message: Message[int]) -> None:
        if message.metadata["attempt"] != 3:
            raise ValueError(f"no {message.metadata['attempt']}")

    collecting = Collecting(handle)
    await queue.put(1)
    async with collecting.running(source(queue, retry=AT_ONCE)):
        await until(lambda: all_gone(queue))
    assert [one.metadata["last_failure"] for one in collecting.messages] == [
        None,
        "ValueError: no 1",
        "ValueError: no 2",
    ]


async def test_a_delay_lies_before_the_next_attempt_and_grows(
    node: Node, queue: SqliteQueueRef[int]
) -> None:
    times: list[float] = []

    def handle(message: Message[int]) -> None:
        times.append(time.monotonic())
        if len(times) < 3:
            raise ValueError

    await queue.put(1)
    retry = Backoff(initial=0.1, maximum=10.0, factor=2.0, jitter=0.0)
    async with Collecting(handle).running(source(queue, retry=retry)):
        await until(lambda: all_gone(queue))
    assert times[1] - times[0] >= 0.1
    assert times[2] - times[1] >= 0.2


async def test_what_fails_too_often_is_a_dead_letter_and_can_be_put_back(
    node: Node, queue: SqliteQueueRef[int]
) -> None:
    fails = True

    def handle(message: Message[int]) -> None:
        if fails:
            raise ValueError("never")

    await queue.put_many([1, 2])
    collecting = Collecting(handle)
    async with collecting.running(source(queue, retry=AT_ONCE, max_attempts=2)):

        async def all_dead() -> bool:
            return (await queue.statistics()).dead == 2

        await until(all_dead)
        assert [one.metadata["attempt"] for one in collecting.messages] == [1, 1, 2, 2]
        letters = await queue.dead_letters()
        assert [(one.data, one.reason) for one in letters] == [
            (1, "ValueError: never"),
            (2, "ValueError: never"),
        ]
        fails = False
        await queue.put_back()
        await until(lambda: all_gone(queue))


class Odd:
    """Whose text raises."""

    def __repr__(self) -> str:
        raise RuntimeError


FAILURES: dict[str, tuple[Any, str]] = {
    "a text": ("no customer", "no customer"),
    "an exception": (KeyError("x"), "KeyError: 'x'"),
    "a value": (("no", 1), "('no', 1)"),
    "a value without a text": (Odd(), "<Odd whose repr raises>"),
    "not UTF-8": ("\udc80", "\\udc80"),
}


@pytest.mark.parametrize("what", FAILURES)
@pytest.mark.filterwarnings("ignore")
async def test_the_reason_of_a_failure_is_kept_as_text(
    node: Node, queue: SqliteQueueRef[int], what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    why, text = FAILURES[what]

    class Failing(Collecting):
        async def handle_message(self, message: Message[Any]) -> Message[Any]:
            return message.fail(why)

    await queue.put(1)
    async with Failing().running(source(queue, max_attempts=1)):

        async def dead() -> bool:
            return (await queue.statistics()).dead == 1

        await until(dead)
    (letter,) = await queue.dead_letters()
    assert letter.reason == text


async def test_what_is_rejected_is_a_dead_letter_at_once(
    node: Node, queue: SqliteQueueRef[int]
) -> None:
    def handle(message: Message[int]) -> None:
        raise Rejected("nonsense")

    await queue.put(1)
    async with Collecting(handle).running(source(queue)):

        async def dead() -> bool:
            return (await queue.statistics()).dead == 1

        await until(dead)
    (letter,) = await queue.dead_letters()
    assert (letter.attempts, letter.reason) == (
        1,
        "supervisors.pipeline.sources.Rejected: nonsense",
    )


async def test_a_message_may_say_when_it_is_tried_again_if_at_all(
    node: Node, queue: SqliteQueueRef[int]
) -> None:
    class Choosing(Collecting):
        async def handle_message(self, message: Message[Any]) -> Message[Any]:
            delay = {1: None, 2: 1000.0, 3: 0}[message.data]
            if message.metadata["attempt"] == 2:
                return message
            return message.configure_ack(retry_delay=delay).fail("no")

    await queue.put_many([1, 2, 3])
    async with Choosing().running(source(queue)):

        async def settled() -> bool:
            numbers = await queue.statistics()
            return (numbers.ready, numbers.delayed, numbers.leased, numbers.dead) == (0, 1, 0, 1)

        await until(settled)
        with QueueStore(queue.path) as store:
            due = store.next_due()
        assert due is not None
        assert 900 < due < 1001
        (letter,) = await queue.dead_letters()
        assert letter.data == 1


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"delay": 1}, r"configure_ack: got \['delay'\], allowed is retry_delay="),
        ({"retry_delay": -1}, "retry_delay: got -1"),
    ],
)
async def test_other_options_of_an_acknowledgement_are_refused(
    node: Node, queue: SqliteQueueRef[int], options: dict[str, Any], text: str
) -> None:
    refused: list[Exception] = []

    def handle(message: Message[int]) -> None:
        with pytest.raises((TypeError, ValueError), match=text) as caught:
            message.configure_ack(**options)
        refused.append(caught.value)

    await queue.put(1)
    async with Collecting(handle).running(source(queue)):
        await until(lambda: all_gone(queue))
    assert len(refused) == 1


async def test_what_cannot_be_read_is_a_dead_letter_and_harms_nobody(
    node: Node, queue: SqliteQueueRef[int]
) -> None:
    with QueueStore(queue.path) as store:
        store.put_many([(b"1", None), (b"nonsense", None), (b"2", None)])
    collecting = Collecting()
    async with collecting.running(source(queue)):
        await collecting.come(2)

        async def settled() -> bool:
            numbers = await queue.statistics()
            return (numbers.ready, numbers.leased, numbers.dead) == (0, 0, 1)

        await until(settled)
    assert collecting.data == [1, 2]
    (letter,) = await queue.dead_letters()
    assert letter.reason.startswith("msgspec.DecodeError: ")


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
    with pytest.raises(TypeError, match="queue: got 'queue.sqlite', allowed is a SqliteQueueRef"):
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
