"""Rows of BW about batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import trio

from supervisors.pipeline import FULL, Batcher, BatchInfo, Full, Message, Processors, SizedBy
from tests.conformance.bw.parts import Callbacks, Line, Log, Messages, data_of
from tests.conformance.scenarios import row


@row("BW-33")
async def by_size_and_in_the_end_by_time() -> None:
    line = await Line(range(1, 8)).start(None, None, {"default": Batcher(3, timeout=60.0)})
    assert line.log == [
        ("size", "default", [1, 2, 3]), ("ack", [1, 2, 3], []),
        ("size", "default", [4, 5, 6]), ("ack", [4, 5, 6], []),
    ]  # fmt: skip
    await line.settle(60)
    assert line.log[4:] == [("timeout", "default", [7]), ("ack", [7], [])]
    await line.stop()


@row("BW-34")
async def the_time_begins_with_the_first_message() -> None:
    line = await Line().start(None, None, {"default": Batcher(3, timeout=10.0)})
    await line.emit("a")
    await line.settle(8)
    await line.emit("b")
    await line.settle(1.5)
    assert line.log == []
    await line.settle(1)
    assert line.log == [("timeout", "default", ["a", "b"]), ("ack", ["a", "b"], [])]
    await line.emit("c", "d", "e")
    await line.settle(100)
    assert line.log[2:] == [("size", "default", ["c", "d", "e"]), ("ack", ["c", "d", "e"], [])]
    await line.stop()


@row("BW-35")
async def every_key_has_batches_of_its_own() -> None:
    def handle(message: Message[int]) -> Message[int]:
        return message.batch_by("odd" if message.data % 2 else "even")

    line = await Line(range(1, 6), handle).start(None, None, {"default": Batcher(2, timeout=9.0)})
    assert [one for one in line.log if one[0] == "size"] == [
        ("size", "odd", [1, 3]),
        ("size", "even", [2, 4]),
    ]
    await line.settle(9)
    assert line.log[-2:] == [("timeout", "odd", [5]), ("ack", [5], [])]
    await line.stop()


@row("BW-36")
async def two_batchers_work_side_by_side() -> None:
    class Slow(Callbacks):
        async def handle_message(self, message: Message[int]) -> Message[int]:
            return message.to_batcher("odd" if message.data % 2 else "even")

        async def handle_batch(self, messages: Messages, batch: BatchInfo) -> Messages:
            await trio.sleep(1)
            self.log.append((batch.batcher, data_of(messages), trio.current_time()))
            return messages

    line = Line(range(1, 5), callbacks=Slow)
    await line.start(None, None, {"odd": Batcher(2), "even": Batcher(2)})
    await line.settle(2)
    batches = sorted(one for one in line.log if one[0] != "ack")
    assert batches == [("even", [2, 4], 1.0), ("odd", [1, 3], 1.0)]
    await line.stop()


@row("BW-37")
async def a_flush_sends_off_what_came_along() -> None:
    def handle(message: Message[int]) -> Message[int]:
        return message.flush() if message.data == 2 else message

    processors = Processors(1, max_demand=3, min_demand=0)
    line = await Line(range(1, 5), handle).start(None, processors, {"default": Batcher(100)})
    assert line.log == [("flush", "default", [1, 2, 3]), ("ack", [1, 2, 3], [])]
    await line.stop()


@row("BW-38")
async def a_batch_says_what_it_is() -> None:
    infos: list[BatchInfo] = []

    class Seeing(Callbacks):
        async def handle_batch(self, messages: Messages, batch: BatchInfo) -> Messages:
            infos.append(batch)
            return messages

    by_key = Batcher(2, timeout=1.0, concurrency=2, partition_by=lambda message: message.data)
    line = Line([1, 3, 2], callbacks=lambda log: Seeing(log, lambda message: message.batch_by("k")))
    await line.start(None, None, {"default": by_key})
    await line.settle(1)
    assert infos == [
        BatchInfo("default", "k", 1, 2, "size"),
        BatchInfo("default", "k", 0, 1, "timeout"),
    ]
    await line.stop()


async def log_of(items: list[int], handle_batch: Callable[[Messages], Any]) -> Log:
    """What becomes of a batch of these."""

    class Batching(Callbacks):
        async def handle_batch(self, messages: Messages, batch: BatchInfo) -> Messages:
            result: Messages = handle_batch(messages)
            return result

    line = Line(items, callbacks=Batching)
    await line.start(None, None, {"default": Batcher(len(items))})
    await line.stop()
    return line.log


@row("BW-40")
async def a_batch_may_fail_in_part() -> None:
    log = await log_of([1, 2, 3], lambda ms: [m.fail("odd") if m.data % 2 else m for m in ms])
    assert log == [("ack", [2], [1, 3])]


@row("BW-41")
async def what_is_missing_from_a_batch_has_failed() -> None:
    """differs: it is not left without an acknowledgement."""
    assert await log_of([1, 2, 3], lambda messages: messages[1:]) == [("ack", [2, 3], [1])]


@row("BW-42")
async def a_batch_that_returns_no_messages_has_failed_whole() -> None:
    for result in (None, [1, 2], "ab"):
        log = await log_of([1, 2], lambda messages, result=result: result)  # type: ignore[misc]
        assert log == [("ack", [], [1, 2])]


@row("BW-43")
async def the_size_may_be_counted_otherwise() -> None:
    def step(so_far: int, message: Message[int]) -> int | Full:
        so_far += message.data
        return FULL if so_far >= 10 else so_far

    def handle(message: Message[int]) -> Message[int]:
        return message.batch_by(message.data == 1)

    batcher = Batcher(SizedBy(0, step), max_demand=100)
    line = await Line([4, 1, 5, 6, 12, 3], handle).start(None, None, {"default": batcher})
    assert [one for one in line.log if one[0] == "size"] == [
        ("size", False, [4, 5, 6]),
        ("size", False, [12]),
    ]
    await line.stop()
    assert sorted(one for one in line.log if one[0] == "flush") == [
        ("flush", False, [3]),
        ("flush", True, [1]),
    ]


@row("BW-44")
async def a_batch_processor_has_one_batch_at_a_time() -> None:
    class Slow(Callbacks):
        async def handle_batch(self, messages: Messages, batch: BatchInfo) -> Messages:
            self.log.append(("begin", data_of(messages)))
            await trio.sleep(1)
            self.log.append(("end", data_of(messages)))
            return messages

    line = Line(range(1, 5), callbacks=Slow)
    await line.start(None, None, {"default": Batcher(2)})
    await line.settle(3)
    assert [one for one in line.log if one[0] != "ack"] == [
        ("begin", [1, 2]),
        ("end", [1, 2]),
        ("begin", [3, 4]),
        ("end", [3, 4]),
    ]
    await line.stop()
