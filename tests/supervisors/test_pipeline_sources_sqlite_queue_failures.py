"""Messages of a durable queue that fail: tried again, or dead letters with their reasons."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from runtime import Crashed, Node
from supervisors.backoff import Backoff
from supervisors.pipeline.message import Message
from supervisors.pipeline.sources.queue_store import QueueStore
from supervisors.pipeline.sources.sqlite_queue import Rejected
from supervisors.pipeline.sources.sqlite_queue_ref import SqliteQueueRef
from tests.supervisors.collecting import Collecting, until
from tests.supervisors.queue_parts import all_gone, source

# Virtual time does not wait for threads.
pytestmark = pytest.mark.real_clock

AT_ONCE = Backoff(initial=0.0, maximum=0.0)


@pytest.fixture
def queue(tmp_path: Path) -> SqliteQueueRef[int]:
    return SqliteQueueRef(tmp_path / "queue.sqlite", int)


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
    "a crash": (Crashed(KeyError("x")), "KeyError: 'x'"),
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
