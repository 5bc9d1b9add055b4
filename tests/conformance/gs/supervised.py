"""Rows of GS about ConsumerSupervisor: a child for each event."""

from __future__ import annotations

from typing import Any

import pytest

from runtime import (
    Cast,
    Down,
    ExitReason,
    GenServer,
    Ignore,
    InitResult,
    Normal,
    Ref,
    Shutdown,
    Stop,
    handles,
    is_alive,
    monitor,
    named,
    receive,
    register,
    whereis,
)
from runtime.child_spec import Restart
from runtime.instruments import ChildStartFailed
from runtime.stages import subscribe
from supervisors import ChildNotFound, ConsumerSupervisor, ConsumerSupervisorRef, GaveUp
from tests.conformance.gs.parts import Log, Pushed, Source, push, settled
from tests.conformance.scenarios import row
from tests.conftest import Recorder
from tests.support import in_process


class End(Cast):
    """Stop with this reason."""

    reason: ExitReason


class Job(GenServer):
    """The child of an event; writes down that it has started."""

    def __init__(self, log: Log, event: object) -> None:
        self.log = log
        self.event = event

    def init(self) -> InitResult:
        match self.event:
            case "refuses":
                return Stop("nope")
            case "ignores":
                return Ignore()
            case "raises":
                raise RuntimeError("boom")
            case _:
                pass
        register(f"job {self.event}")
        self.log.append(self.event)
        return None

    @handles(End)
    def end(self, message: End) -> Stop:
        return Stop(message.reason)


async def end(event: object, reason: ExitReason = Normal()) -> None:
    """Let the child of an event end, and see what follows."""
    named(f"job {event}").cast(End(reason))
    await settled()


async def supervised(
    log: Log, restart: Restart = "temporary", **options: Any
) -> ConsumerSupervisorRef:
    """A supervisor of jobs."""
    return ConsumerSupervisorRef(
        await ConsumerSupervisor.start(Job, restart=restart, extra_arguments=[log], **options)
    )


async def subscribed(s: Ref, producer: Ref, most: int, least: int, **options: Any) -> None:
    await subscribe(s, to=producer, max_demand=most, min_demand=least, **options)
    await settled()


def those(started: Log) -> Log:
    """Those that have started; children of one message start side by side."""
    return sorted(started, key=str)


async def active(s: ConsumerSupervisorRef) -> int:
    """How many children there are."""
    return (await s.count_children()).active


@row("GS-101")
async def as_many_as_are_wanted_and_more_when_enough_have_ended() -> None:
    asks: Log = []
    started: Log = []
    s = await supervised(started)
    await subscribed(s, await Source.start(asks), 4, 2)
    assert (asks, those(started)) == ([4], [0, 1, 2, 3])
    await end(0)
    assert (asks, await active(s)) == ([4], 3)
    await end(3)
    assert (asks, those(started)) == ([4, 2], [0, 1, 2, 3, 4, 5])
    assert await active(s) == 4


@row("GS-102")
async def with_a_least_of_0_one_for_each_that_has_ended() -> None:
    asks: Log = []
    started: Log = []
    s = await supervised(started)
    await subscribed(s, await Source.start(asks), 2, 0)
    for event in range(3):
        await end(event)
    assert (asks, those(started)) == ([2, 1, 1, 1], [0, 1, 2, 3, 4])
    assert await active(s) == 2


@row("GS-103")
async def a_temporary_child_that_crashes_is_done() -> None:
    asks: Log = []
    started: Log = []
    s = await supervised(started)
    await subscribed(s, await Source.start(asks), 1, 0)
    await end(0, "boom")
    assert (asks, started) == ([1, 1], [0, 1])


@row("GS-104")
async def a_transient_child_that_crashes_has_another_try() -> None:
    asks: Log = []
    started: Log = []
    s = await supervised(started, "transient")
    await subscribed(s, await Source.start(asks), 1, 0)
    await end(0, "boom")
    await end(0, "boom")
    assert (asks, started) == ([1], [0, 0, 0])
    assert await active(s) == 1


@row("GS-105")
async def a_transient_child_that_is_shut_down_is_done() -> None:
    asks: Log = []
    started: Log = []
    s = await supervised(started, "transient")
    await subscribed(s, await Source.start(asks), 1, 0)
    await end(0, Shutdown())
    assert (asks, started) == ([1, 1], [0, 1])


@row("GS-106")
async def too_many_restarts() -> None:
    """differs: the history is the detail of its reason, and it asks for nothing at its end."""

    async def scenario() -> None:
        log: Log = []
        p = await Source.start(log)
        s = await supervised([], "transient", max_restarts=1, max_seconds=5.0)
        monitor(s)
        await subscribed(s, p, 1, 0)
        await end(0, "boom")
        await end(0, "boom")
        down = await receive()
        assert isinstance(down, Down)
        reason = down.reason
        assert isinstance(reason, Shutdown)
        assert isinstance(reason.detail, GaveUp)
        await settled()
        assert log == [1, ("down", reason)]
        assert is_alive(p)

    await in_process(scenario)


@row("GS-107")
async def an_event_whose_child_does_not_start_is_dropped(events: Recorder) -> None:
    asks: Log = []
    started: Log = []
    p = await Pushed.start(asks)
    s = await supervised(started, "transient")
    await subscribed(s, p, 3, 0)
    await push(p, "refuses", "ignores", "raises")
    assert (asks, started) == ([3, 3], [])
    assert await active(s) == 0
    assert len([one for one in events if isinstance(one, ChildStartFailed)]) == 2
    await push(p, "a")
    assert started == ["a"]


@row("GS-108")
async def a_child_that_is_never_done_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^restart: got 'permanent': "):
        await supervised([], "permanent")


@row("GS-109")
async def children_outlive_their_producer() -> None:
    p = await Source.start([])
    s = await supervised([])
    await subscribed(s, p, 2, 0, cancel="temporary")
    await p.stop()
    await settled()
    assert await active(s) == 2
    await end(0)
    assert await active(s) == 1
    assert is_alive(s)


@row("GS-110")
async def a_child_by_hand_counts_for_nobody() -> None:
    asks: Log = []
    started: Log = []
    s = await supervised(started)
    await subscribed(s, await Source.start(asks), 1, 0)
    await s.start_child("x")
    assert started == [0, "x"]
    await end("x")
    assert asks == [1]
    job = whereis("job 0")
    assert job is not None
    await s.terminate_child(job)
    await settled()
    assert (asks, started) == ([1, 1], [0, "x", 1])
    with pytest.raises(ChildNotFound):
        await s.terminate_child(job)


@row("GS-111")
async def each_producer_has_its_own_budget() -> None:
    first: Log = []
    second: Log = []
    started: Log = []
    p, q = await Source.start(first), await Pushed.start(second)
    s = await supervised(started)
    await subscribed(s, p, 1, 0)
    await subscribed(s, q, 2, 0)
    await push(q, "a", "b", "c")
    assert (first, second) == ([1], [2])
    assert those(started) == [0, "a", "b"]
    assert await active(s) == 3
    await end(0)
    assert (first, second) == ([1, 1], [2])
    assert await active(s) == 3
