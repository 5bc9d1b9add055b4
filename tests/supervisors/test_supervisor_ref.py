"""The handle of a supervisor."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio

from runtime import (
    CallExit,
    Down,
    Node,
    NoProcess,
    Ref,
    kill,
    monitor,
    named,
    receive,
    ref,
    start,
    wait_exit,
    whereis,
)
from supervisors import Supervisor, SupervisorRef
from tests.supervisors.tree_parts import begin_after, kids, settle, start_supervisor, worker
from tests.support import in_process


async def test_one_by_pid_stays_with_one_incarnation(node: Node) -> None:
    first = await start(Supervisor.child_spec([worker([], "a")]).replace(name="shop"))
    by_pid = SupervisorRef(first.pid)
    assert by_pid.pid is by_pid.incarnation is first.pid
    assert await kids(by_pid) == "a=up"
    await first.stop()
    await start(Supervisor.child_spec([]).replace(name="shop"))
    assert by_pid.whereis() is None
    assert by_pid.pid is first.pid
    with pytest.raises(CallExit) as caught:
        await by_pid.which_children()
    assert caught.value.reason == NoProcess()


async def test_one_by_name_follows_restarts(node: Node) -> None:
    inner = Supervisor.child_spec([worker([], "a")]).replace(name="shop")
    await start_supervisor([inner])
    by_name = SupervisorRef(named("shop"))
    before = by_name.pid
    assert by_name.incarnation is None
    kill(before)
    await settle()
    assert by_name.pid is whereis("shop") is not before
    assert await kids(by_name) == "a=up"


async def test_a_monitor_of_one_by_name_says_the_name(node: Node) -> None:
    """PROC-053: as of any handle by name."""

    async def watch() -> Down:
        monitor(SupervisorRef(named("nobody")))
        return await receive(Down)

    down = await in_process(watch)
    assert (down.name, down.pid, down.reason) == ("nobody", None, NoProcess())
    assert SupervisorRef(ref((await start_supervisor([])).pid)).name is None


async def test_it_is_a_ref(node: Node) -> None:
    sup = await start_supervisor([])
    assert isinstance(sup, Ref)
    await sup.stop()
    assert await wait_exit(sup) == NoProcess()


async def test_handles_of_one_supervisor_are_equal(node: Node) -> None:
    sup = await start_supervisor([])
    assert sup == SupervisorRef(sup.pid) == SupervisorRef(ref(sup.pid))
    assert hash(sup) == hash(SupervisorRef(sup.pid))
    assert sup != await start_supervisor([])
    assert sup != sup.pid


async def test_its_repr_says_where_it_leads(node: Node) -> None:
    sup = await start_supervisor([])
    assert repr(sup) == f"SupervisorRef(ref({sup.pid!r}))"
    assert repr(SupervisorRef(named("shop"))) == "SupervisorRef(named('shop'))"


@pytest.mark.parametrize("target", ["", None, 5, Supervisor])
def test_it_leads_to_a_name_a_pid_or_a_ref(target: Any) -> None:
    with pytest.raises(
        TypeError, match=r"(target|name): got .*, allowed (are a name, a Pid and a Ref|is a)"
    ):
        SupervisorRef(target)


REQUESTS: dict[str, Callable[[SupervisorRef], Awaitable[object]]] = {
    "start_child": lambda sup: sup.start_child(worker([], "b")),
    "terminate_child": lambda sup: sup.terminate_child("a"),
    "restart_child": lambda sup: sup.restart_child("a"),
    "delete_child": lambda sup: sup.delete_child("a"),
    "which_children": lambda sup: sup.which_children(),
    "count_children": lambda sup: sup.count_children(),
}


@pytest.mark.parametrize("name", REQUESTS)
async def test_requests_have_no_time_limit(node: Node, name: str) -> None:
    """A slow start before them takes a day."""
    sup = await start_supervisor([worker([], "a")])
    if name in ("restart_child", "delete_child"):
        await sup.terminate_child("a")
    began = trio.current_time()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(sup.start_child, worker([], "slow", begin=begin_after(86_400)))
        await settle()
        await REQUESTS[name](sup)
    assert trio.current_time() - began == 86_400


@pytest.mark.parametrize("name", REQUESTS)
async def test_a_request_ends_when_the_supervisor_does(node: Node, name: str) -> None:
    """Whatever it was waiting for."""
    sup = await start_supervisor([worker([], "a")])
    reasons: list[object] = []

    async def ask() -> None:
        with pytest.raises(CallExit) as caught:
            await REQUESTS[name](sup)
        reasons.append(caught.value.reason)

    async with trio.open_nursery() as nursery:
        blocker = worker([], "slow", begin=begin_after(math.inf))
        nursery.start_soon(_start_in_vain, sup, blocker)
        await settle()
        nursery.start_soon(ask)
        await settle()
        kill(sup)
    assert [type(one).__name__ for one in reasons] == ["Killed"]


async def _start_in_vain(sup: SupervisorRef, spec: Any) -> None:
    with pytest.raises(CallExit):
        await sup.start_child(spec)


@pytest.mark.parametrize("name", REQUESTS)
async def test_a_request_to_nobody_ends_at_once(node: Node, name: str) -> None:
    with pytest.raises(CallExit) as caught:
        await REQUESTS[name](SupervisorRef(named("nobody")))
    assert caught.value.reason == NoProcess()
