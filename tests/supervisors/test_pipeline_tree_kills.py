"""Every stage killed at every step: each message is acknowledged once, or given back once."""

from __future__ import annotations

import pytest
import trio

from runtime import Node, whereis
from supervisors.pipeline.batches import BatchInfo
from supervisors.pipeline.declaration import Processors
from supervisors.pipeline.message import Message
from tests.supervisors.pipeline_parts import Messages, Running, batched

STAGES = (
    "producer_0", "processor_0", "processor_1", "batcher_default", "batch_processor_default_0",
    "batch_processor_default_1", "custodian",
)  # fmt: skip


async def slowly(message: Message[int]) -> Message[int]:
    await trio.sleep(0.1)
    return message.fail("odd") if message.data % 5 == 0 else message


async def slow_batch(messages: Messages, batch: BatchInfo) -> Messages:
    await trio.sleep(0.25)
    return messages


@pytest.mark.parametrize("tenths", [0, 0.5, 1, 1.5, 2.5, 3, 3.5, 4.5, 6.5, 8.5, 10.5, 12.5, 15.5])
@pytest.mark.parametrize("stage", STAGES)
async def test_each_message_is_acknowledged_or_given_back(
    stage: str, tenths: float, node: Node
) -> None:
    """BW-19, BW-20, BW-21, traps 2 and 3."""
    run = Running(range(40), slowly, slow_batch)
    await run.start(
        processors=Processors(concurrency=2, max_demand=4, min_demand=2),
        batchers=batched(3, timeout=0.3, concurrency=2),
    )
    await trio.sleep(tenths / 10)
    await run.kill(stage)
    await run.after(20)
    assert run.items == [], "it goes on"
    assert run.told.all == list(range(40))
    await run.stop()
    assert run.told.all == list(range(40))


@pytest.mark.parametrize("tenths", [0, 0.5, 1, 1.5, 2.5, 3.5, 6.5, 9.5])
@pytest.mark.parametrize("stage", STAGES)
async def test_also_while_it_drains(stage: str, tenths: float, node: Node) -> None:
    run = Running(range(40), slowly, slow_batch)
    await run.start(
        processors=Processors(concurrency=2, max_demand=4, min_demand=2),
        batchers=batched(3, timeout=0.3, concurrency=2),
    )
    await trio.sleep(0.55)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(run.stop)
        await trio.sleep(tenths / 10)
        if whereis(f"line.{stage}") is not None:
            await run.kill(stage)
    assert run.told.all + run.items == list(range(40))
    assert trio.current_time() < 10.0, "nobody waits for what does not come"
