"""Consumers: ``handle_events``, and what ends them in the middle of it."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from runtime import Crashed, Node, Ref, Stop, exit, is_alive, kill, self_, trap_exits, wait_exit
from runtime.exits import KILLED, SHUTDOWN
from runtime.stages import Consumer, PartitionDispatcher, Subscription, subscribe
from tests.runtime.staging import (
    AsyncSink,
    AsyncSource,
    Begin,
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

SINKS: list[Any] = [Sink, AsyncSink]


@pytest.mark.parametrize("kind", SINKS)
@pytest.mark.parametrize(
    ("total", "most", "least", "asks", "lengths"),
    [
        pytest.param(2500, None, None, [1000] + [500] * 4, [500] * 5, id="GS-01"),
        pytest.param(23, 10, 5, [10, 5, 5, 5, 5], [5, 5, 5, 5, 3], id="GS-05"),
        pytest.param(23, 10, 8, [10, *[2] * 11], [*[2] * 11, 1], id="GS-06"),
        pytest.param(23, 10, 2, [10, 8, 10], [8, 2, 8, 5], id="GS-07"),
        pytest.param(23, 10, 0, [10, 10, 10], [10, 10, 3], id="GS-08"),
        pytest.param(3, 1, 0, [1, 1, 1, 1], [1, 1, 1], id="GS-09"),
        pytest.param(7, 3, None, [3, 2, 3, 2], [2, 1, 2, 2], id="GS-10"),
    ],
)
async def test_demand_step_by_step(
    node: Node, kind: Any, total: int, most: Any, least: Any, asks: Log, lengths: Log
) -> None:
    up: Log = []
    log: Log = []
    options = {} if most is None else {"max_demand": most, "min_demand": least}
    await joined(await kind.start(log), await Source.start(up, total), **options)
    assert [len(chunk) for chunk in chunks(log)] == lengths
    assert [event for chunk in chunks(log) for event in chunk] == list(range(total))
    assert demands(up)[: len(asks)] == asks


async def test_an_ask_leaves_before_the_next_chunk_is_handled(node: Node) -> None:
    """GS-11."""
    up: Log = []

    async def wait(events: list[Any]) -> None:
        await trio.sleep(1)

    log: Log = []
    p, c = await Source.start(up, 100), await AsyncSink.start(log, wait)
    await joined(c, p, max_demand=10, min_demand=5)
    assert (len(chunks(log)), demands(up)) == (1, [10])
    await trio.sleep(1)
    await settled()
    assert (len(chunks(log)), demands(up)) == (2, [10, 5])


@pytest.mark.parametrize("kind", SINKS)
async def test_each_subscription_counts_for_itself(node: Node, kind: Any) -> None:
    """GS-14."""
    first: Log = []
    second: Log = []
    c = await kind.start()
    await joined(c, await Source.start(first, 4), max_demand=2, min_demand=1)
    await joined(c, await Source.start(second, 3), max_demand=3, min_demand=0)
    assert demands(first) == [2, 1, 1, 1, 1]
    assert demands(second) == [3, 3]


async def test_the_handler_is_told_the_subscription(node: Node) -> None:
    seen: list[tuple[Subscription, list[Any]]] = []

    class Told(Consumer[Any]):
        def handle_events(self, events: list[Any], subscription: Subscription) -> None:
            seen.append((subscription, events))

    p = await Source.start(None, 1)
    assert (await joined(await Told.start(), p), [0]) == seen[0]


async def test_a_consumer_without_a_handler_crashes(node: Node, events: list[Any]) -> None:
    class Empty(Consumer[int]):
        """Says nothing."""

    c = await Empty.start()
    await joined(c, await Source.start(None, 1))
    reason = end_of(events, c.pid)
    assert isinstance(reason, Crashed)
    assert isinstance(reason.exception, NotImplementedError)


@pytest.mark.parametrize("kind", SINKS)
async def test_stop_with_events_left(node: Node, events: list[Any], kind: Any) -> None:
    """The other chunks are lost, and none are asked for any more."""
    up: Log = []
    log: Log = []
    p, c = await Source.start(up, 100), await kind.start(log, lambda _: Stop("enough"))
    await joined(c, p, max_demand=4)
    assert chunks(log) == [[0, 1]]
    assert (end_of(events, c.pid), demands(up)) == ("enough", [4])
    assert ends(up) == [("over", "down", "enough", "consumer")]


@pytest.mark.parametrize("kind", SINKS)
async def test_a_crash_with_events_left(node: Node, events: list[Any], kind: Any) -> None:
    up: Log = []
    log: Log = []
    p, c = await Source.start(up, 100), await kind.start(log, lambda _: 1 // 0)
    await joined(c, p, max_demand=4)
    reason = end_of(events, c.pid)
    assert isinstance(reason, Crashed)
    assert isinstance(reason.exception, ZeroDivisionError)
    assert (chunks(log), demands(up)) == ([[0, 1]], [4])


@pytest.mark.parametrize("kind", SINKS)
@pytest.mark.parametrize("how", ["exit", "kill"])
async def test_an_exit_of_its_own_is_heard_before_the_next_chunk(
    node: Node, events: list[Any], kind: Any, how: str
) -> None:
    def end(_events: object) -> None:
        if how == "kill":
            kill(self_())
        else:
            exit(self_(), "mine")

    up: Log = []
    log: Log = []
    p, c = await Source.start(up, 100), await kind.start(log, end)
    await joined(c, p, max_demand=4)
    assert (chunks(log), demands(up)) == ([[0, 1]], [4])
    assert end_of(events, c.pid) == (KILLED if how == "kill" else "mine")


# ---------------------------------------------------------------------- in the middle of it


class Slow(Sink):
    """Takes a second for each chunk, and says how that ended."""

    async def handle_events(self, events: list[Any], subscription: Subscription) -> None:
        self.log.append(events)
        try:
            await trio.sleep(1)
        except trio.Cancelled:
            self.log.append("cancelled")
            raise
        self.log.append("done")


async def slow(log: Log, up: Log, **options: Any) -> tuple[Ref, Ref, Subscription]:
    """A slow consumer in its first chunk."""
    p, c = await Source.start(up, 100), await Slow.start(log)
    return p, c, await joined(c, p, max_demand=4, **options)


@pytest.mark.parametrize("how", [kill, lambda c: exit(c, SHUTDOWN)])
async def test_ended_in_handle_events(node: Node, how: Any) -> None:
    log: Log = []
    up: Log = []
    p, c, _ = await slow(log, up)
    how(c)
    await wait_exit(c)
    await settled()
    assert log[1:3] == [[0, 1], "cancelled"]
    assert demands(up) == [4]
    assert [one[1] for one in ends(up)] == ["down"]
    assert is_alive(p)


async def test_one_that_traps_exits_goes_on(node: Node) -> None:
    class Trapping(Slow):
        def init(self) -> None:
            trap_exits()

    log: Log = []
    p, c = await Source.start(None, 4), await Trapping.start(log)
    await joined(c, p, max_demand=4)
    exit(c, "not yet")
    await trio.sleep(5)
    assert [one for one in log if not isinstance(one, tuple)] == [[0, 1], "done", [2, 3], "done"]
    assert is_alive(c)


async def test_its_producer_is_killed_meanwhile(node: Node) -> None:
    """What it has is handled first."""
    log: Log = []
    up: Log = []
    p, c, _ = await slow(log, up)
    kill(p)
    await wait_exit(c)
    assert log[1:] == [
        [0, 1], "done", [2, 3], "done",
        ("over", "down", KILLED, "producer"), ("end", KILLED),
    ]  # fmt: skip


async def test_it_is_cancelled_meanwhile(node: Node) -> None:
    log: Log = []
    up: Log = []
    _, c, subscription = await slow(log, up)
    subscription.cancel("enough")
    await wait_exit(c)
    assert [one for one in log if isinstance(one, list)] == [[0, 1], [2, 3]]
    assert ends(log) == [("over", "cancel", "enough", "producer"), ("end", "enough")]
    assert demands(up) == [4], "what it asks for meanwhile finds nobody"


async def test_stop_waits_for_what_came_before(node: Node) -> None:
    log: Log = []
    up: Log = []
    _, c, _ = await slow(log, up, cancel="temporary")
    await c.stop()
    assert log[1:5] == [[0, 1], "done", [2, 3], "done"]


async def test_events_emitted_by_a_crashing_producer_are_handled(node: Node) -> None:
    log: Log = []
    p, c = await AsyncSource.start(), await Slow.start(log)
    await joined(c, p, max_demand=4)

    def crash(stage: Any) -> None:
        stage.emit([1, 2])
        raise OSError("disk")

    p.cast(Begin(crash))
    await wait_exit(c)
    assert log[1:3] == [[1, 2], "done"]


async def test_a_partition_keeps_the_events_of_a_consumer_that_is_killed(node: Node) -> None:
    """GS-73, mended: what had not left for it goes to its successor."""
    log: Log = []
    p = await Source.start(make=lambda: PartitionDispatcher(1))
    c = await Slow.start(log)
    await joined(c, p, partition=0, max_demand=2)
    await emitted(p, *range(6))
    kill(c)
    await settled()
    successor: Log = []
    await joined(await Sink.start(successor), p, partition=0, max_demand=10)
    assert chunks(successor) == [[2, 3, 4, 5]]


async def test_many_slow_ones_share_one_producer(node: Node) -> None:
    logs: list[Log] = [[] for _ in range(10)]
    p = await Source.start(None, 100)
    for log in logs:
        await subscribe(await Slow.start(log), p, max_demand=2)
    await trio.sleep(60)
    got = [event for log in logs for chunk in chunks(log) for event in chunk]
    assert sorted(got) == list(range(100))
    assert [sum(map(len, chunks(log))) for log in logs] == [10] * 10
