"""Children that ask, stop or extend their own supervisor."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from runtime import (
    CallCycle,
    CallExit,
    GenServer,
    Killed,
    MessageUnexpected,
    Node,
    Shutdown,
    UnhandledMessage,
    handles,
    is_alive,
    named,
    start,
    wait_exit,
)
from supervisors import Supervisor, SupervisorRef
from tests.conftest import Recorder
from tests.supervisors.tree_parts import Ping, counts, kids, pid_of, settle, worker
from tests.support import Ask, Do, Scripted, end_of


async def supervised(log: list[Any], **script: Any) -> SupervisorRef:
    """A supervisor called ``sup`` of one scripted child called ``a``."""
    spec = Scripted.child_spec(log, **script).replace(name="a")
    return SupervisorRef(await start(Supervisor.child_spec([spec]).replace(name="sup")))


async def test_a_child_may_ask_its_supervisor_in_a_handler(node: Node) -> None:
    await supervised([])

    async def ask(_server: object, _reply_to: object) -> tuple[int, int, int, int]:
        return await counts(SupervisorRef(named("sup")))

    assert await named("a").call(Ask(ask)) == (1, 1, 0, 1)


async def test_a_child_may_start_a_sibling(node: Node) -> None:
    sup = await supervised([])

    async def extend(_server: object, _reply_to: object) -> str:
        sibling = await SupervisorRef(named("sup")).start_child(worker([], "b"))
        return await sibling.call(Ping())

    assert await named("a").call(Ask(extend)) == "b"
    assert await kids(sup) == "b=up a=up"


async def test_a_child_that_has_itself_terminated_is_interrupted_in_that_call(node: Node) -> None:
    log: list[Any] = []
    sup = await supervised(log)

    async def leave(_server: object) -> None:
        await SupervisorRef(named("sup")).terminate_child("a")
        log.append("too far")

    named("a").cast(Do(leave))
    await settle()
    assert await kids(sup) == "a=undefined"
    assert log == [("terminate", Shutdown())]


async def test_a_child_that_stops_its_supervisor_goes_with_it(node: Node, events: Recorder) -> None:
    log: list[Any] = []
    sup = await supervised(log)
    root, pid = sup.pid, await pid_of(sup, "a")

    async def stop(_server: object) -> None:
        await named("sup").stop()

    named("a").cast(Do(stop))
    await settle()
    assert not is_alive(root)
    assert end_of(events, pid) == Shutdown()
    assert log == [("terminate", Shutdown())]


async def test_asking_the_supervisor_in_terminate_is_refused_at_once(node: Node) -> None:
    """It waits for exactly this child: a hang until the end of the budget in OTP."""
    errors: list[Exception] = []

    async def last_words(_server: object, _reason: object) -> None:
        try:
            await SupervisorRef(named("sup")).which_children()
        except CallCycle as exc:
            errors.append(exc)

    sup = await supervised([], terminate=last_words)
    began = trio.current_time()
    await sup.terminate_child("a")
    assert len(errors) == 1
    assert trio.current_time() == began


async def test_a_child_that_waits_for_its_supervisors_end_is_killed_after_its_budget(
    node: Node, events: Recorder
) -> None:
    """No call, so no cycle to see: the budget ends it."""
    sup = await supervised([], terminate=lambda _server, _reason: wait_exit(named("sup")))
    pid = await pid_of(sup, "a")
    began = trio.current_time()
    await sup.stop()
    assert trio.current_time() - began == 5
    assert end_of(events, pid) == Killed()


async def test_a_subclass_may_have_handlers_of_its_own(node: Node) -> None:
    """A supervisor is a GenServer."""

    class Talking(Supervisor):
        @handles(Ping)
        def ping(self, request: Ping) -> str:
            return f"{len(self.specs)} children"

    sup = SupervisorRef(await start(Talking.child_spec([worker([], "a")])))
    assert await sup.call(Ping()) == "1 children"
    assert await kids(sup) == "a=up"
    assert issubclass(Talking, GenServer)


async def test_a_subclass_that_crashes_stops_its_children_in_order(
    node: Node, events: Recorder
) -> None:
    """A bug in it is a crash like any other's; what it had is stopped, one by one."""

    class Broken(Supervisor):
        @handles(Ping)
        def ping(self, request: Ping) -> str:
            raise ValueError("bug")

    log: list[str] = []
    children = [worker(log, tag, nap=1) for tag in "ab"]
    outer = SupervisorRef(
        await start(Supervisor.child_spec([Broken.child_spec(children).replace(name="broken")]))
    )
    first = await pid_of(outer, "broken")
    with pytest.raises(CallExit) as caught:
        await named("broken").call(Ping())
    assert str(caught.value.__cause__) == "bug"
    await wait_exit(first)
    await settle()
    assert log[2:6] == ["terminate b shutdown", "rested b", "terminate a shutdown", "rested a"]
    assert log[6:] == ["init a", "init b"]
    assert is_alive(outer)


async def test_a_call_it_does_not_know_is_the_callers_mistake(node: Node) -> None:
    """It was meant for a child, most likely; the tree lives on."""
    log: list[Any] = []
    sup = await supervised(log)
    with pytest.raises(UnhandledMessage, match="a supervisor does not handle the call Ask"):
        await sup.call(Ask(lambda _server, _reply_to: None))
    assert await counts(sup) == (1, 1, 0, 1)
    assert log == []


async def test_a_cast_it_does_not_know_is_told_and_ignored(node: Node, events: Recorder) -> None:
    sup = await supervised([])
    sup.cast(Do(lambda _server: None))
    await settle()
    assert [event.pid for event in events.of(MessageUnexpected)] == [sup.pid]
    assert await counts(sup) == (1, 1, 0, 1)
