"""The row of BW about what is told of each step."""

from __future__ import annotations

from typing import Any

from runtime import Instrument, add_instrument, remove_instrument
from runtime.telemetry.pipeline_events import (
    BatchesMade,
    BatchHandled,
    CallbackFailed,
    ChunkHandled,
    FailuresHandled,
    MessageHandled,
    PipelineStarted,
)
from supervisors.pipeline import Batcher, Message
from tests.conformance.bw.parts import Callbacks, Line, Messages
from tests.conformance.scenarios import row

TOLD = (
    PipelineStarted, ChunkHandled, MessageHandled, FailuresHandled, CallbackFailed, BatchesMade,
    BatchHandled,
)  # fmt: skip


@row("BW-66")
async def every_step_is_told() -> None:
    heard: list[Any] = []
    instrument = Instrument(heard.append, TOLD)
    add_instrument(instrument)

    class Failing(Callbacks):
        async def handle_message(self, message: Message[str]) -> Message[str]:
            if message.data == "b":
                raise ValueError("no")
            return message

        async def handle_failed(self, messages: Messages) -> Messages:
            return messages

    line = await Line("ab", callbacks=Failing).start(None, None, {"default": Batcher(1)})
    remove_instrument(instrument)
    (started,) = [one for one in heard if isinstance(one, PipelineStarted)]
    assert (started.pipeline, started.stages[0]) == ("line", "line.producer_0")
    spans = [one for one in heard if one is not started]
    told = [
        (type(one).__name__, one.phase, (one.successful, one.failed, one.forwarded))
        for one in spans
        if not isinstance(one, CallbackFailed)
    ]
    none = (0, 0, 0)
    assert [one for one in told if one[0].startswith("Batch")] == [
        ("BatchesMade", "start", none),
        ("BatchesMade", "stop", (0, 0, 1)),
        ("BatchHandled", "start", none),
        ("BatchHandled", "stop", (1, 0, 0)),
    ]
    assert [one for one in told if not one[0].startswith("Batch")] == [
        ("ChunkHandled", "start", none),
        ("MessageHandled", "start", none),
        ("MessageHandled", "stop", (1, 0, 0)),
        ("MessageHandled", "start", none),
        ("MessageHandled", "exception", (0, 1, 0)),
        ("FailuresHandled", "start", none),
        ("FailuresHandled", "stop", (0, 1, 0)),
        ("ChunkHandled", "stop", (0, 1, 1)),
    ]
    (failure,) = [one for one in spans if isinstance(one, CallbackFailed)]
    assert (failure.callback, failure.messages) == ("handle_message", 1)
    await line.stop()
