"""A dispatcher of one's own: what it must say, and what it need not."""

from __future__ import annotations

from typing import Any

import pytest

from runtime import Node
from runtime.stages import Delivery, Dispatcher, Subscription, queue_info, subscribe
from tests.runtime.staging import Log, Sink, Source, chunks, demands, emitted, joined, settled


class Newest(Dispatcher[Any]):
    """Everything to whoever has subscribed last; the others wait until it is gone."""

    def __init__(self) -> None:
        self.wanted: dict[Subscription, int] = {}

    @property
    def demand(self) -> int:
        return list(self.wanted.values())[-1] if self.wanted else 0

    def subscribe(self, subscription: Subscription) -> None:
        self.wanted[subscription] = 0

    def cancel(self, subscription: Subscription) -> None:
        self.wanted.pop(subscription, None)

    def ask(self, subscription: Subscription, count: int) -> list[Delivery[Any]]:
        self.wanted[subscription] += count
        return []

    def dispatch(self, events: list[Any]) -> tuple[list[Delivery[Any]], list[Any]]:
        count = min(self.demand, len(events))
        if not count:
            return [], events
        newest = list(self.wanted)[-1]
        self.wanted[newest] -= count
        return [(newest, events[:count])], events[count:]


async def test_one_of_ones_own(node: Node) -> None:
    up: Log = []
    logs: list[Log] = [[], []]
    p = await Source.start(up, 0, make=Newest)
    consumers = [await Sink.start(log) for log in logs]
    for one in consumers:
        await joined(one, p, max_demand=4)
    assert demands(up) == [4], "what the newest wants has been asked for"
    await emitted(p, 1)
    await consumers[1].stop()
    await settled()
    await emitted(p, 2)
    assert [chunks(log) for log in logs] == [[[2]], [[1]]]


async def test_by_default_it_keeps_nothing(node: Node) -> None:
    log: Log = []
    p = await Source.start(log, make=Newest)
    await subscribe(await Sink.start(), p)
    await queue_info(p, 5)
    await settled()
    assert log[-1] == ("info", 5)
    made = Newest()
    assert (made.mark(5), made.released(), made.queued) == (True, (), 0)


def test_what_it_must_say() -> None:
    with pytest.raises(TypeError, match="abstract"):
        Dispatcher()  # type: ignore[abstract]  # pyright: ignore[reportAbstractUsage]


class Keeping(Newest):
    """Keeps every info until it is asked for those whose turn has come."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[object] = []

    def mark(self, message: object) -> bool:
        self.kept.append(message)
        return False

    def released(self) -> list[object]:
        released, self.kept = self.kept, []
        return released


async def test_infos_that_it_keeps_are_asked_for_at_once(node: Node) -> None:
    log: Log = []
    p = await Source.start(log, make=Keeping)
    await queue_info(p, 1)
    await queue_info(p, 2)
    await settled()
    assert log == [("info", 1), ("info", 2)]
