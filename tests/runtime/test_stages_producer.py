"""Producers: ``handle_demand``, and demand that is accumulated: GS-92 to GS-95."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from runtime import Crashed, Node, Stop, exit, is_alive, kill, resume, self_, suspend, wait_exit
from runtime.current import find_process
from runtime.exits import KILLED
from runtime.stages import (
    BroadcastDispatcher,
    DemandMode,
    Producer,
    Subscription,
    buffered_count,
    get_demand,
    queue_info,
    set_demand,
    subscribe,
)
from runtime.stages.producer import Hold
from tests.runtime.staging import (
    AsyncSource,
    Begin,
    Do,
    Log,
    Sink,
    Source,
    chunks,
    demands,
    emitted,
    joined,
    settled,
)
from tests.support import end_of

SOURCES: list[Any] = [Source, AsyncSource]


async def manual(producer: Any, log: Log | None = None) -> Subscription:
    return await joined(await Sink.start(log), producer, mode="manual", cancel="temporary")


async def asked(subscription: Subscription, *counts: int) -> None:
    for count in counts:
        subscription.ask(count)
    await settled()


@pytest.mark.parametrize("kind", SOURCES)
async def test_each_ask_is_a_demand_of_its_own(node: Node, kind: Any) -> None:
    """GS-12, GS-24."""
    up: Log = []
    log: Log = []
    p = await kind.start(up, 7)
    await asked(await manual(p, log), 2, 2, 4, 1)
    assert demands(up) == [2, 2, 4, 1]
    assert chunks(log) == [[0, 1], [2, 3], [4, 5, 6]]


async def test_demand_without_a_handler_is_a_crash(node: Node, events: list[Any]) -> None:
    class Empty(Producer[int]):
        """Says nothing."""

    p = await Empty.start()
    await joined(await Sink.start(), p)
    reason = end_of(events, p.pid)
    assert isinstance(reason, Crashed)
    assert isinstance(reason.exception, NotImplementedError)


@pytest.mark.parametrize("kind", SOURCES)
async def test_demand_of_any_size(node: Node, kind: Any) -> None:
    up: Log = []
    log: Log = []
    p = await kind.start(up, 3)
    await joined(await Sink.start(log), p, max_demand=2**63)
    assert (demands(up), chunks(log)) == ([2**63], [[0, 1, 2]])


@pytest.mark.parametrize("kind", SOURCES)
async def test_events_emitted_and_returned_by_one_demand(node: Node, kind: Any) -> None:
    class Twice(kind):  # type: ignore[misc]
        def next(self, demand: int) -> list[Any]:
            self.emit(["emitted"])
            return [*super().next(demand)]

    log: Log = []
    p = await Twice.start(None, 2)
    await joined(await Sink.start(log), p, max_demand=100)
    assert chunks(log) == [["emitted"], [0, 1]]


async def test_events_of_a_task_while_a_demand_is_answered(node: Node) -> None:
    release = trio.Event()

    class Slow(Source):
        async def init(self) -> None:
            nursery = await self.enter(trio.open_nursery())
            nursery.start_soon(self.tell)

        async def tell(self) -> None:
            await trio.sleep(1)
            self.emit(["told"])
            await trio.sleep(1)
            release.set()

        async def handle_demand(self, demand: int) -> list[str]:
            self.log.append(demand)
            await release.wait()
            return ["answered"]

    up: Log = []
    log: Log = []
    p = await Slow.start(up)
    subscription = await manual(p, log)
    await asked(subscription, 3)
    await trio.sleep(1.5)
    assert chunks(log) == [["told"]]
    await trio.sleep(1)
    assert chunks(log) == [["told"], ["answered"]]
    await asked(subscription, 1)
    assert demands(up) == [3, 1]


@pytest.mark.parametrize("kind", SOURCES)
async def test_stop_from_handle_demand(node: Node, events: list[Any], kind: Any) -> None:
    class Last(kind):  # type: ignore[misc]
        def next(self, demand: int) -> Stop:
            self.emit(["last"])
            return Stop("dry")

    log: Log = []
    p, c = await Last.start(), await Sink.start(log)
    await joined(c, p, cancel="transient")
    assert end_of(events, p.pid) == "dry"
    assert log == [
        ("subscribed", "producer"), ["last"], ("over", "down", "dry", "producer"), ("end", "dry"),
    ]  # fmt: skip


async def test_one_that_is_killed_in_handle_demand(node: Node) -> None:
    ended: list[str] = []

    class Slow(Source):
        async def handle_demand(self, demand: int) -> None:
            try:
                await trio.sleep_forever()
            finally:
                ended.append("cancelled")

    log: Log = []
    p = await Slow.start()
    await joined(await Sink.start(log), p, cancel="temporary")
    kill(p)
    assert await wait_exit(p) == KILLED
    await settled()
    assert ended == ["cancelled"]
    assert log[1:] == [("over", "down", KILLED, "producer")]


# ---------------------------------------------------------------------- accumulated


@pytest.mark.parametrize("kind", SOURCES)
async def test_what_is_held_is_replayed_in_order(node: Node, kind: Any) -> None:
    """GS-92, GS-93."""
    up: Log = []
    log: Log = []
    p = await kind.start(up, 100, demand="accumulate")
    assert await get_demand(p) == "accumulate"
    subscription = await manual(p, log)
    await asked(subscription, 2)
    await emitted(p, "a", "b", "c")
    await asked(subscription, 4)
    assert (demands(up), chunks(log), await buffered_count(p)) == ([], [], 0)
    await set_demand(p, "forward")
    await settled()
    assert demands(up) == [2, 4]
    assert chunks(log) == [[0, 1], ["a", "b", "c"], [2]]
    assert await get_demand(p) == "forward"
    assert await buffered_count(p) == 3


@pytest.mark.parametrize("kind", SOURCES)
async def test_a_running_one_is_paused(node: Node, kind: Any) -> None:
    """GS-94, GS-95."""
    up: Log = []
    p = await kind.start(up, 100)
    subscription = await manual(p)
    await asked(subscription, 1)
    for _ in range(2):
        await set_demand(p, "accumulate")
        await asked(subscription, 2)
    assert demands(up) == [1]
    for _ in range(2):
        await set_demand(p, "forward")
        await settled()
    assert demands(up) == [1, 2, 2]


async def test_all_subscribe_before_the_first_event(node: Node) -> None:
    """GS-61."""
    logs: list[Log] = [[], []]
    p = await Source.start(None, 3, make=BroadcastDispatcher, demand="accumulate")
    for log in logs:
        await joined(await Sink.start(log), p, max_demand=5)
    await set_demand(p, "forward")
    await settled()
    assert [chunks(log) for log in logs] == [[[0, 1, 2]]] * 2


async def test_the_last_word_counts(node: Node) -> None:
    """Off, on and off again, all of it before the stage has its turn; nothing is lost."""
    up: Log = []
    p = await Source.start(up, 100, demand="accumulate")
    subscription = await manual(p)
    await asked(subscription, 1)
    await suspend(p)
    async with trio.open_nursery() as nursery:
        modes: list[DemandMode] = ["forward", "accumulate", "accumulate"]
        for count, mode in enumerate(modes, 2):
            nursery.start_soon(set_demand, p, mode)
            await asked(subscription, count)
        await resume(p)
    await settled()
    assert (await get_demand(p), demands(up)) == ("accumulate", [1, 2, 3, 4])
    await asked(subscription, 5)
    assert demands(up) == [1, 2, 3, 4]
    await set_demand(p, "forward")
    await settled()
    assert (await get_demand(p), demands(up)) == ("forward", [1, 2, 3, 4, 5])


async def test_nothing_is_lost_between_two_words(node: Node) -> None:
    up: Log = []
    p = await Source.start(up, 100)
    subscription = await manual(p)
    hold = Hold()
    await suspend(p)
    process = find_process(p)
    assert process is not None
    process.post_system(hold)
    subscription.ask(1)
    process.post_system(hold)
    await resume(p)
    await settled()
    assert demands(up) == []
    await set_demand(p, "forward")
    await settled()
    assert demands(up) == [1]


async def test_an_info_waits_behind_what_is_held(node: Node) -> None:
    log: Log = []
    p = await Source.start(log, 0, demand="accumulate")
    subscription = await manual(p)
    await queue_info(p, "nothing before it")
    await settled()
    assert log[-1] == ("info", "nothing before it")
    await emitted(p, 1)
    await queue_info(p, "behind 1")
    await emitted(p)
    await asked(subscription, 0)
    assert ("info", "behind 1") not in log
    await set_demand(p, "forward")
    await settled()
    assert ("info", "behind 1") not in log, "1 is buffered"
    await asked(subscription, 1)
    assert log[-2:] == [("info", "behind 1")] or log[-1] == ("info", "behind 1")


async def test_new_events_go_behind_what_is_replayed(node: Node) -> None:
    """A task of the stage emits while demand that was held is being answered."""
    log: Log = []

    class Slow(Source):
        async def init(self) -> None:
            nursery = await self.enter(trio.open_nursery())
            nursery.start_soon(self.tell)

        async def tell(self) -> None:
            await trio.sleep(2)
            self.emit(["later"])
            self.queue_info("last")

        async def handle_demand(self, demand: int) -> list[int]:
            self.log.append(demand)
            await trio.sleep(2)
            return [demand] * demand

    up: Log = []
    p = await Slow.start(up, 0, demand="accumulate")
    subscription = await manual(p, log)
    await asked(subscription, 3)
    await emitted(p, "held")
    await queue_info(p, "info")
    await asked(subscription, 1)
    await trio.sleep(1)
    await set_demand(p, "forward")
    await trio.sleep(10)
    assert chunks(log) == [["held"], ["later"], [3, 3]]
    assert demands(up) == [3, 1]
    assert [one for one in up if isinstance(one, tuple) and one[0] == "info"] == [
        ("info", "info"), ("info", "last"),
    ]  # fmt: skip


@pytest.mark.parametrize("kind", SOURCES)
async def test_stop_in_the_middle_of_a_replay(node: Node, events: list[Any], kind: Any) -> None:
    class Last(kind):  # type: ignore[misc]
        def next(self, demand: int) -> Any:
            return Stop("dry") if demand == 2 else super().next(demand)

    up: Log = []
    p = await Last.start(up, 100, demand="accumulate")
    await asked(await manual(p), 1, 2, 3)
    await set_demand(p, "forward")
    await settled()
    assert (demands(up), end_of(events, p.pid)) == ([1, 2], "dry")


async def test_an_exit_in_the_middle_of_a_replay(node: Node) -> None:
    class Exiting(Source):
        def handle_demand(self, demand: int) -> None:
            self.log.append(demand)
            exit(self_(), "mine")

    up: Log = []
    p = await Exiting.start(up, demand="accumulate")
    await asked(await manual(p), 1, 2)
    await set_demand(p, "forward")
    await wait_exit(p)
    assert demands(up) == [1]


async def test_rejected_events_while_held_are_asked_for_again_later(node: Node) -> None:
    up: Log = []
    log: Log = []
    p = await Source.start(up, 6, make=BroadcastDispatcher)
    await subscribe(
        await Sink.start(log), p, max_demand=2, min_demand=0, selector=lambda event: event > 2
    )
    await settled()
    assert chunks(log) == [[3], [4], [5]] or chunks(log) == [[3], [4, 5]]
    await set_demand(p, "accumulate")
    await emitted(p, 1, 2)
    await set_demand(p, "forward")
    await settled()
    assert is_alive(p)
    assert await p.call(Do(lambda stage: sum(demands(stage.log)))) >= 6


async def test_a_bad_word_is_refused(node: Node) -> None:
    p = await Source.start()
    wrong: Any = "pause"
    with pytest.raises(
        ValueError, match=r"^mode: got 'pause', allowed are 'forward', 'accumulate'$"
    ):
        await set_demand(p, wrong)
    p.cast(Begin(lambda stage: None))
    assert await get_demand(p) == "forward"
