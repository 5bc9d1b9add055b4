"""Rows of BW about acknowledgements."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import trio

from runtime import AcknowledgerFailed
from supervisors.pipeline import (
    Acknowledger,
    Batcher,
    BatchInfo,
    Message,
    Processors,
    ack_immediately,
)
from tests.conformance.bw.parts import Callbacks, Line, Log, Messages, Told, data_of
from tests.conformance.scenarios import row
from tests.conftest import Recorder


@row("BW-45")
async def one_call_for_each_acknowledger_and_reference() -> None:
    class InPart(Callbacks):
        async def handle_batch(self, messages: Messages, batch: BatchInfo) -> Messages:
            return [m.fail("no") if m.data == 3 else m for m in messages]

    line = Line(callbacks=InPart)
    one, two = Told(line.log, "one"), Told(line.log, "two")
    sources = [(one, 1), (two, 1), (one, 2), (one, 1), (two, 1)]
    line.items += [Message(n, told, ref) for n, (told, ref) in enumerate(sources)]

    await line.start(None, None, {"default": Batcher(5)})
    assert line.log == [
        ("one", 1, "ack", [0], [3]),
        ("two", 1, "ack", [1, 4], []),
        ("one", 2, "ack", [2], []),
    ]
    await line.stop()


class Broken(Acknowledger):
    """Raises when it is told of anything."""

    def __init__(self, log: Log) -> None:
        self.log = log

    def ack(self, reference: object, successful: Messages, failed: Messages) -> None:
        raise OSError("disk full")

    def give_back(self, reference: object, messages: Messages) -> None:
        self.log.append(("back", data_of(messages)))


@row("BW-46")
async def an_acknowledger_that_raises_harms_no_stage(events: Recorder) -> None:
    line = Line()
    line.items += [Message("a", Broken(line.log)), *line.messages("b")]
    await line.start()
    (told,) = events.of(AcknowledgerFailed)
    assert (told.pid, told.messages) == (line.pid("processor_0"), 1)
    assert line.log == [("ack", ["b"], []), ("back", ["a"])], "and it gets its message back"
    await line.stop()


@row("BW-47")
async def what_is_acknowledged_early_is_acknowledged_once() -> None:
    early: Log = []

    async def handle(message: Message[int]) -> Message[int]:
        if message.data == 2:
            (message,) = await ack_immediately([message])
            early.extend(line.log)
            return message.fail("too late")
        return message

    line = Line([1, 2, 3], handle)
    await line.start()
    assert early == [("ack", [2], [])]
    assert line.log == [("ack", [2], []), ("ack", [1, 3], [])]
    await line.stop()


class Configured(Told):
    """Takes options."""

    def configure(self, reference: Any, receipt: Any, options: Mapping[str, object]) -> object:
        return dict(options)


@row("BW-48")
async def who_takes_no_options_refuses_them() -> None:
    async def handle(message: Message[str]) -> Message[str]:
        message = message.configure_ack(retry=2)
        assert message.receipt == {"retry": 2}
        return message

    line = Line("a", handle)
    line.items.append(Message("b", Configured(line.log)))
    await line.start()
    assert (line.told_of("ok"), line.told_of("failed")) == (["b"], ["a"])
    await line.stop()


class Slow(Told):
    """Takes a second."""

    async def ack(  # type: ignore[override]
        self, reference: object, successful: Messages, failed: Messages
    ) -> None:
        await trio.sleep(1)
        super().ack(reference, successful, failed)


@row("BW-49")
async def a_slow_acknowledger_holds_up_its_stage() -> None:
    handled: list[tuple[float, int]] = []

    def handle(message: Message[int]) -> Message[int]:
        handled.append((trio.current_time(), message.data))
        return message

    line = Line((), handle)
    line.items += [Message(number, Slow(line.log)) for number in range(3)]
    await line.start(None, Processors(1, max_demand=1))
    await line.settle(5)
    assert handled == [(0.0, 0), (1.0, 1), (2.0, 2)]
    assert line.asks == [("ask", 1)] * 4
    await line.stop()
