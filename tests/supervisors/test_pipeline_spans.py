"""What a pipeline tells of each step, and that it builds nothing for nobody."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from runtime import (
    BatchesMade,
    BatchHandled,
    CallbackFailed,
    ChunkHandled,
    Crashed,
    Event,
    FailuresHandled,
    Instrument,
    MessageHandled,
    Node,
    PipelineStarted,
    add_instrument,
    open_node,
)
from runtime.telemetry.pipeline_events import SPANS, SpanEvent
from supervisors.pipeline import spans, tree
from supervisors.pipeline.batches import BatchInfo
from supervisors.pipeline.message import Message
from supervisors.pipeline.pipeline import Pipeline
from tests.conftest import Recorder
from tests.supervisors.pipeline_parts import Messages, Running, batched


class Mixed(Pipeline[int]):
    """One fails, one raises, the others take a second each and go into a batch."""

    async def handle_message(self, message: Message[int]) -> Message[Any]:
        await trio.sleep(1)
        if message.data == 2:
            raise ValueError
        return message.fail("three") if message.data == 3 else message

    async def handle_batch(self, messages: Messages, batch: BatchInfo) -> Messages:
        await trio.sleep(2)
        return [messages[0].fail("first"), *messages[1:]]

    def handle_failed(self, messages: Messages) -> Messages:
        return messages


def shown(event: SpanEvent) -> tuple[Any, ...]:
    counts = event.successful, event.failed, event.forwarded
    return type(event).__name__, event.phase, event.seconds, event.messages, *counts


def listened(*kinds: type[Event]) -> list[Any]:
    told: list[Any] = []
    add_instrument(Instrument(told.append, kinds))
    return told


async def test_each_step_is_a_span(node: Node) -> None:
    """BW-66."""
    told = listened(*SPANS)
    run = await Running([1, 2, 3, 4], pipeline=Mixed()).start(batchers=batched(2))
    await run.after(20)
    of = {stage: [shown(one) for one in told if one.stage == f"line.{stage}"] for stage in (
        "processor_0", "batcher_default", "batch_processor_default_0",
    )}  # fmt: skip
    assert of["processor_0"] == [
        ("ChunkHandled", "start", 0, 4, 0, 0, 0),
        ("MessageHandled", "start", 0, 1, 0, 0, 0),
        ("MessageHandled", "stop", 1, 1, 1, 0, 0),
        ("MessageHandled", "start", 0, 1, 0, 0, 0),
        ("MessageHandled", "exception", 1, 1, 0, 1, 0),
        ("MessageHandled", "start", 0, 1, 0, 0, 0),
        ("MessageHandled", "exception", 1, 1, 0, 1, 0),
        ("MessageHandled", "start", 0, 1, 0, 0, 0),
        ("MessageHandled", "stop", 1, 1, 1, 0, 0),
        ("FailuresHandled", "start", 0, 2, 0, 0, 0),
        ("FailuresHandled", "stop", 0, 2, 0, 2, 0),
        ("ChunkHandled", "stop", 4, 4, 0, 2, 2),
    ]
    assert of["batcher_default"] == [
        ("BatchesMade", "start", 0, 1, 0, 0, 0),
        ("BatchesMade", "stop", 0, 1, 0, 0, 0),
        ("BatchesMade", "start", 0, 1, 0, 0, 0),
        ("BatchesMade", "stop", 0, 1, 0, 0, 2),
    ]
    assert of["batch_processor_default_0"] == [
        ("BatchHandled", "start", 0, 2, 0, 0, 0),
        ("FailuresHandled", "start", 0, 1, 0, 0, 0),
        ("FailuresHandled", "stop", 0, 1, 0, 1, 0),
        ("BatchHandled", "stop", 2, 2, 1, 1, 0),
    ]
    reasons = [one.reason for one in told if one.phase == "exception"]
    assert isinstance(reasons[0], Crashed)
    assert reasons[1] == "three"
    assert {one.pipeline for one in told} == {"line"}
    pids = await run.ref.stage_pids()
    assert {one.pid for one in told} < set(pids.values())
    await run.stop()


async def test_a_last_processor_tells_what_it_acknowledged(node: Node) -> None:
    told = listened(ChunkHandled)
    run = await Running([1, 2, 3, 4], pipeline=Mixed()).start()
    await run.after(20)
    assert [shown(one) for one in told] == [
        ("ChunkHandled", "start", 0, 4, 0, 0, 0),
        ("ChunkHandled", "stop", 4, 4, 2, 2, 0),
    ]
    await run.stop()


async def test_a_pipeline_tells_that_it_is_up_with_all_its_stages(
    node: Node, events: Recorder
) -> None:
    """BW-66."""
    run = await Running().start()
    (started,) = events.of(PipelineStarted)
    stages = ("line.producer_0", "line.processor_0")
    assert started == PipelineStarted(run.pid, "line", stages)
    await run.stop()


async def test_a_callback_that_raises_is_told_and_one_that_fails_a_message_is_not(
    node: Node, events: Recorder
) -> None:
    """BW-14, BW-15."""
    run = await Running([1, 2, 3, 4], pipeline=Mixed()).start()
    await run.after(20)
    (failed,) = events.of(CallbackFailed)
    assert (failed.callback, failed.messages, failed.stage) == (
        "handle_message", 1, "line.processor_0",
    )  # fmt: skip
    assert isinstance(failed.reason, Crashed)
    assert isinstance(failed.reason.exception, ValueError)
    await run.stop()


KINDS = (ChunkHandled, MessageHandled, BatchesMade, BatchHandled, FailuresHandled)


@pytest.mark.parametrize("kind", KINDS)
async def test_only_what_somebody_listens_to_is_told(kind: type[SpanEvent], node: Node) -> None:
    told = listened(kind)
    run = await Running([1, 2, 3, 4], pipeline=Mixed()).start(batchers=batched(2))
    await run.after(20)
    await run.stop()
    assert {type(one) for one in told} == {kind}


async def test_nothing_is_built_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spans, "Span", None)
    for name in ("CallbackFailed", "PipelineStarted", "PipelineDrained", "MessagesGivenBack"):
        for module in (spans, tree):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, NotBuilt)
    async with open_node(instruments=[]):
        run = await Running([1, 2, 3, 4], pipeline=Mixed()).start(batchers=batched(2))
        await run.after(2.5)
        await run.kill("processor_0")
        await run.stop()
        assert run.told.all == [1, 2, 3, 4]


class NotBuilt:
    """An event nobody is subscribed to."""

    def __init__(self, *args: object) -> None:
        raise AssertionError(args)
