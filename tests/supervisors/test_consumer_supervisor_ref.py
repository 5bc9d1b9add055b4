"""What a consumer supervisor can be asked: the child of an event by hand, and who there is."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from runtime import (
    AlreadyStarted,
    CallExit,
    Ignore,
    Ignored,
    Node,
    NoProcess,
    Normal,
    StartFailed,
    Stop,
    kill,
    processes,
    resume,
    spawn,
    suspend,
)
from supervisors import ChildCounts, ConsumerSupervisorRef
from tests.runtime.flowing import settle
from tests.supervisors.event_parts import Job, active, finish, is_up, job, start_jobs
from tests.supervisors.tree_parts import begin_after


async def test_the_child_of_an_event_is_started_by_hand(node: Node) -> None:
    """GS-110."""
    log: list[str] = []
    jobs = await start_jobs(job(log))
    started = await jobs.start_child("a")
    assert is_up("a")
    (row,) = await jobs.which_children()
    assert (row.id, row.pid, row.status, row.behaviour) == ("job a", started.pid, "running", "Job")
    assert await jobs.count_children() == ChildCounts(1, 1, 0, 1)
    await jobs.terminate_child(started)
    assert await jobs.count_children() == ChildCounts(0, 0, 0, 0)
    assert log == ["start a"]


async def test_one_that_is_transient_is_started_again(node: Node) -> None:
    log: list[str] = []
    jobs = await start_jobs(job(log, "transient"))
    await jobs.start_child("a")
    await finish("a", "boom")
    assert log == ["start a", "end a boom", "start a"]
    await finish("a", Normal())
    assert await active(jobs) == (0, 0)


async def test_a_start_that_fails_raises(node: Node) -> None:
    def begin(event: object) -> Any:
        return {"stop": Stop("no"), "ignore": Ignore()}.get(str(event))

    jobs = await start_jobs(job([], begin=begin))
    await jobs.start_child("a")
    with pytest.raises(AlreadyStarted):
        await jobs.start_child("a")
    with pytest.raises(StartFailed, match="'no'"):
        await jobs.start_child("stop")
    with pytest.raises(Ignored):
        await jobs.start_child("ignore")
    assert await active(jobs) == (1, 1)


async def test_an_event_that_gets_no_child_raises_what_is_wrong(node: Node) -> None:
    def make(event: Any) -> Any:
        match event:
            case "off":
                return Job.child_spec([], event).replace(restart="temporary", enabled=False)
            case "permanent":
                return Job.child_spec([], event)
            case _:
                return event["no"]

    jobs = await start_jobs(make)
    with pytest.raises(Ignored, match="child 'Job' is not enabled"):
        await jobs.start_child("off")
    with pytest.raises(ValueError, match="restart of child 'Job': got 'permanent'"):
        await jobs.start_child("permanent")
    with pytest.raises(KeyError):
        await jobs.start_child({})
    assert await active(jobs) == (0, 0)


async def test_a_requester_that_goes_away_takes_the_child_along(node: Node) -> None:
    jobs = await start_jobs(job([], begin=lambda _event: begin_after(5)()))

    async def ask() -> None:
        await jobs.start_child("a")

    requester = spawn(ask)
    await settle()
    assert is_up("a")
    kill(requester)
    await settle()
    assert not is_up("a")
    assert processes() == [jobs.pid]


async def test_a_requester_that_has_gone_before_it_is_heard_gets_nothing(node: Node) -> None:
    log: list[str] = []
    jobs = await start_jobs(job(log))
    await suspend(jobs)
    with trio.move_on_after(1):
        await jobs.start_child("a")
    await resume(jobs)
    await settle()
    assert log == []
    assert await active(jobs) == (0, 0)


async def test_a_supervisor_that_is_not_there_is_an_exit(node: Node) -> None:
    with pytest.raises(CallExit) as caught:
        await ConsumerSupervisorRef("nobody").start_child("a")
    assert caught.value.reason == NoProcess()
