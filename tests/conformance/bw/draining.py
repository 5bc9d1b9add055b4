"""Rows of BW about the end of a pipeline."""

from __future__ import annotations

from typing import Any

import trio

from runtime.stages import Emitted
from supervisors.pipeline import Batcher, Message, Processors, Producers, RateLimit
from tests.conformance.bw.parts import Items, Line
from tests.conformance.scenarios import row


@row("BW-56")
async def what_waits_for_a_window_is_delivered_before_the_end() -> None:
    line = Line()
    await line.start(line.producers(rate_limit=RateLimit(2, 1.0)))
    await line.emit(1, 2, 3, 4, 5)
    assert line.told_of("ok") == [1, 2]
    await line.stop()
    assert line.told_of("ok") == [1, 2, 3, 4, 5]
    assert trio.current_time() == 2.0


@row("BW-60")
async def what_is_in_a_batch_is_flushed_and_acknowledged_before_the_end() -> None:
    line = await Line("abcd").start(None, None, {"default": Batcher(100, timeout=60.0)})
    assert line.log == []
    line.asks.clear()
    await line.stop()
    assert line.asks == ["drain"]
    assert line.log == [
        ("flush", "default", ["a", "b", "c", "d"]),
        ("ack", ["a", "b", "c", "d"], []),
    ]
    assert trio.current_time() == 0


@row("BW-61")
async def what_is_made_while_it_drains_is_still_processed() -> None:
    class Last(Items):
        def prepare_for_draining(self) -> Emitted[Any]:
            return line.messages("b")

    async def handle(message: Message[str]) -> Message[str]:
        await trio.sleep(1)
        return message

    line = Line("a", handle)
    one_by_one = Processors(1, max_demand=1)
    await line.start(Producers(lambda _: Last(line.items, line.asks)), one_by_one)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(line.stop)
        await line.settle(0.5)
        await line.emit("c")
    assert line.log == [("ack", ["a"], []), ("back", ["c"]), ("ack", ["b"], [])]


@row("BW-62")
async def who_takes_too_long_is_killed() -> None:
    """differs: what it had is given back."""

    async def handle(message: Message[str]) -> Message[str]:
        await trio.sleep(100)
        return message

    line = await Line("ab", handle).start(drain_timeout=3.0)
    await line.stop()
    assert trio.current_time() == 3.0
    assert line.log == [("back", ["a", "b"])]
