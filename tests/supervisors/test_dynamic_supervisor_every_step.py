"""A start that is interrupted after any number of scheduling steps leaves nothing half done."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import trio

from runtime import (
    CallExit,
    Node,
    Pid,
    Ref,
    StartFailed,
    exit,
    is_alive,
    kill,
    processes,
    ref,
    spawn,
    wait_exit,
    whereis,
)
from supervisors import DynamicSupervisor, DynamicSupervisorRef
from tests.supervisors.dynamic_parts import pids, start_dynamic
from tests.supervisors.tree_parts import settle, start_supervisor, worker

STEPS = range(14)


async def checkpoints(how_many: int) -> None:
    for _ in range(how_many):
        await trio.lowlevel.checkpoint()


async def begin() -> None:
    """An ``init`` of several steps."""
    await checkpoints(4)


class Requester:
    """A process that asks for a child, and what it got."""

    def __init__(self, sup: DynamicSupervisorRef) -> None:
        self.sup = sup
        self.got: Ref | None = None
        self.error: Exception | None = None
        self.pid = spawn(self.ask)

    async def ask(self) -> None:
        try:
            self.got = await self.sup.start_child(worker([], "a", begin=begin).replace(name="main"))
        except (CallExit, StartFailed) as exc:
            self.error = exc
        await trio.sleep_forever()


@pytest.mark.parametrize("steps", STEPS)
async def test_the_requester_is_killed(node: Node, steps: int) -> None:
    sup = await start_dynamic(max_children=1)
    requester = Requester(sup)
    await checkpoints(steps)
    kill(requester.pid)
    await wait_exit(requester.pid)
    await settle()
    if requester.got is None:
        assert await sup.which_children() == []
        assert whereis("main") is None
        await sup.start_child(worker([], "b").replace(name="main"))
    else:
        assert await pids(sup) == [requester.got.pid]
    await sup.stop()
    assert processes() == []


@pytest.mark.parametrize("steps", STEPS)
async def test_the_child_is_killed(node: Node, steps: int) -> None:
    """Before it is up that fails the start; after, it is restarted."""
    sup = await start_dynamic(max_children=1)
    requester = Requester(sup)
    await checkpoints(steps)
    child = whereis("main")
    if child is not None:
        kill(child)
    await settle()
    if isinstance(requester.error, StartFailed):
        assert await sup.which_children() == []
    else:
        (now,) = await pids(sup)
        assert (now is child) is False
        assert requester.got is not None
        assert (now is requester.got.pid) == (requester.got.pid is not child)
    kill(requester.pid)


@pytest.mark.parametrize("steps", STEPS)
async def test_the_child_is_terminated(node: Node, steps: int) -> None:
    """By its name: it is gone, whether it was up or not."""
    sup = await start_dynamic(max_children=1)
    requester = Requester(sup)
    await checkpoints(steps)
    child = whereis("main")
    if child is not None:
        await sup.terminate_child(child)
        assert not is_alive(child)
        assert await sup.which_children() == []
    await settle()
    assert (requester.got is None) != (requester.error is None)
    kill(requester.pid)


@pytest.mark.parametrize("steps", STEPS)
@pytest.mark.parametrize(
    "end", [kill, lambda target: exit(target, "boom")], ids=["killed", "signalled"]
)
async def test_the_supervisor_ends_and_another_takes_its_place(
    node: Node, steps: int, end: Callable[[Pid], object]
) -> None:
    top = await start_supervisor([DynamicSupervisor.child_spec(max_children=1).replace(name="dyn")])
    sup = DynamicSupervisorRef("dyn")
    first = sup.pid
    requester = Requester(sup)
    await checkpoints(steps)
    end(first)
    await settle()
    assert requester.got is not None or requester.error is not None
    if end is kill:
        assert sup.pid is not first
        assert await sup.which_children() == []
        assert requester.got is None or not is_alive(requester.got)
        assert whereis("main") is None
        child = await sup.start_child(worker([], "b").replace(name="main"))
        assert ref(child.pid).whereis() is child.pid
    else:
        assert sup.pid is first, "a stranger's signal"
        assert requester.got is not None
    kill(requester.pid)
    await top.stop()
    assert processes() == []


@pytest.mark.parametrize("steps", STEPS)
async def test_the_supervisor_is_stopped(node: Node, steps: int) -> None:
    sup = await start_dynamic()
    requester = Requester(sup)
    await checkpoints(steps)
    await sup.stop()
    await settle()
    assert requester.got is None or not is_alive(requester.got)
    assert requester.got is not None or requester.error is not None
    kill(requester.pid)
    await wait_exit(requester.pid)
    assert processes() == []
