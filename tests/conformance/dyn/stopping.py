"""Rows of DYN about the end: of one child on request, of all with the supervisor, of itself."""

from __future__ import annotations

import math

import pytest
import trio

from runtime import (
    Cast,
    ExitReason,
    Killed,
    Normal,
    Pid,
    ProcessExit,
    Shutdown,
    ShutdownBudget,
    exit,
    is_alive,
    link,
    spawn,
    start_link,
    unlink,
    wait_exit,
)
from supervisors import ChildNotFound, DynamicSupervisor, DynamicSupervisorRef
from tests.conformance.dyn.parts import down_reason
from tests.conformance.scenarios import row
from tests.conftest import Recorder
from tests.supervisors.dynamic_parts import kill_and_see, pids, rows, start_dynamic, temporary
from tests.supervisors.tree_parts import drain, settle, worker
from tests.support import end_of


class Strange(Cast):
    """A cast no supervisor knows."""


# ---------------------------------------------------------------------- one child


@row("DYN-036")
async def a_terminated_child_is_down_and_not_restarted() -> None:
    sup, log = await start_dynamic(), list[str]()
    child = await sup.start_child(worker(log, "a", nap=1))
    began = trio.current_time()
    await sup.terminate_child(child.pid)
    assert trio.current_time() - began == 1
    assert not is_alive(child)
    await trio.sleep(100)
    assert log == ["init a", "terminate a shutdown", "rested a"]
    assert await sup.which_children() == []


@row("DYN-037")
async def a_pid_that_is_no_child_is_not_found() -> None:
    sup, other = await start_dynamic(), await start_dynamic()
    foreign = await other.start_child(worker([], "a"))
    gone, terminated = [await sup.start_child(temporary([], "a")) for _ in range(2)]
    await kill_and_see(gone)
    await sup.terminate_child(terminated.pid)
    for pid in (foreign.pid, gone.pid, terminated.pid):
        with pytest.raises(ChildNotFound) as caught:
            await sup.terminate_child(pid)
        assert caught.value.child_id is pid
    assert await pids(other) == [foreign.pid]


@row("DYN-038")
async def a_slow_terminate_and_the_requests_of_others() -> None:
    """differs: they are answered at once, OTP's would wait until it is done."""
    sup, began, done = await start_dynamic(), trio.current_time(), list[tuple[str, float]]()
    child = await sup.start_child(worker([], "slow", nap=4))

    async def terminate() -> None:
        await sup.terminate_child(child)
        done.append(("terminated", trio.current_time() - began))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(terminate)
        await settle()
        await sup.start_child(worker([], "quick"))
        assert await rows(sup) == [("slow", "running"), ("quick", "running")]
        done.append(("asked", trio.current_time() - began))
    assert done == [("asked", 0), ("terminated", 4)]
    assert await rows(sup) == [("quick", "running")]


# ---------------------------------------------------------------------- all of them


@row("DYN-039")
async def five_children_that_take_a_tenth_of_a_second_take_that_together() -> None:
    sup, log = await start_dynamic(), list[str]()
    for tag in "abcde":
        await sup.start_child(worker(log, tag, trap=True, nap=0.1))
    drain(log)
    began = trio.current_time()
    await sup.stop()
    assert trio.current_time() - began == pytest.approx(0.1)
    assert sorted(log[:5]) == [f"terminate {tag} shutdown" for tag in "abcde"]
    assert sorted(log[5:]) == [f"rested {tag}" for tag in "abcde"]


@row("DYN-040")
async def each_child_is_stopped_as_its_shutdown_says(events: Recorder) -> None:
    sup, log = await start_dynamic(), list[str]()
    began, ends = trio.current_time(), dict[str, float]()
    budgets: dict[str, ShutdownBudget] = {"brutal": "brutal_kill", "1": 1, "2": 2, "any": math.inf}
    children: dict[str, Pid] = {}
    for tag, budget in budgets.items():
        spec = worker(log, tag, trap=True, nap=60).replace(shutdown=budget)
        children[tag] = (await sup.start_child(spec)).pid
    drain(log)

    async def see_its_end(tag: str) -> None:
        await wait_exit(children[tag])
        ends[tag] = trio.current_time() - began

    async with trio.open_nursery() as nursery:
        for tag in budgets:
            nursery.start_soon(see_its_end, tag)
        await settle()
        await sup.stop()
    assert ends == {"brutal": 0, "1": 1, "2": 2, "any": 60}
    reasons = {tag: end_of(events, pid) for tag, pid in children.items()}
    assert reasons == {"brutal": Killed(), "1": Killed(), "2": Killed(), "any": Shutdown()}
    last_words = [f"terminate {tag} shutdown" for tag in ("1", "2", "any")]
    assert sorted(log) == ["rested any", *last_words]


@row("DYN-041")
async def a_child_that_ends_with_another_reason_shows_it(events: Recorder) -> None:
    for reason in ("oops", Shutdown("oops")):
        sup = await start_dynamic()
        pid = sup.pid
        oops = ProcessExit(reason)
        child = await sup.start_child(worker([], "a", trap=True, last=oops))
        assert await down_reason(child, sup.stop) == reason
        assert end_of(events, pid) == Normal()


@row("DYN-042")
async def a_trapping_child_that_ends_normally_shows_that(events: Recorder) -> None:
    sup = await start_dynamic()
    pid = sup.pid
    leaves = ProcessExit(Normal())
    child = await sup.start_child(worker([], "a", trap=True, last=leaves))
    assert await down_reason(child, sup.stop) == Normal()
    assert end_of(events, pid) == Normal()


@row("DYN-043")
async def a_trapping_child_of_a_killed_supervisor_has_its_last_words() -> None:
    sup, log = await start_dynamic(), list[str]()
    child = await sup.start_child(worker(log, "a", trap=True))
    assert await down_reason(sup, lambda: kill_and_see(sup)) == Killed()
    assert log == ["init a", "terminate a killed"]
    assert not is_alive(child)


@row("DYN-044")
async def a_stop_with_a_reason_shuts_the_children_down() -> None:
    sup, log = await start_dynamic(), list[str]()
    child = await sup.start_child(worker(log, "a", trap=True))
    reasons = list[ExitReason]()

    async def stop() -> None:
        reasons.append(await down_reason(child, lambda: sup.stop("R")))

    assert await down_reason(sup, stop) == "R"
    assert reasons == [Shutdown()]
    assert log == ["init a", "terminate a shutdown"]


# ---------------------------------------------------------------------- itself


@row("DYN-045")
async def it_ends_normally_with_a_parent_that_does() -> None:
    started, go, log = list[DynamicSupervisorRef](), trio.Event(), list[str]()

    async def parent() -> None:
        started.append(DynamicSupervisorRef(await start_link(DynamicSupervisor.child_spec())))
        await go.wait()

    spawn(parent)
    await settle()
    (sup,) = started
    await sup.start_child(worker(log, "a"))

    async def let_the_parent_return() -> None:
        go.set()

    assert await down_reason(sup, let_the_parent_return) == Normal()
    assert log == ["init a", "terminate a shutdown"]


@row("DYN-046")
async def strangers_are_ignored() -> None:
    sup = await start_dynamic()
    child = await sup.start_child(worker([], "a"))
    for reason in (Normal(), Shutdown(), "boom"):
        exit(sup, reason)
    sup.send("a stray message")
    sup.cast(Strange())

    async def linked() -> None:
        link(sup)
        raise ProcessExit("boom")

    await wait_exit(spawn(linked))
    await settle()
    assert is_alive(sup)
    assert await pids(sup) == [child.pid]


@row("DYN-054")
async def a_child_without_a_link_that_dies() -> None:
    """differs: it is noticed, for a child is a task of the supervisor and needs no link."""
    sup, log = await start_dynamic(), list[str]()

    async def aloof() -> None:
        unlink(sup)
        log.append("began")
        await trio.sleep_forever()

    first = await sup.start_child(aloof)
    await settle()
    await kill_and_see(first)
    assert log == ["began", "began"]
    assert await rows(sup) == [("aloof", "running")]
    assert first.pid not in await pids(sup)
    with pytest.raises(ChildNotFound):
        await sup.terminate_child(first.pid)
