"""Rows of BW about messages of one partition."""

from __future__ import annotations

from typing import Any

import trio

from runtime import self_
from supervisors.pipeline import Batcher, BatchInfo, Message, Processors
from tests.conformance.bw.parts import Callbacks, Line, Messages, data_of
from tests.conformance.scenarios import row


def by_data(message: Message[int]) -> int:
    return message.data


@row("BW-57")
async def messages_of_one_remainder_are_handled_in_order() -> None:
    places: dict[int, set[object]] = {0: set(), 1: set(), 2: set()}
    order: list[int] = []
    batches: dict[object, list[int]] = {}

    class Seeing(Callbacks):
        async def handle_message(self, message: Message[int]) -> Message[int]:
            await trio.sleep((7 * message.data) % 5)
            places[message.data % 3].add(self_())
            order.append(message.data)
            return message

        async def handle_batch(self, messages: Messages, batch: BatchInfo) -> Messages:
            await trio.sleep(messages[0].data % 4)
            batches.setdefault(batch.partition, []).extend(data_of(messages))
            return messages

    line = Line(range(30), callbacks=Seeing)
    batcher = Batcher(2, timeout=1.0, concurrency=3, partition_by=by_data)
    await line.start(None, Processors(3, max_demand=4, partition_by=by_data), {"default": batcher})
    await line.settle(200)
    assert [len(pids) for pids in places.values()] == [1, 1, 1]
    assert len(set.union(*places.values())) == 3
    for partition in range(3):
        numbers = list(range(partition, 30, 3))
        assert [number for number in order if number % 3 == partition] == numbers
        assert batches[partition] == numbers
    await line.stop()


@row("BW-58")
async def a_failure_does_not_stop_its_partition() -> None:
    handled: list[int] = []

    def handle(message: Message[int]) -> Message[int]:
        handled.append(message.data)
        return message.fail("no") if handled.count(2) == 1 and message.data == 2 else message

    line = Line(range(6), handle)
    await line.start(None, Processors(2, max_demand=2, partition_by=by_data))
    assert (line.told_of("failed"), sorted(line.told_of("ok"))) == ([2], [0, 1, 3, 4, 5])
    await line.emit(2)
    assert [number for number in handled if number % 2 == 0] == [0, 2, 4, 2], "after its followers"
    assert sorted(line.told_of("ok")) == [0, 1, 2, 3, 4, 5]
    await line.stop()


@row("BW-59")
async def a_slow_partition_holds_all() -> None:
    handled: list[int] = []

    async def handle(message: Message[Any]) -> Message[Any]:
        if message.data == 0:
            await trio.sleep(10)
        handled.append(message.data)
        return message

    one = Processors(2, max_demand=1, min_demand=0, partition_by=by_data)
    line = await Line(range(20), handle).start(None, one)
    await line.settle(9)
    before = list(handled)
    assert before == sorted(before)
    assert len(before) < 9
    await line.settle(2)
    assert sorted(handled) == list(range(20))
    assert line.told_of("back") == []
    await line.stop()
