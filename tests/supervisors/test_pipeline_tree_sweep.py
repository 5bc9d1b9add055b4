"""Every callback awaits, and every stage is killed or told to end at any moment."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from runtime import exit, kill, open_node, whereis
from supervisors.pipeline.batches import BatchInfo
from supervisors.pipeline.declaration import Processors
from supervisors.pipeline.message import Message
from supervisors.pipeline.pipeline import Pipeline
from tests.supervisors.pipeline_parts import Messages, Running, Told, batched

STAGES = (
    "producer_0", "processor_0", "processor_1", "batcher_default", "batch_processor_default_0",
    "custodian",
)  # fmt: skip
COUNT = 24


class Slow(Told):
    """Is told only at the end of its own waiting."""

    async def ack(  # type: ignore[override]
        self, reference: object, successful: Messages, failed: Messages
    ) -> None:
        await trio.sleep(0.07)
        super().ack(reference, successful, failed)

    async def give_back(self, reference: object, messages: Messages) -> None:  # type: ignore[override]
        await trio.sleep(0.05)
        super().give_back(reference, messages)


class Waiting(Pipeline[int]):
    """Waits everywhere, and fails some messages in every way there is."""

    async def prepare_messages(self, messages: Messages) -> Messages:
        await trio.sleep(0.03)
        if any(message.data == 7 for message in messages):
            raise OSError("prepare")
        return messages

    async def handle_message(self, message: Message[int]) -> Message[Any]:
        await trio.sleep(0.02)
        if message.data == 4:
            raise ValueError(message.data)
        if message.data == 9:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(trio.sleep, 5)
                raise KeyError(message.data)
        return message

    async def handle_batch(self, messages: Messages, batch: BatchInfo) -> Messages:
        await trio.sleep(0.11)
        if any(message.data == 13 for message in messages):
            raise ValueError("batch")
        return [message for message in messages if message.data != 16]

    async def handle_failed(self, messages: Messages) -> Messages:
        await trio.sleep(0.04)
        if any(message.data == 16 for message in messages):
            raise LookupError
        return messages


@pytest.mark.parametrize("way", ["killed", "stopped"])
@pytest.mark.parametrize("stage", STAGES)
def test_each_message_has_one_end_whenever_a_stage_has_its_own(stage: str, way: str) -> None:
    """Traps 2, 3."""

    async def main(moment: float) -> None:
        async with open_node(instruments=[]):
            told = Slow()
            run = Running(range(COUNT), pipeline=Waiting(), told=told)
            await run.start(
                processors=Processors(concurrency=2, max_demand=4, min_demand=2),
                batchers=batched(3, timeout=0.3, concurrency=1),
            )
            await trio.sleep(moment)
            pid = whereis(f"line.{stage}")
            assert pid is not None
            kill(pid) if way == "killed" else exit(pid, "boom")
            await trio.sleep(20)
            await run.stop()
            assert run.items == [], moment
            assert told.all == list(range(COUNT)), moment

    for step in range(45):
        trio.run(main, 0.005 + step * 0.017, clock=trio.testing.MockClock(autojump_threshold=0))


@pytest.mark.parametrize("patience", [0.0, 0.3, 30.0])
def test_each_message_has_one_end_whenever_the_pipeline_is_stopped(patience: float) -> None:
    async def main(moment: float) -> None:
        async with open_node(instruments=[]):
            told = Slow()
            run = Running(range(COUNT), pipeline=Waiting(), told=told)
            await run.start(
                processors=Processors(concurrency=2, max_demand=4, min_demand=2),
                batchers=batched(3, timeout=0.3, concurrency=1),
                drain_timeout=patience,
            )
            await trio.sleep(moment)
            await run.stop()
            assert told.all + run.items == list(range(COUNT)), moment
            if patience == 30.0:
                assert told.of("back") == []

    for step in range(45):
        trio.run(main, 0.005 + step * 0.017, clock=trio.testing.MockClock(autojump_threshold=0))
