"""A restart that does not succeed at once: tried again, seen, called off."""

from __future__ import annotations

import pytest
import trio

from runtime import (
    AlreadyStarted,
    ChildStartFailed,
    Crashed,
    Ignore,
    Node,
    Stop,
    is_alive,
    kill,
    named,
    spawn,
    wait_exit,
    whereis,
)
from tests.conftest import Recorder
from tests.supervisors.tree_parts import (
    Flaky,
    crash,
    drain,
    kids,
    pid_of,
    settle,
    start_supervisor,
    worker,
)


async def test_a_restart_that_fails_is_tried_again_at_once_and_counts(
    node: Node, events: Recorder
) -> None:
    """SUP-041."""
    log: list[str] = []
    flaky = Flaky(failures=2)
    sup = await start_supervisor([worker(log, "a", begin=flaky)])
    began = trio.current_time()
    await crash(sup, "a")
    assert flaky.attempts == 4
    assert await kids(sup) == "a=up"
    assert trio.current_time() == began
    failed = events.of(ChildStartFailed)
    assert [(one.child_id, one.reason, one.action) for one in failed] == [
        ("a", Crashed(flaky.error), "try again")
    ] * 2
    await crash(sup, "a")
    assert not is_alive(sup)


async def test_a_pending_restart_is_called_off_by_terminate_child(node: Node) -> None:
    """SUP-047: the child then has no process, and is not tried again."""
    log: list[str] = []
    flaky = Flaky(failures=100)
    sup = await start_supervisor([worker(log, "a", begin=flaky)], max_restarts=1000)
    kill(await pid_of(sup, "a"))
    await sup.terminate_child("a")
    attempts = flaky.attempts
    await trio.sleep(10)
    assert flaky.attempts == attempts
    assert await kids(sup) == "a=undefined"
    (info,) = await sup.which_children()
    assert info.status == "stopped"
    flaky.failures = 0
    await sup.restart_child("a")
    assert await kids(sup) == "a=up"


@pytest.mark.parametrize("strategy", ["one_for_one", "one_for_all", "rest_for_one"])
async def test_a_restart_that_is_ignored_leaves_the_slot_empty(node: Node, strategy: str) -> None:
    """SUP-045: no further attempt; the rest of the group starts."""
    log: list[str] = []
    results = iter([None, Ignore(), Ignore()])
    sup = await start_supervisor(
        [worker(log, "a", begin=lambda: next(results)), worker(log, "b")], strategy=strategy
    )
    await crash(sup, "a")
    await trio.sleep(10)
    assert await kids(sup) == "b=up a=undefined"
    assert log.count("init a") == 2


async def test_a_restart_that_stops_in_init_is_a_failed_attempt(
    node: Node, events: Recorder
) -> None:
    results = iter([None, Stop("not yet"), None])
    sup = await start_supervisor([worker([], "a", begin=lambda: next(results))])
    await crash(sup, "a")
    assert await kids(sup) == "a=up"
    assert [one.reason for one in events.of(ChildStartFailed)] == ["not yet"]


async def test_a_childs_name_taken_by_another_meanwhile_is_a_failed_attempt(
    node: Node, events: Recorder
) -> None:
    """The name is free when the child has ended; if somebody is quicker, that is a failure."""
    log: list[str] = []
    sup = await start_supervisor(
        [worker(log, "a").replace(name="clerk", id="a"), worker(log, "b", nap=1)],
        strategy="one_for_all",
    )
    await crash(sup, "a")  # b takes its time, and the name is free
    thief = spawn(trio.sleep_forever, name="clerk")
    await wait_exit(sup)
    reasons = [one.reason for one in events.of(ChildStartFailed)]
    assert len(reasons) == 3
    for reason in reasons:
        assert isinstance(reason, AlreadyStarted)
        assert reason.pid is thief
    assert whereis("clerk") is thief


async def test_a_failing_restart_does_not_starve_the_program(node: Node) -> None:
    """With very many attempts allowed, everybody else still gets a turn."""
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await trio.lowlevel.checkpoint()

    flaky = Flaky(failures=500)
    sup = await start_supervisor([worker([], "a", begin=flaky)], max_restarts=1000)
    kill(await pid_of(sup, "a"))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(tick)
        while flaky.attempts < 502:
            await trio.lowlevel.checkpoint()
        nursery.cancel_scope.cancel()
    assert ticks > 500
    await settle()
    assert await kids(sup) == "a=up"


async def test_a_stopped_supervisor_stops_trying(node: Node) -> None:
    flaky = Flaky(failures=10_000)
    sup = await start_supervisor([worker([], "a", begin=flaky)], max_restarts=100_000)
    kill(await pid_of(sup, "a"))
    await sup.stop()
    attempts = flaky.attempts
    await trio.sleep(10)
    assert flaky.attempts == attempts
    assert attempts < 10


async def test_a_restart_deep_in_a_group_can_fail_for_its_successor_only(node: Node) -> None:
    """The attempt that follows belongs to the member that failed, also the last one."""
    log: list[str] = []
    flaky = Flaky(failures=2)
    sup = await start_supervisor(
        [worker(log, "a"), worker(log, "b"), worker(log, "c", begin=flaky).replace(name="c")],
        strategy="rest_for_one",
    )
    drain(log)
    await crash(sup, "a")
    assert drain(log)[3:] == ["init a", "init b", "init c", "init c", "init c"]
    assert named("c").whereis() is await pid_of(sup, "c")
