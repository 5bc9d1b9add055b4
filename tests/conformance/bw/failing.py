"""Rows of BW about ``handle_failed``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from supervisors.pipeline import Batcher, BatchInfo, Message
from tests.conformance.bw.parts import Callbacks, Line, Log, Messages, data_of
from tests.conformance.scenarios import row


def failing(handle_failed: Callable[[Messages], Any]) -> Callable[[Log], Callbacks]:
    """Callbacks that fail what is odd, and do this about it."""

    class Failing(Callbacks):
        async def handle_message(self, message: Message[int]) -> Message[int]:
            return message.fail("odd") if message.data % 2 else message

        async def handle_failed(self, messages: Messages) -> Messages:
            self.log.append(("failed", data_of(messages)))
            result: Messages = handle_failed(messages)
            return result

    return lambda log: Failing(log)


async def log_of(items: list[int], handle_failed: Callable[[Messages], Any]) -> Log:
    line = await Line(items, callbacks=failing(handle_failed)).start()
    await line.stop()
    return line.log


@row("BW-27")
async def all_that_failed_in_a_chunk_is_handled_at_once_before_the_ack() -> None:
    assert await log_of([1, 2, 3], lambda messages: messages) == [
        ("failed", [1, 3]),
        ("ack", [2], [1, 3]),
    ]
    assert await log_of([2, 4], lambda messages: messages) == [("ack", [2, 4], [])]


@row("BW-28")
async def what_it_rewrites_is_what_the_acknowledger_sees() -> None:
    log = await log_of([1, 3], lambda messages: [m.replace(-m.data) for m in messages])
    assert log[1:] == [("ack", [], [-1, -3])]


@row("BW-29")
async def if_it_raises_they_are_acknowledged_as_they_were() -> None:
    assert await log_of([1, 2], lambda messages: 1 / 0) == [("failed", [1]), ("ack", [2], [1])]


@row("BW-30")
async def what_has_failed_stays_failed() -> None:
    def forgive(messages: Messages) -> Messages:
        return [Message(m.data, m.acknowledger, holding=m.holding) for m in messages]

    assert (await log_of([1, 2], forgive))[1:] == [("ack", [2], [1])]


@row("BW-31")
async def what_it_does_not_return_is_acknowledged_too() -> None:
    """differs: nothing is left without an acknowledgement."""
    assert (await log_of([1, 2, 3], lambda messages: None))[1:] == [("ack", [2], [1, 3])]
    assert (await log_of([1, 2, 3], lambda messages: messages[1:]))[1:] == [("ack", [2], [1, 3])]


@row("BW-32")
async def nothing_is_tried_again() -> None:
    handled: list[int] = []

    def handle(message: Message[int]) -> Message[int]:
        handled.append(message.data)
        return message.fail("no")

    line = await Line([1, 2], handle).start()
    await line.settle(100)
    assert handled == [1, 2]
    assert line.log == [("ack", [], [1, 2])]
    await line.stop()


@row("BW-39")
async def a_batch_that_raises_has_failed_whole() -> None:
    class Raising(Callbacks):
        async def handle_batch(self, messages: Messages, batch: BatchInfo) -> Messages:
            raise ValueError("no")

        async def handle_failed(self, messages: Messages) -> Messages:
            self.log.append(("failed", data_of(messages)))
            return messages

    line = Line([2, 4], callbacks=Raising)
    await line.start(None, None, {"default": Batcher(2)})
    assert line.log == [("failed", [2, 4]), ("ack", [], [2, 4])]
    await line.stop()
