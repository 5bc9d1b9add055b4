"""The giving half: who gets what first, and dispatchers that are wrong."""

from __future__ import annotations

from itertools import chain
from typing import Any, Literal

import pytest
import trio

from runtime import BadResult, Crashed, EventsDiscarded, Node, is_alive, kill, wait_exit
from runtime.current import find_process
from runtime.stages import (
    BroadcastDispatcher,
    PartitionDispatcher,
    Subscription,
    SubscriptionOptions,
    buffered_count,
    queue_info,
    subscribe,
)
from runtime.stages.subscription import SubscribeAsked
from tests.runtime.staging import (
    Begin,
    Do,
    Log,
    Sink,
    Source,
    chunks,
    demands,
    emitted,
    ends,
    joined,
    settled,
)
from tests.support import end_of


async def asked(subscription: Subscription, *counts: int) -> None:
    for count in counts:
        subscription.ask(count)
        await settled()


async def manual(producer: Any, log: Log, **options: Any) -> Subscription:
    return await joined(await Sink.start(log), producer, mode="manual", **options)


# ---------------------------------------------------------------------- demand and buffer


async def test_more_than_was_asked_for_is_buffered(node: Node) -> None:
    """GS-22."""
    log: Log = []
    up: Log = []
    p = await Source.start(up)
    subscription = await manual(p, log)
    await asked(subscription, 4)
    await emitted(p, *range(11))
    assert (chunks(log), await buffered_count(p)) == ([[0, 1, 2, 3]], 7)
    await asked(subscription, 2, 2, 2, 2)
    assert chunks(log)[1:] == [[4, 5], [6, 7], [8, 9], [10]]
    assert demands(up) == [4, 1], "for what was missing alone"


async def test_what_is_buffered_leaves_before_demand_is_handed_on(node: Node) -> None:
    """GS-23."""
    order: Log = []

    class Telling(Source):
        def handle_demand(self, demand: int) -> list[str]:
            order.append(demand)
            return ["new"] * demand

        def _stage_delivering(self, subscription: Subscription, events: list[Any]) -> None:
            order.append(list(events))

    p = await Telling.start()
    await emitted(p, 1, 2, 3)
    subscription = await manual(p, [])
    await asked(subscription, 2, 4)
    assert order == [[1, 2], [3], 3, ["new", "new", "new"]]


@pytest.mark.parametrize(
    ("size", "keep", "pushes", "left", "told"),
    [
        pytest.param(5, "last", [5, 3], [3, 4, 5, 6, 7], [3], id="GS-25"),
        pytest.param(5, "first", [5, 3], [0, 1, 2, 3, 4], [3], id="GS-26"),
        pytest.param(3, "last", [7], [4, 5, 6], [4], id="GS-27"),
        pytest.param(0, "last", [2, 1], [], [2, 1], id="no buffer"),
        pytest.param(None, "last", [20_000], list(range(20_000)), [], id="GS-30"),
    ],
)
async def test_a_full_buffer_discards_and_tells(
    node: Node,
    events: list[Any],
    size: int | None,
    keep: Literal["last", "first"],
    pushes: list[int],
    left: list[int],
    told: list[int],
) -> None:
    log: Log = []
    p = await Source.start(buffer_size=size, buffer_keep=keep)
    made = 0
    for count in pushes:
        await emitted(p, *range(made, made + count))
        made += count
    assert await buffered_count(p) == len(left)
    found = [one for one in events if isinstance(one, EventsDiscarded)]
    assert [(one.pid, one.count) for one in found] == [(p.pid, count) for count in told]
    await asked(await manual(p, log), 50_000)
    assert list(chain(*chunks(log))) == left


async def test_what_is_discarded_can_be_kept_quiet(node: Node, events: list[Any]) -> None:
    """GS-31."""

    class Quiet(Source):
        def format_discarded(self, discarded: int) -> bool:
            self.log.append(("discarded", discarded))
            return False

    log: Log = []
    p = await Quiet.start(log, buffer_size=1)
    await emitted(p, 1, 2, 3)
    assert log == [("discarded", 2)]
    assert [one for one in events if isinstance(one, EventsDiscarded)] == []


async def test_what_is_discarded_when_nobody_listens(node: Node) -> None:
    p = await Source.start(buffer_size=0)
    process = find_process(p)
    assert process is not None
    instruments = process.table.instruments
    process.table.instruments = type(instruments)([])
    await emitted(p, 1)
    process.table.instruments = instruments
    assert await buffered_count(p) == 0


async def test_infos_keep_their_place_behind_a_dispatcher_that_keeps_some(node: Node) -> None:
    """One that is due in the buffer and not yet in a partition."""
    log: Log = []
    p = await Source.start(log, 0, make=lambda: PartitionDispatcher(2, max_queued=1))
    first = await manual(p, [], partition=0)
    second = await manual(p, [], partition=1)
    await asked(second, 5)
    await emitted(p, 0, 2, 4, 1)
    await queue_info(p, "behind")
    for count in (1, 1):
        await asked(first, count)
        assert ("info", "behind") not in log
    await asked(first, 1)
    assert log[-1] == ("info", "behind")


async def test_an_async_format_discarded_is_a_slip(node: Node, events: list[Any]) -> None:
    class Wrong(Source):
        async def format_discarded(self, discarded: int) -> bool:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
            return True

    p = await Wrong.start(buffer_size=0)
    with pytest.raises(Exception, match="format_discarded of Wrong"):
        await p.call(Do(lambda stage: stage.emit([1])))
    reason = end_of(events, p.pid)
    assert isinstance(reason, Crashed)
    assert isinstance(reason.exception, BadResult)


async def test_an_info_whose_event_is_discarded_goes_then(node: Node) -> None:
    """GS-34, also if the user emits while that is told."""

    class Emitting(Source):
        def format_discarded(self, discarded: int) -> bool:
            self.log.append(("discarded", discarded))
            if discarded == 2:
                self.emit(["again"])
            return False

    log: Log = []
    p = await Emitting.start(log, buffer_size=2)
    await emitted(p, 1, 2)
    await queue_info(p, "behind 2")
    await emitted(p, 3, 4)
    assert log == [("discarded", 2), ("discarded", 1), ("info", "behind 2")]
    seen: Log = []
    await asked(await manual(p, seen), 9)
    assert chunks(seen) == [[4, "again"]]


async def test_infos_keep_their_place_between_events(node: Node) -> None:
    """GS-32, GS-33."""
    log: Log = []
    p = await Source.start(log)
    await queue_info(p, "now")
    await emitted(p, 1, 2)
    await queue_info(p, "first")
    await queue_info(p, "second")
    await emitted(p, 3)
    await p.call(Do(lambda stage: stage.queue_info("third")))
    await settled()
    assert log == [("info", "now")]
    subscription = await manual(p, [])
    log.clear()
    await asked(subscription, 1)
    assert log == []
    await asked(subscription, 1)
    assert log == [("info", "first"), ("info", "second")]
    await asked(subscription, 1)
    assert log[2:] == [("info", "third")]


async def test_one_ask_for_all_stops_at_no_info(node: Node) -> None:
    log: Log = []
    up: Log = []
    p = await Source.start(up)
    for number in range(3):
        await emitted(p, number)
        await queue_info(p, number)
    await asked(await manual(p, log), 10)
    assert chunks(log) == [[0], [1], [2]]
    assert [one for one in up if one != ("subscribed", "consumer")] == [
        7, ("info", 0), ("info", 1), ("info", 2),
    ]  # fmt: skip


async def test_a_dead_consumer_leaves_no_more_than_its_credit(node: Node) -> None:
    """GS-53: A asked for 4 and dies, 2 events come; B asks for 5, then 2."""
    up: Log = []
    log: Log = []
    p = await Source.start(up)
    dead = await manual(p, [])
    await asked(dead, 4)
    kill(dead.consumer)
    await settled()
    await emitted(p, 1, 2)
    subscription = await manual(p, log)
    await asked(subscription, 5)
    assert chunks(log) == [[1, 2]]
    await asked(subscription, 2)
    assert demands(up) == [4, 1, 2]


async def test_what_is_buffered_is_never_overtaken(node: Node) -> None:
    """GS-113, mended: B asks for 3, and event 3 goes behind 2."""
    log: Log = []
    p = await Source.start()
    dead = await manual(p, [])
    await asked(dead, 4)
    kill(dead.consumer)
    await settled()
    await emitted(p, 1, 2)
    await asked(await manual(p, log), 3)
    await emitted(p, 3)
    assert chunks(log) == [[1, 2], [3]]


async def test_a_newcomer_to_a_broadcast_holds_nothing_back(node: Node) -> None:
    """GS-67 and GS-112, mended: A asked for 10, B joins, 3 are pushed, B asks for 2, then 12."""
    up: Log = []
    logs: tuple[Log, Log] = ([], [])
    p = await Source.start(up, make=BroadcastDispatcher)
    await asked(await manual(p, logs[0]), 10)
    second = await manual(p, logs[1])
    await emitted(p, 1, 2, 3)
    assert await buffered_count(p) == 3
    await asked(second, 2)
    await emitted(p, 4)
    await asked(second, 12)
    assert [chunks(log) for log in logs] == [[[1, 2], [3, 4]]] * 2
    assert demands(up) == [10], "6 of them are still to come"


async def test_events_that_nobody_got_are_asked_for_again(node: Node) -> None:
    """GS-62: as long as there are none it likes; others have their turn meanwhile."""
    up: Log = []
    p = await Source.start(up, 50_000, make=BroadcastDispatcher)
    log: Log = []
    c = await Sink.start(log)
    await subscribe(c, p, max_demand=10, selector=lambda event: event >= 49_993)
    while not demands(up):
        await trio.lowlevel.checkpoint()
    await p.call(Do(lambda stage: up.append("a turn of mine")))
    await settled()
    assert chunks(log) == [list(range(49_993, 49_998)), [49_998, 49_999]]
    assert demands(up) == [10] * 5000 + [3, 5]
    assert up.index("a turn of mine") < 1000


async def test_a_second_that_is_the_same_is_refused(node: Node) -> None:
    """GS-88."""
    log: Log = []
    p, c = await Source.start(), await Sink.start(log)
    subscription = await joined(c, p, cancel="temporary")
    process = find_process(p)
    assert process is not None
    process.post_system(SubscribeAsked(subscription))
    await settled()
    assert ends(log) == [("over", "cancel", "duplicated subscription", "producer")]
    assert is_alive(p)


async def test_an_unknown_subscription_is_cancelled(node: Node) -> None:
    """GS-19; and if the asker has gone too, nothing."""
    p, c = await Source.start(), await Sink.start()
    for consumer in (c.pid, (await joined(await Sink.start(), p)).consumer):
        kill(consumer) if consumer is not c.pid else None
        await settled()
        unknown = Subscription(p.pid, consumer, SubscriptionOptions())
        unknown.ask(3)
        unknown.cancel()
        await settled()
    assert is_alive(p)
    assert is_alive(c)


async def test_a_consumer_that_dies_with_its_ask_under_way(node: Node) -> None:
    """The ask is in the mailbox, its sender has gone and its end is behind it."""
    up: Log = []
    p = await Source.start(up, 100)
    release = trio.Event()

    async def hold(stage: Any) -> None:
        await release.wait()

    first = await manual(p, [])
    log: Log = []
    other = await manual(p, log)
    p.cast(Begin(hold))
    await settled()
    first.ask(5)
    other.ask(2)
    first.ask(3)
    kill(first.consumer)
    await wait_exit(first.consumer)
    release.set()
    await settled()
    assert (demands(up), chunks(log)) == ([2], [[0, 1]])
    assert is_alive(p)


async def test_events_emitted_while_a_consumer_is_as_good_as_dead(node: Node) -> None:
    """Its producer has not heard yet; what is emitted meanwhile goes to the others."""
    p = await Source.start()
    log: Log = []
    first, second = await manual(p, []), await manual(p, log)
    await asked(first, 5)
    await asked(second, 2)

    async def emit_after_its_end(stage: Any) -> None:
        kill(first.consumer)
        await wait_exit(first.consumer)
        stage.emit([1, 2, 3])

    p.cast(Begin(emit_after_its_end))
    await settled()
    assert (chunks(log), await buffered_count(p)) == ([[1, 2]], 1)
