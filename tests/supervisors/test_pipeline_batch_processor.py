"""Batch processors: what becomes of a batch in ``handle_batch``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import trio

from runtime import BadResult, CallbackFailed, Node
from supervisors.pipeline.batches import BatchInfo
from supervisors.pipeline.message import Message
from supervisors.pipeline.pipeline import Pipeline
from tests.conftest import Recorder
from tests.supervisors.pipeline_parts import BatchHandler, Messages, Running, batched


class Returning(Pipeline[int]):
    """Its ``handle_batch`` returns what a function says, whatever that is."""

    def __init__(self, returned: Callable[[Messages], Any]) -> None:
        self.returned = returned

    def handle_message(self, message: Message[int]) -> Message[int]:
        return message

    def handle_batch(self, messages: Messages, batch: BatchInfo) -> Any:
        return self.returned(messages)


async def ran(handle_batch: BatchHandler, count: int = 3) -> Running:
    run = await Running(range(count), handle_batch=handle_batch).start(batchers=batched(count))
    await run.settle()
    await run.stop()
    return run


async def test_all_messages_of_a_batch_fail_when_it_raises(node: Node, events: Recorder) -> None:
    """BW-39."""

    def raising(messages: Messages, batch: BatchInfo) -> Messages:
        raise ExceptionGroup("both", [ValueError(), KeyError()])

    run = await ran(raising)
    assert run.told.log == [("failed", [0, 1, 2])]
    assert all(isinstance(one, ExceptionGroup) for one in run.told.failures.values())
    (failed,) = events.of(CallbackFailed)
    assert (failed.callback, failed.messages) == ("handle_batch", 3)


async def test_some_may_fail(node: Node, events: Recorder) -> None:
    """BW-40."""
    run = await ran(lambda messages, batch: [messages[0].fail("first"), *messages[1:]])
    assert run.told.log == [("ok", [1, 2]), ("failed", [0])]
    assert events.of(CallbackFailed) == []


async def test_what_is_not_returned_has_failed(node: Node, events: Recorder) -> None:
    """BW-41, trap 2: here nothing is lost."""
    run = await ran(lambda messages, batch: messages[1:])
    assert run.told.log == [("ok", [1, 2]), ("failed", [0])]
    assert isinstance(run.told.failures[0], BadResult)
    (failed,) = events.of(CallbackFailed)
    assert (failed.callback, failed.messages) == ("handle_batch", 1)


@pytest.mark.parametrize("way", ["none", "others", "twice", "data"])
async def test_all_fail_when_it_returns_something_else(
    way: str, node: Node, events: Recorder
) -> None:
    """BW-42."""

    def wrong(messages: Messages) -> Any:
        return {
            "none": None,
            "others": [*messages, Message(1)],
            "twice": [*messages, messages[0]],
            "data": [message.data for message in messages],
        }[way]

    run = await Running(range(3), pipeline=Returning(wrong)).start(batchers=batched(3))
    await run.settle()
    assert run.told.log == [("failed", [0, 1, 2])]
    assert len(events.of(CallbackFailed)) == 1
    await run.stop()


async def test_each_handles_one_batch_at_a_time(node: Node) -> None:
    """BW-44."""
    at_once: list[int] = []
    now = 0

    async def counting(messages: Messages, batch: BatchInfo) -> Messages:
        nonlocal now
        now += 1
        at_once.append(now)
        await trio.sleep(1)
        now -= 1
        return messages

    run = Running(range(12), handle_batch=counting)
    await run.start(batchers=batched(2, concurrency=2))
    await run.after(10)
    assert max(at_once) == 2
    assert len(at_once) == 6
    assert run.told.all == list(range(12))
    await run.stop()
