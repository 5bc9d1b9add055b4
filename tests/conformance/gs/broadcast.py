"""Rows of GS about the dispatcher that gives each event to all."""

from __future__ import annotations

from typing import Any

from runtime import Ref, is_alive, kill, wait_exit
from runtime.stages import (
    AlreadySubscribed,
    BroadcastDispatcher,
    Subscription,
    buffered_count,
    set_demand,
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
    settled,
)
from tests.conformance.scenarios import row


async def broadcaster(asks: Log, **options: Any) -> Ref:
    """A ``Pushed`` that gives everything to everybody."""
    return await Pushed.start(asks, dispatcher=BroadcastDispatcher(), **options)


@row("GS-56", "GS-57")
async def the_least_that_all_want_is_wanted() -> None:
    asks: Log = []
    first: Log = []
    second: Log = []
    p = await broadcaster(asks)
    a, b = await manual(p, first), await manual(p, second)
    await ask(a, 10)
    assert asks == []
    await ask(b, 4)
    assert asks == [4]
    await ask(b, 3)
    assert asks == [4, 3]
    await push(p, *range(1, 10))
    assert (first, second) == ([[1, 2, 3, 4, 5, 6, 7]], [[1, 2, 3, 4, 5, 6, 7]]), "GS-57"
    assert await buffered_count(p) == 2


@row("GS-58")
async def one_that_does_not_ask_holds_up_the_others() -> None:
    asks: Log = []
    log: Log = []
    p = await Source.start(asks, dispatcher=BroadcastDispatcher())
    await manual(p, [])
    a = await manual(p, log)
    await ask(a, 10)
    await ask(a, 10)
    assert (asks, log) == ([], [])


@row("GS-59")
async def when_the_slow_one_is_gone_the_others_go_on() -> None:
    asks: Log = []
    log: Log = []
    p = await Source.start(asks, dispatcher=BroadcastDispatcher())
    slow = await manual(p, [])
    await ask(await manual(p, log), 3)
    kill(slow.consumer)
    await wait_exit(slow.consumer)
    await settled()
    assert [one for one in asks if isinstance(one, int)] == [3]
    assert log == [[0, 1, 2]]


@row("GS-60")
async def who_comes_later_misses_what_was() -> None:
    first: Log = []
    second: Log = []
    p = await Source.start([], 8, dispatcher=BroadcastDispatcher())
    a = await manual(p, first)
    await ask(a, 4)
    b = await manual(p, second)
    await ask(a, 4)
    await ask(b, 4)
    assert first == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert second == [[4, 5, 6, 7]]


@row("GS-61")
async def who_waits_until_all_are_there_gives_all_everything() -> None:
    logs: tuple[Log, Log] = ([], [])
    p = await Source.start([], 6, dispatcher=BroadcastDispatcher(), demand="accumulate")
    for log in logs:
        await consumer_of(p, log, max_demand=4, min_demand=2)
    assert logs == ([], [])
    await set_demand(p, "forward")
    await settled()
    for log in logs:
        assert log == [[0, 1], [2, 3], [4, 5]]


def is_even(event: int) -> bool:
    return event % 2 == 0


@row("GS-62")
async def what_a_selector_rejects_uses_up_nothing() -> None:
    evens: Log = []
    everything: Log = []
    p = await Source.start([], 40, dispatcher=BroadcastDispatcher(), demand="accumulate")
    await consumer_of(p, evens, max_demand=4, min_demand=2, selector=is_even)
    await consumer_of(p, everything, max_demand=4, min_demand=2)
    await set_demand(p, "forward")
    await settled()
    assert [event for chunk in everything for event in chunk] == list(range(40))
    assert [event for chunk in evens for event in chunk] == list(range(0, 40, 2))
    assert all(0 < len(chunk) <= 2 for chunk in evens)


@row("GS-63")
async def what_is_rejected_as_a_whole() -> None:
    automatic: Log = []
    by_hand: Log = []
    everything: Log = []
    p = await broadcaster([])
    await consumer_of(p, automatic, selector=is_even)
    a = await manual(p, by_hand, selector=is_even)
    b = await manual(p, everything)
    await ask(a, 10)
    await ask(b, 10)
    await push(p, 1, 3)
    assert (automatic, by_hand, everything) == ([], [[]], [[1, 3]])
    await push(p, 4)
    assert (automatic, by_hand, everything) == ([[4]], [[], [4]], [[1, 3], [4]])


@row("GS-64")
async def a_process_subscribes_once() -> None:
    log: Log = []
    p = await broadcaster([])
    c = await Sink.start(log)
    await subscribe(c, to=p)
    await settled()
    await subscribe(c, to=p, cancel="permanent")
    await settled()
    ((how, reason),) = log
    assert how == "cancel"
    assert isinstance(reason.exception, AlreadySubscribed)
    assert is_alive(c)
    log.clear()
    await push(p, 1, 2)
    assert log == [[1, 2]]


@row("GS-65")
async def what_is_buffered_goes_to_the_first() -> None:
    first: Log = []
    second: Log = []
    p = await broadcaster([])
    await push(p, 1, 2, 3)
    assert await buffered_count(p) == 3
    await ask(await manual(p, first), 3)
    await ask(await manual(p, second), 3)
    assert (first, second) == ([[1, 2, 3]], [])


@row("GS-66")
async def one_ask_for_what_both_want() -> None:
    asks: Log = []
    p = await broadcaster(asks, demand="accumulate")
    await consumer_of(p, [], max_demand=10, min_demand=0)
    await consumer_of(p, [], max_demand=20, min_demand=0)
    await set_demand(p, "forward")
    await settled()
    assert asks == [10]


async def who_asked_10_and_who_joins(asks: Log) -> tuple[Ref, Subscription, tuple[Log, Log]]:
    """A asked for 10, B has not yet; 3 are pushed."""
    logs: tuple[Log, Log] = ([], [])
    p = await broadcaster(asks)
    await ask(await manual(p, logs[0]), 10)
    b = await manual(p, logs[1])
    await push(p, 1, 2, 3)
    assert asks == [10]
    assert await buffered_count(p) == 3
    assert logs == ([], [])
    return p, b, logs


@row("GS-67")
async def a_newcomers_ask_lets_go_what_is_buffered() -> None:
    """differs: the 3 leave as B asks for them; in GenStage they stay."""
    asks: Log = []
    p, b, logs = await who_asked_10_and_who_joins(asks)
    await ask(b, 2)
    assert logs == ([[1, 2]], [[1, 2]])
    await ask(b, 12)
    assert logs == ([[1, 2], [3]], [[1, 2], [3]])
    assert await buffered_count(p) == 0
    assert asks == [10], "of the 10 that were asked for 7 are to come, and no more are wanted"


@row("GS-112")
async def nothing_is_overtaken_after_a_newcomer() -> None:
    """differs: what is buffered leaves first; in GenStage 4 and 5 overtake it."""
    p, b, logs = await who_asked_10_and_who_joins([])
    await ask(b, 2)
    await ask(b, 12)
    await push(p, 4, 5)
    for log in logs:
        assert log == [[1, 2], [3], [4, 5]]
