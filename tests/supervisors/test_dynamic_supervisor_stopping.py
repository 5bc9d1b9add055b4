"""How a dynamic supervisor stops one child, and all of them."""

from __future__ import annotations

import math

import pytest
import trio

from runtime import (
    Call,
    CallExit,
    Cast,
    Exit,
    ExitReason,
    Killed,
    Node,
    Normal,
    Pid,
    ProcessExit,
    Ref,
    Shutdown,
    ShutdownBudget,
    UnhandledMessage,
    exit,
    is_alive,
    kill,
    link,
    named,
    self_,
    spawn,
    start_link,
    trap_exits,
    unlink,
    wait_exit,
)
from supervisors import DynamicSupervisor, DynamicSupervisorRef
from tests.conftest import Recorder
from tests.supervisors.dynamic_parts import (
    counts,
    kill_and_see,
    pids,
    start_dynamic,
    the_pid,
)
from tests.supervisors.tree_parts import drain, settle, worker
from tests.support import end_of


class Unknown(Call[int]):
    """A call no supervisor knows."""


class Strange(Cast):
    """A cast no supervisor knows."""


# ---------------------------------------------------------------------- one child


async def test_a_terminated_child_is_gone_and_not_restarted(node: Node, events: Recorder) -> None:
    """DYN-036."""
    sup, log = await start_dynamic(), list[str]()
    child = await sup.start_child(worker(log, "a", trap=True, nap=1))
    began = trio.current_time()
    await sup.terminate_child(child)
    assert trio.current_time() - began == 1
    assert log == ["init a", "terminate a shutdown", "rested a"]
    assert end_of(events, child.pid) == Shutdown()
    assert await sup.which_children() == []


@pytest.mark.parametrize("how", ["pid", "ref", "name"])
async def test_a_child_is_named_by_its_pid_or_by_what_leads_to_it(node: Node, how: str) -> None:
    sup = await start_dynamic()
    child = await sup.start_child(worker([], "a").replace(name="main"))
    target: dict[str, Pid | Ref] = {"pid": child.pid, "ref": child, "name": named("main")}
    await sup.terminate_child(target[how])
    assert not is_alive(child)


async def test_a_child_that_takes_its_time_holds_up_its_own_requester_alone(node: Node) -> None:
    """DYN-038. differs: other requests do not wait, as they do not for a slow start."""
    sup, done = await start_dynamic(), list[str]()
    child = await sup.start_child(worker([], "a", nap=4))
    began = trio.current_time()

    async def stop() -> None:
        await sup.terminate_child(child)
        done.append(f"stopped {trio.current_time() - began:g}")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(stop)
        await settle()
        assert await counts(sup) == (1, 1, 0, 1)
        await sup.start_child(worker([], "b"))
        done.append(f"asked {trio.current_time() - began:g}")
    assert done == ["asked 0", "stopped 4"]


async def test_a_child_that_does_not_stop_in_its_time_is_killed(
    node: Node, events: Recorder
) -> None:
    sup = await start_dynamic()
    child = await sup.start_child(worker([], "a", nap=100).replace(shutdown=2))
    began = trio.current_time()
    await sup.terminate_child(child)
    assert trio.current_time() - began == 2
    assert end_of(events, child.pid) == Killed()


async def test_two_who_terminate_one_child_are_both_told(node: Node) -> None:
    sup, told = await start_dynamic(), list[float]()
    child = await sup.start_child(worker([], "a", nap=3))
    began = trio.current_time()

    async def stop() -> None:
        await sup.terminate_child(child)
        told.append(trio.current_time() - began)

    async with trio.open_nursery() as nursery:
        for _ in range(5):
            nursery.start_soon(stop)
    assert told == [3] * 5
    assert await sup.which_children() == []


async def test_giving_up_the_wait_stops_the_child_all_the_same(node: Node) -> None:
    sup = await start_dynamic()
    child = await sup.start_child(worker([], "a", nap=3))
    with trio.move_on_after(1) as patience:
        await sup.terminate_child(child)
    assert patience.cancelled_caught
    assert is_alive(child)
    await trio.sleep(2.1)
    assert not is_alive(child)
    assert await sup.which_children() == []


async def test_a_child_that_ends_otherwise_while_it_is_stopped_is_not_restarted(
    node: Node, events: Recorder
) -> None:
    """DYN-041, DYN-042."""
    sup = await start_dynamic()
    for last in (ProcessExit("odd"), ProcessExit(Normal()), RuntimeError("worse")):
        child = await sup.start_child(worker([], "a", trap=True, last=last))
        await sup.terminate_child(child)
        reason = end_of(events, child.pid)
        if isinstance(last, ProcessExit):
            assert reason == last.reason
        assert await sup.which_children() == []


async def test_a_child_that_is_killed_while_it_is_stopped_is_not_restarted(node: Node) -> None:
    sup = await start_dynamic()
    child = await sup.start_child(worker([], "a", nap=100))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(sup.terminate_child, child)
        await settle()
        kill(child)
    assert await sup.which_children() == []


async def test_a_child_may_terminate_itself(node: Node) -> None:
    """One that does not trap is interrupted by it."""
    sup, log = await start_dynamic(), list[str]()

    async def leaves() -> None:
        try:
            await sup.terminate_child(self_())
        finally:
            log.append("left")

    await sup.start_child(leaves)
    await settle()
    assert log == ["left"]
    assert await sup.which_children() == []


# ---------------------------------------------------------------------- all of them


async def test_children_are_stopped_all_at_once(node: Node) -> None:
    """DYN-039, and the first trap: five naps of 0.1 s take 0.1 s."""
    sup, log = await start_dynamic(), list[str]()
    for tag in "abcde":
        await sup.start_child(worker(log, tag, trap=True, nap=0.1))
    drain(log)
    began = trio.current_time()
    await sup.stop(Shutdown())
    assert trio.current_time() - began == pytest.approx(0.1)
    assert sorted(log[:5]) == [f"terminate {tag} shutdown" for tag in "abcde"]
    assert sorted(log[5:]) == [f"rested {tag}" for tag in "abcde"]


async def test_each_child_has_its_own_budget(node: Node, events: Recorder) -> None:
    """DYN-040."""
    sup, log = await start_dynamic(), list[str]()
    budgets: dict[str, ShutdownBudget] = {"brutal": "brutal_kill", "quick": 1.0, "any": math.inf}
    children: dict[str, Pid] = {}
    for tag, budget in budgets.items():
        spec = worker(log, tag, trap=True, nap=3.0).replace(shutdown=budget)
        children[tag] = (await sup.start_child(spec)).pid
    drain(log)
    began = trio.current_time()
    await sup.stop(Shutdown())
    assert trio.current_time() - began == 3
    assert sorted(log) == ["rested any", "terminate any shutdown", "terminate quick shutdown"]
    reasons = {tag: end_of(events, pid) for tag, pid in children.items()}
    assert reasons == {"brutal": Killed(), "quick": Killed(), "any": Shutdown()}


async def test_the_children_of_a_killed_supervisor_end_as_killed_with_their_last_words(
    node: Node, events: Recorder
) -> None:
    """DYN-043."""
    sup, log = await start_dynamic(), list[str]()
    child = await sup.start_child(worker(log, "a", trap=True, nap=1))
    pid = sup.pid
    began = trio.current_time()
    kill(sup)
    await wait_exit(pid)
    assert trio.current_time() - began == 1
    assert log == ["init a", "terminate a killed", "rested a"]
    assert end_of(events, child.pid) == Killed() == end_of(events, pid)


async def test_one_killed_while_it_stops_goes_on_within_the_same_budgets(
    node: Node, events: Recorder
) -> None:
    sup = await start_dynamic()
    await sup.start_child(worker([], "a", trap=True, nap=100).replace(shutdown=4))
    pid = sup.pid
    began = trio.current_time()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_stop_in_vain, sup)
        await trio.sleep(1)
        kill(pid)
    await wait_exit(pid)
    assert trio.current_time() - began == 4
    assert end_of(events, pid) == Killed()


async def _stop_in_vain(sup: DynamicSupervisorRef) -> None:
    with pytest.raises(CallExit) as caught:
        await sup.stop()
    assert caught.value.reason == Killed()


@pytest.mark.parametrize("reason", [Normal(), Shutdown(), "R"])
async def test_it_stops_with_the_reason_asked_for_and_its_children_with_shutdown(
    node: Node, events: Recorder, reason: ExitReason
) -> None:
    """DYN-044."""
    sup, log = await start_dynamic(), list[str]()
    await sup.start_child(worker(log, "a"))
    pid = sup.pid
    await sup.stop(reason)
    assert log == ["init a", "terminate a shutdown"]
    assert end_of(events, pid) == reason


@pytest.mark.parametrize("reason", [Normal(), "parent_gone"])
async def test_it_ends_with_the_process_that_started_it(
    node: Node, events: Recorder, reason: ExitReason
) -> None:
    """DYN-045."""
    go, log, started = trio.Event(), list[str](), list[DynamicSupervisorRef]()

    async def parent() -> None:
        sup = DynamicSupervisorRef(await start_link(DynamicSupervisor.child_spec()))
        await sup.start_child(worker(log, "a"))
        started.append(sup)
        await go.wait()
        raise ProcessExit(reason)

    spawn(parent)
    await settle()
    go.set()
    pid = started[0].pid
    await wait_exit(pid)
    assert end_of(events, pid) == reason
    assert log == ["init a", "terminate a shutdown"]


async def test_strangers_do_not_disturb_it(node: Node) -> None:
    """DYN-046."""
    sup = await start_dynamic()
    child = await sup.start_child(worker([], "a"))

    async def linked() -> None:
        link(sup)
        raise ProcessExit("boom")

    await wait_exit(spawn(linked))
    for reason in (Normal(), Shutdown(), "boom"):
        exit(sup, reason)
    sup.send("a stray message")
    sup.send(Exit(child.pid, "forged"))
    sup.cast(Strange())
    with pytest.raises(UnhandledMessage, match="a supervisor does not handle the call Unknown"):
        await sup.call(Unknown())
    assert await pids(sup) == [child.pid]
    assert is_alive(sup)


async def test_a_child_that_unlinks_or_ignores_its_parent_is_still_its_child(node: Node) -> None:
    """DYN-054. differs: there is no link, so there is none to lose."""
    sup = await start_dynamic()

    async def aloof() -> None:
        trap_exits()
        unlink(sup)
        await trio.sleep_forever()

    await sup.start_child(aloof)
    await settle()
    first = await the_pid(sup)
    await kill_and_see(first)
    assert await the_pid(sup) is not first
