"""Rows of GS about the dispatcher by partition."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import pytest

from runtime import CallExit, Crashed, Killed, is_alive, kill, wait_exit
from runtime.stages import (
    NO_PARTITION,
    BadSubscription,
    PartitionDispatcher,
    Routed,
    buffered_count,
    queue_info,
    subscribe,
)
from tests.conformance.gs.parts import (
    Log,
    Pushed,
    Sink,
    Source,
    ask,
    consumer_of,
    manual,
    push,
    raised_by,
    settled,
)
from tests.conformance.scenarios import row


def parity(event: int) -> int:
    return event % 2


def by_parity() -> PartitionDispatcher[Any]:
    return PartitionDispatcher(2, hash=parity)


@row("GS-68")
async def each_partition_in_order() -> None:
    even: Log = []
    odd: Log = []
    p = await Pushed.start([], dispatcher=by_parity())
    await ask(await manual(p, even, partition=0), 10)
    await ask(await manual(p, odd, partition=1), 10)
    await push(p, *range(1, 9))
    assert (even, odd) == ([[2, 4, 6, 8]], [[1, 3, 5, 7]])


@row("GS-69")
async def an_event_may_be_changed_or_vanish() -> None:
    def route(event: int) -> Hashable:
        if event % 3 == 0:
            return NO_PARTITION
        name = "odd" if event % 2 else "even"
        return Routed((name, event), name)

    even: Log = []
    odd: Log = []
    dispatcher = PartitionDispatcher[Any](["even", "odd"], hash=route)
    p = await Pushed.start([], dispatcher=dispatcher)
    await consumer_of(p, even, partition="even")
    await consumer_of(p, odd, partition="odd")
    await push(p, *range(1, 10))
    assert even == [[("even", 2), ("even", 4), ("even", 8)]]
    assert odd == [[("odd", 1), ("odd", 5), ("odd", 7)]]
    assert await buffered_count(p) == 0


@row("GS-70")
async def what_one_wants_may_fill_the_queue_of_another() -> None:
    def one_in_four_is_cold(event: int) -> str:
        return "cold" if event % 4 == 3 else "hot"

    asks: Log = []
    hot: Log = []
    cold: Log = []
    dispatcher = PartitionDispatcher[Any](["hot", "cold"], hash=one_in_four_is_cold)
    p = await Source.start(asks, dispatcher=dispatcher)
    h, c = await manual(p, hot, partition="hot"), await manual(p, cold, partition="cold")
    await ask(h, 2)
    await ask(c, 4)
    await ask(c, 4)
    assert asks == [2, 4, 4]
    assert (hot, cold) == ([[0, 1]], [[3], [7]])
    assert dispatcher.queued == 6, "2, 4, 5, 6, 8, 9"
    assert await buffered_count(p) == 0
    await ask(h, 3)
    assert hot == [[0, 1], [2, 4, 5]]


@row("GS-71")
async def for_what_vanishes_more_is_asked_for() -> None:
    """differs: the consumer gets all of its partition; in GenStage it starves after five."""
    asks: Log = []
    chunks: Log = []
    dispatcher = PartitionDispatcher[Any](1, hash=lambda event: NO_PARTITION if event % 2 else 0)
    p = await Source.start(asks, 40, dispatcher=dispatcher)
    await consumer_of(p, chunks, partition=0, max_demand=10, min_demand=5)
    assert [event for chunk in chunks for event in chunk] == list(range(0, 40, 2))
    assert asks[0] == 10
    assert all(0 < count <= 10 for count in asks)


@row("GS-72")
async def a_partition_without_a_consumer_keeps_its_events() -> None:
    even: Log = []
    odd: Log = []
    p = await Source.start([], 8, dispatcher=by_parity())
    await ask(await manual(p, even, partition=0), 4)
    assert even == [[0, 2]]
    await ask(await manual(p, odd, partition=1), 2)
    assert odd == [[1, 3]]


@row("GS-73")
async def what_waits_for_a_dead_consumer_is_its_successors() -> None:
    """differs: GenStage drops the 3, and asks for 3 others."""
    asks: Log = []
    even: Log = []
    odd: Log = []
    p = await Source.start(asks, dispatcher=by_parity())
    a = await manual(p, even, partition=0)
    b = await manual(p, [], partition=1)
    await ask(a, 6)
    assert even == [[0, 2, 4]]
    kill(b.consumer)
    await wait_exit(b.consumer)
    await settled()
    assert asks == [6, ("down", Killed())]
    await ask(await manual(p, odd, partition=1), 2)
    assert odd == [[1, 3]]


@row("GS-74")
async def a_bad_partition_is_refused() -> None:
    """differs: the consumer is told, and ends if it is permanent; in GenStage the producer dies."""
    log: Log = []
    p = await Pushed.start(log, dispatcher=by_parity())
    first: Log = []
    await consumer_of(p, first, partition=0, max_demand=7)
    wrong: list[tuple[dict[str, Any], str]] = [
        ({}, "partition: not given, allowed are 0, 1"),
        ({"partition": 7}, "partition: got 7, allowed are 0, 1"),
        ({"partition": 0}, "partition: 0 is taken by "),
    ]
    for options, text in wrong:
        refused: Log = []
        c = await Sink.start(refused)
        await subscribe(c, to=p, **options)
        await settled()
        assert not is_alive(c)
        reason = refused[0][1]
        assert refused == [("cancel", reason), ("terminate", reason)]
        assert isinstance(reason, Crashed)
        assert isinstance(reason.exception, BadSubscription)
        assert str(reason.exception).startswith(text)
    assert is_alive(p)
    assert log == [7]
    await push(p, 2)
    assert first == [[2]]


@row("GS-75")
async def a_partition_that_there_is_not_ends_the_producer() -> None:
    p = await Pushed.start([], dispatcher=PartitionDispatcher[Any](2, hash=lambda event: 9))
    log: Log = []
    await consumer_of(p, log, partition=0)
    error = await raised_by(push(p, 1))
    assert isinstance(error, CallExit)
    assert isinstance(error.reason, Crashed)
    assert str(error.reason.exception) == (
        "hash: got 9 for the event 1, allowed are 0, 1, and NO_PARTITION"
    )
    assert not is_alive(p)


@row("GS-76")
async def named_partitions_need_a_function() -> None:
    with pytest.raises(ValueError, match="hash: not given, but the partitions are 'even', 'odd'"):
        PartitionDispatcher[Any](["even", "odd"])
    chunks: Log = []
    p = await Pushed.start([], dispatcher=PartitionDispatcher[Any](1))
    await consumer_of(p, chunks, partition=0)
    await push(p, "a", 5)
    assert chunks == [["a", 5]], "numbered ones do not"


@row("GS-77")
async def an_info_waits_for_every_queue() -> None:
    log: Log = []
    p = await Pushed.start(log, dispatcher=by_parity())
    even, odd = await manual(p, [], partition=0), await manual(p, [], partition=1)
    await ask(even, 4)
    await push(p, 1, 3, 2)
    await queue_info(p, "marker")
    await settled()
    assert ("info", "marker") not in log, "1 and 3 wait"
    await ask(odd, 1)
    assert ("info", "marker") not in log
    await ask(odd, 1)
    assert log[-1] == ("info", "marker")
