"""Supervisors under supervisors."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from runtime import (
    ChildEnded,
    ChildSpec,
    Crashed,
    Node,
    ProcessStarted,
    Shutdown,
    is_alive,
    kill,
    named,
    ref,
    wait_exit,
)
from supervisors import FailedToStartChild, GaveUp, Supervisor, SupervisorRef
from tests.conftest import Recorder
from tests.supervisors.tree_parts import (
    End,
    Fail,
    crash,
    drain,
    kids,
    pid_of,
    settle,
    start_supervisor,
    worker,
    workers,
)


def team(log: list[str], tags: str, **options: Any) -> ChildSpec:
    """A supervisor called ``team`` of workers, each under its own name."""
    members = [one.replace(name=str(one.id)) for one in workers(log, tags)]
    return Supervisor.child_spec(members, **options).replace(name="team")


@pytest.mark.parametrize("strategy", ["one_for_all", "rest_for_one"])
async def test_an_inner_supervisor_is_restarted_with_its_group(node: Node, strategy: str) -> None:
    log: list[str] = []
    sup = await start_supervisor([worker(log, "first"), team(log, "ab")], strategy=strategy)
    drain(log)
    await crash(sup, "first")
    assert log == [
        "terminate first boom",
        "terminate b shutdown",
        "terminate a shutdown",
        "init first",
        "init a",
        "init b",
    ]


async def test_an_inner_supervisor_that_gives_up_is_one_crash_for_the_outer(
    node: Node, events: Recorder
) -> None:
    """SUP-080: it is restarted, its sibling is not touched."""
    log: list[str] = []
    sup = await start_supervisor([worker(log, "x"), team(log, "ab", max_restarts=1)])
    sibling, first = await pid_of(sup, "x"), await pid_of(sup, "team")
    drain(log)
    for _ in range(2):
        named("a").cast(End("boom"))
        await settle()
    assert log == [
        "terminate a boom",
        "init a",
        "terminate a boom",
        "terminate b shutdown",
        "init a",
        "init b",
    ]
    assert await pid_of(sup, "x") is sibling
    assert await pid_of(sup, "team") is not first
    told = [one for one in events.of(ChildEnded) if one.supervisor is sup.pid]
    assert [(one.child_id, one.restarts) for one in told] == [("team", 1)]
    assert isinstance(told[0].reason, Shutdown)
    assert isinstance(told[0].reason.detail, GaveUp)


async def test_a_restarted_inner_supervisor_has_all_its_restarts_again(node: Node) -> None:
    """The account belongs to one incarnation."""
    log: list[str] = []
    sup = await start_supervisor([team(log, "a", max_restarts=1)], max_restarts=3)
    for _ in range(7):
        named("a").cast(End("boom"))
        await settle()
    assert is_alive(sup)
    named("a").cast(End("boom"))
    await settle()
    assert not is_alive(sup)


async def test_the_crash_below_is_known_when_all_levels_have_given_up(node: Node) -> None:
    """The last crash and the history come up through every level."""
    log: list[str] = []
    error = ValueError("deep")
    inner = team(log, "a", max_restarts=0)
    middle = Supervisor.child_spec([inner], max_restarts=0).replace(id="middle")
    sup = await start_supervisor([middle], max_restarts=0)
    root = sup.pid
    named("a").cast(Fail(error))
    reason = await wait_exit(root)
    assert isinstance(reason, Shutdown)
    assert isinstance(reason.detail, GaveUp)
    assert reason.detail.exception is error
    assert reason.detail.history == (
        "+0.000 s  child 'middle': gave up restarting",
        "  +0.000 s  child 'team': gave up restarting",
        "    +0.000 s  child 'a': crashed: ValueError('deep')",
    )


async def test_an_inner_supervisor_that_does_not_start_fails_the_outer_one(node: Node) -> None:
    """SUP-008, one level down."""
    log: list[str] = []
    error = ValueError("no luck")

    def fail() -> None:
        raise error

    inner = Supervisor.child_spec([worker(log, "a"), worker(log, "b", begin=fail)])
    sup = await start_supervisor([])
    with pytest.raises(Exception, match="no luck") as caught:
        await sup.start_child(inner)
    below = FailedToStartChild("b", Crashed(error))
    assert getattr(caught.value, "reason", None) == Shutdown(below)
    assert log == ["init a", "init b", "terminate a shutdown"]
    assert await kids(sup) == ""


async def test_an_inner_supervisor_can_be_asked_by_name(node: Node) -> None:
    log: list[str] = []
    await start_supervisor([team(log, "ab")])
    inner = SupervisorRef(named("team"))
    assert await kids(inner) == "b=up a=up"
    await inner.start_child(worker(log, "c"))
    kill(inner)
    await settle()
    assert await kids(inner) == "b=up a=up"


async def test_the_budget_of_an_inner_supervisor_bounds_its_childrens_sum(node: Node) -> None:
    """Without limit by default; with one it is killed, and its children have their budgets."""
    log: list[str] = []
    slow = [worker(log, tag, nap=100).replace(shutdown=10) for tag in "ab"]
    sup = await start_supervisor([Supervisor.child_spec(slow).replace(shutdown=12)])
    drain(log)
    began = trio.current_time()
    await sup.stop()
    assert log == ["terminate b shutdown", "terminate a shutdown"]
    assert trio.current_time() - began == 20


async def test_the_chain_of_supervisors_is_the_ancestry(node: Node, events: Recorder) -> None:
    """By name where there is one, also after a restart."""
    log: list[str] = []
    sup = await start_supervisor([team(log, "a")])
    kill(named("a"))
    await settle()
    started = [one for one in events.of(ProcessStarted) if one.name == "a"]
    assert [one.ancestors for one in started] == [("team", sup.pid)] * 2


async def test_a_tree_of_many_levels_stops_to_the_last_process(node: Node) -> None:
    log: list[str] = []
    spec = worker(log, "leaf")
    for level in range(20):
        spec = Supervisor.child_spec([spec]).replace(id=level)
    sup = SupervisorRef(ref((await start_supervisor([spec])).pid))
    await sup.stop()
    assert log == ["init leaf", "terminate leaf shutdown"]
