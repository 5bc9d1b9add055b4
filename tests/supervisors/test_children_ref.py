"""What can be asked of every supervisor whose children are known by their pids."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio

from runtime import (
    CallExit,
    Killed,
    Node,
    NoProcess,
    ProcessNotFound,
    kill,
    named,
    resume,
    suspend,
)
from supervisors import ChildCounts, DynamicSupervisor, DynamicSupervisorRef
from tests.supervisors.dynamic_parts import kill_and_see, start_dynamic
from tests.supervisors.tree_parts import settle, start_supervisor, worker

REQUESTS: dict[str, Callable[[DynamicSupervisorRef], Awaitable[object]]] = {
    "start_child": lambda sup: sup.start_child(worker([], "b")),
    "terminate_child": lambda sup: sup.terminate_child(named("main")),
    "which_children": lambda sup: sup.which_children(),
    "count_children": lambda sup: sup.count_children(),
}


@pytest.mark.parametrize("name", REQUESTS)
async def test_requests_have_no_time_limit(node: Node, name: str) -> None:
    """Here a supervisor that is suspended for a day."""
    sup = await start_dynamic()
    await sup.start_child(worker([], "a").replace(name="main"))
    await suspend(sup)
    began = trio.current_time()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(REQUESTS[name], sup)
        await trio.sleep(86_400)
        await resume(sup)
    assert trio.current_time() - began == 86_400


@pytest.mark.parametrize("name", REQUESTS)
async def test_a_request_ends_when_the_supervisor_does(node: Node, name: str) -> None:
    sup = await start_dynamic()
    await sup.start_child(worker([], "a").replace(name="main"))
    await suspend(sup)
    reasons: list[object] = []

    async def ask() -> None:
        with pytest.raises(CallExit) as caught:
            await REQUESTS[name](sup)
        reasons.append(caught.value.reason)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask)
        await settle()
        kill(sup)
    assert reasons == [Killed()]


@pytest.mark.parametrize("name", REQUESTS)
async def test_a_request_to_nobody_ends_at_once(node: Node, name: str) -> None:
    other = await start_dynamic()
    await other.start_child(worker([], "a").replace(name="main"))
    with pytest.raises(CallExit) as caught:
        await REQUESTS[name](DynamicSupervisorRef("nobody"))
    assert caught.value.reason == NoProcess()


async def test_one_by_name_follows_restarts(node: Node) -> None:
    await start_supervisor([DynamicSupervisor.child_spec().replace(name="dyn")])
    sup = DynamicSupervisorRef("dyn")
    await sup.start_child(worker([], "a"))
    before = sup.pid
    await kill_and_see(sup)
    assert sup.pid is not before
    assert await sup.count_children() == ChildCounts(0, 0, 0, 0)


@pytest.mark.parametrize("junk", [None, "main", 5, worker([], "a"), math.inf])
async def test_a_child_is_terminated_by_a_pid_or_a_ref_alone(node: Node, junk: Any) -> None:
    sup = await start_dynamic()
    with pytest.raises(TypeError, match=r"child: got .*, allowed are a Pid and a Ref"):
        await sup.terminate_child(junk)


async def test_a_name_nobody_holds_names_no_child(node: Node) -> None:
    sup = await start_dynamic()
    with pytest.raises(ProcessNotFound):
        await sup.terminate_child(named("nobody"))
