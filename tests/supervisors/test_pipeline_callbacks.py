"""The callbacks as they are if the user writes none, and ``def`` or ``async def``."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from runtime import Node
from supervisors.pipeline.batches import BatchInfo
from supervisors.pipeline.callbacks import Callbacks, are_callbacks, has
from supervisors.pipeline.message import Message
from supervisors.pipeline.pipeline import Pipeline
from tests.supervisors.pipeline_parts import Messages, Running, batched


class Own(Pipeline[int]):
    def handle_message(self, message: Message[int]) -> Message[int]:
        return message


def test_it_is_known_which_the_user_has_written() -> None:
    names = ("handle_message", "prepare_messages", "handle_batch", "handle_failed")
    assert [has(Own(), name) for name in names] == [True, False, False, False]
    assert are_callbacks(Own())
    assert not are_callbacks(Own)


def test_what_the_others_do_by_default() -> None:
    callbacks, messages = Callbacks[int](), [Message(1)]
    assert callbacks.prepare_messages(messages) == callbacks.handle_failed(messages) == messages
    with pytest.raises(NotImplementedError):
        callbacks.handle_message(messages[0])
    with pytest.raises(NotImplementedError):
        callbacks.handle_batch(messages, BatchInfo("default", "default", None, 1, "size"))


class Plain(Pipeline[int]):
    def __init__(self) -> None:
        self.log: list[str] = []

    def prepare_messages(self, messages: Messages) -> Messages:
        self.log.append("prepare")
        return messages

    def handle_message(self, message: Message[int]) -> Message[Any]:
        self.log.append("message")
        return message.fail("odd") if message.data % 2 else message

    def handle_batch(self, messages: Messages, batch: BatchInfo) -> Messages:
        self.log.append("batch")
        return messages

    def handle_failed(self, messages: Messages) -> Messages:
        self.log.append("failed")
        return messages


class Async(Plain):
    async def prepare_messages(self, messages: Messages) -> Messages:  # type: ignore[override]
        await trio.sleep(1)
        return super().prepare_messages(messages)

    async def handle_message(self, message: Message[int]) -> Message[Any]:  # type: ignore[override]
        await trio.sleep(1)
        return super().handle_message(message)

    async def handle_batch(  # type: ignore[override]
        self, messages: Messages, batch: BatchInfo
    ) -> Messages:
        await trio.sleep(1)
        return super().handle_batch(messages, batch)

    async def handle_failed(self, messages: Messages) -> Messages:  # type: ignore[override]
        await trio.sleep(1)
        return super().handle_failed(messages)


@pytest.mark.parametrize("kind", [Plain, Async])
async def test_each_is_def_or_async_def(kind: type[Plain], node: Node) -> None:
    pipeline = kind()
    run = await Running([1, 2], pipeline=pipeline).start(batchers=batched(1))
    await run.after(10)
    assert pipeline.log == ["prepare", "message", "message", "failed", "batch"]
    assert run.told.log == [("failed", [1]), ("ok", [2])]
    await run.stop()


async def test_all_stages_and_all_runs_share_the_instance(node: Node) -> None:
    run = await Running([1, 2]).start()
    await run.settle()
    await run.kill("processor_0")
    run.items.append(3)
    await run.after(1)
    run.ref.test_message(4)
    await run.after(1)
    await run.stop()
    assert sorted(run.log) == [1, 2, 3, 4]
