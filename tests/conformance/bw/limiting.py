"""Rows of BW about the rate limit."""

from __future__ import annotations

from typing import Any

import trio

from supervisors.pipeline import Message, Processors, RateLimit
from tests.conformance.bw.parts import Line
from tests.conformance.scenarios import row

THREE = RateLimit(3, 0.15)


class Timed(Line):
    """Its ``when`` says what was handled when."""

    def __init__(self, items: Any = ()) -> None:
        self.when: dict[float, list[Any]] = {}
        super().__init__(items, self._note)

    def _note(self, message: Message[Any]) -> Message[Any]:
        self.when.setdefault(round(trio.current_time(), 3), []).append(message.data)
        return message


@row("BW-50")
async def so_many_in_each_window() -> None:
    line = Timed(range(1, 8))
    await line.start(line.producers(rate_limit=THREE))
    await line.settle(1)
    assert line.when == {0.0: [1, 2, 3], 0.15: [4, 5, 6], 0.3: [7]}
    await line.stop()


@row("BW-51")
async def all_producers_share_the_window() -> None:
    line = Timed(range(7))
    await line.start(line.producers(rate_limit=THREE, concurrency=2))
    await line.settle(1)
    assert {when: len(data) for when, data in line.when.items()} == {0.0: 3, 0.15: 3, 0.3: 1}
    await line.stop()


@row("BW-52")
async def what_is_too_much_waits_in_order_and_nothing_more_is_asked_for() -> None:
    line = Timed()
    await line.start(line.producers(rate_limit=THREE), Processors(1, max_demand=20))
    await line.emit(*range(8))
    asked = list(line.asks)
    assert sum(count for _, count in asked) == 3, "what may leave in one window"
    await line.settle(0.16)
    assert line.asks == asked, "while some wait nobody is asked for more"
    await line.settle(1)
    assert line.when == {0.0: [0, 1, 2], 0.15: [3, 4, 5], 0.3: [6, 7]}
    await line.stop()


@row("BW-53")
async def another_limit_holds_from_the_next_window_on_or_at_once() -> None:
    line = Timed(range(20))
    await line.start(line.producers(rate_limit=RateLimit(1, 1.0)))
    await line.ref.set_rate_limit(allowed=2)
    await line.settle(1.5)
    assert line.when == {0.0: [0], 1.0: [1, 2]}
    await line.ref.set_rate_limit(allowed=4, reset=True)
    await line.settle()
    assert line.when == {0.0: [0], 1.0: [1, 2], 1.5: [3, 4, 5, 6]}
    assert await line.ref.rate_limit() == RateLimit(4, 1.0)
    line.items.clear()
    await line.stop()
