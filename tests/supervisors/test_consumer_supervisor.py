"""One child for each event, and its place given back when it is gone: GS-101 to GS-111."""

from __future__ import annotations

from typing import Any

import pytest

from runtime import (
    ChildStartFailed,
    Crashed,
    Ignore,
    Node,
    Normal,
    Pid,
    Shutdown,
    Stop,
    is_alive,
    snapshot,
    wait_exit,
    whereis,
)
from runtime.inspection.views import Plain
from supervisors import ChildNotFound, ConsumerSupervisor, GaveUp
from tests.conftest import Recorder
from tests.runtime.flowing import Push, settle, start_count, start_noting
from tests.supervisors.event_parts import Job, active, feed, finish, is_up, job, seen, start_jobs
from tests.support import end_of


async def test_four_children_at_once_and_an_ask_when_two_have_ended_not_before(node: Node) -> None:
    """GS-101."""
    log: list[str] = []
    jobs = await start_jobs(job(log))
    await feed(jobs, await start_count(log, 9), 4, 2)
    assert seen(log) == ["P handle_demand 4", "start 0", "start 1", "start 2", "start 3"]
    assert await active(jobs) == (4, 4)
    await finish(0, Normal())
    assert seen(log) == ["end 0 normal"]
    await finish(1, Normal())
    assert seen(log) == ["end 1 normal", "P handle_demand 2", "start 4", "start 5"]
    await finish(2, Normal())
    await finish(3, Normal())
    await finish(4, Normal())
    seen(log)
    await finish(5, Normal())
    assert seen(log) == ["end 5 normal", "P handle_demand 2", "start 8"]
    assert await active(jobs) == (3, 3)


async def test_one_ask_of_one_for_each_child_that_has_ended(node: Node) -> None:
    """GS-102."""
    log: list[str] = []
    jobs = await start_jobs(job(log))
    await feed(jobs, await start_count(log, 4), 2, 0)
    assert seen(log) == ["P handle_demand 2", "start 0", "start 1"]
    for event in range(4):
        await finish(event, Normal())
    assert seen(log) == [
        "end 0 normal",
        "P handle_demand 1",
        "start 2",
        "end 1 normal",
        "P handle_demand 1",
        "start 3",
        "end 2 normal",
        "P handle_demand 1",
        "end 3 normal",
        "P handle_demand 1",
    ]


async def test_a_temporary_child_that_crashes_is_done(node: Node) -> None:
    """GS-103."""
    log: list[str] = []
    jobs = await start_jobs(job(log))
    await feed(jobs, await start_count(log, 4), 1, 0)
    seen(log)
    await finish(0, "boom")
    assert seen(log) == ["end 0 boom", "P handle_demand 1", "start 1"]
    assert await active(jobs) == (1, 1)


async def test_a_transient_child_that_crashes_starts_again_with_its_event(node: Node) -> None:
    """GS-104."""
    log: list[str] = []
    jobs = await start_jobs(job(log, "transient"))
    await feed(jobs, await start_count(log, 4), 1, 0)
    seen(log)
    await finish(0, "boom")
    await finish(0, "boom")
    assert seen(log) == ["end 0 boom", "start 0", "end 0 boom", "start 0"]
    assert await active(jobs) == (1, 1)


@pytest.mark.parametrize("reason", [Shutdown(), Shutdown("x"), Normal()])
async def test_a_transient_child_that_ends_cleanly_is_done(node: Node, reason: object) -> None:
    """GS-105."""
    log: list[str] = []
    jobs = await start_jobs(job(log, "transient"))
    await feed(jobs, await start_count(log, 4), 1, 0)
    seen(log)
    await finish(0, reason)
    assert log[1:] == ["P handle_demand 1", "start 1"]
    assert await active(jobs) == (1, 1)


async def test_too_many_restarts_end_the_supervisor_and_not_the_producer(
    node: Node, events: Recorder
) -> None:
    """GS-106; but it asks for nothing more before its end, which would be lost."""
    log: list[str] = []
    jobs = await start_jobs(job(log, "transient"), max_restarts=1)
    pid = jobs.pid
    producer = await start_count(log, 4)
    await feed(jobs, producer, 1, 0)
    await finish(0, "boom")
    seen(log)
    await finish(0, "boom")
    reason = end_of(events, pid)
    assert isinstance(reason, Shutdown)
    assert isinstance(reason.detail, GaveUp)
    assert log[0] == "end 0 boom"
    assert log[1].startswith("P handle_cancel down {shutdown,")
    assert len(log) == 2
    assert is_alive(producer)


def facts_of(pid: Pid) -> dict[str, Plain]:
    """What it says of itself in a snapshot."""
    (found,) = [one for one in snapshot().processes if one.pid == pid.number]
    return found.facts


def refuses(event: int) -> Any:
    """What the first three of these jobs do instead of starting."""
    match event:
        case 0:
            return Stop("nope")
        case 1:
            return Ignore()
        case 2:
            raise RuntimeError("boom")
        case _:
            return None


@pytest.mark.parametrize("restart", ["temporary", "transient"])
async def test_what_does_not_start_is_dropped_and_its_demand_returned(
    node: Node, events: Recorder, restart: str
) -> None:
    """GS-107: those of one message together; a failure is told, ``Ignore`` is none."""
    log: list[str] = []
    jobs = await start_jobs(job(log, restart, refuses))
    await feed(jobs, await start_count(log, 6), 2, 0)
    assert seen(log) == [
        "P handle_demand 2",
        "P handle_demand 2",
        "start 3",
        "P handle_demand 1",
        "start 4",
    ]
    assert await active(jobs) == (2, 2)
    told = events.of(ChildStartFailed)
    assert [(one.supervisor, one.child_id, one.action) for one in told] == [
        (jobs.pid, "job 0", "drop its event"),
        (jobs.pid, "job 2", "drop its event"),
    ]
    assert told[0].reason == "nope"
    assert isinstance(told[1].reason, Crashed)
    assert facts_of(jobs.pid)["under_way"] == 2


def test_a_permanent_child_is_refused() -> None:
    """GS-108: when the spec is made, so a tree with it is not even built."""
    spec = Job.child_spec([], "default")
    with pytest.raises(ValueError, match="'permanent': the child of an event is done when it ends"):
        ConsumerSupervisor.child_spec(spec)
    with pytest.raises(ValueError, match="restart: got 'permanent'"):
        ConsumerSupervisor.child_spec(Job, extra_arguments=[[]], restart="permanent")


async def test_children_go_on_when_their_producer_has_ended(node: Node) -> None:
    """GS-109."""
    log: list[str] = []
    jobs = await start_jobs(job(log))
    producer = await start_count(log, 4)
    await feed(jobs, producer, 2, 0, cancel="temporary")
    await producer.stop()
    await settle()
    assert await active(jobs) == (2, 2)
    await finish(0, Normal())
    await finish(1, "boom")
    assert await active(jobs) == (0, 0)
    assert seen(log)[3:] == ["end 0 normal", "end 1 boom"]


async def test_a_permanent_subscription_ends_it_with_its_producer(
    node: Node, events: Recorder
) -> None:
    log: list[str] = []
    jobs = await start_jobs(job(log))
    pid = jobs.pid
    producer = await start_count(log, 4)
    await feed(jobs, producer, 2, 0)
    await producer.stop("enough")
    await wait_exit(pid)
    assert end_of(events, pid) == "enough"
    assert not is_up(0)
    assert not is_up(1)


async def test_a_child_started_by_hand_counts_for_nobody(node: Node) -> None:
    """GS-110."""
    log: list[str] = []
    jobs = await start_jobs(job(log))
    await feed(jobs, await start_count(log, 4), 1, 0)
    assert seen(log) == ["P handle_demand 1", "start 0"]
    by_hand = await jobs.start_child("x")
    assert by_hand.pid is whereis("job x")
    assert await active(jobs) == (2, 2)
    await finish("x", Normal())
    assert seen(log) == ["start x", "end x normal"]
    assert await active(jobs) == (1, 1)


async def test_terminating_the_child_of_an_event_returns_its_demand(node: Node) -> None:
    """GS-110."""
    log: list[str] = []
    jobs = await start_jobs(job(log))
    await feed(jobs, await start_count(log, 4), 1, 0)
    seen(log)
    first = whereis("job 0")
    assert first is not None
    await jobs.terminate_child(first)
    await settle()
    assert seen(log) == ["P handle_demand 1", "start 1"]
    with pytest.raises(ChildNotFound):
        await jobs.terminate_child(first)
    assert await active(jobs) == (1, 1)


async def test_two_producers_have_separate_budgets(node: Node) -> None:
    """GS-111."""
    log: list[str] = []
    jobs = await start_jobs(job(log))
    await feed(jobs, await start_count(log, 2, name="P1"), 1, 0)
    second = await start_noting(log, name="P2")
    await feed(jobs, second, 2, 0)
    await second.call(Push(["a", "b", "c"]))
    await settle()
    assert seen(log) == [
        "P1 handle_demand 1",
        "start 0",
        "P2 handle_demand 2",
        "start a",
        "start b",
    ]
    assert await active(jobs) == (3, 3)
    await finish(0, Normal())
    assert seen(log) == ["end 0 normal", "P1 handle_demand 1", "start 1"]
    await finish("a", Normal())
    assert seen(log) == ["end a normal", "start c"]
    assert await active(jobs) == (3, 3)
