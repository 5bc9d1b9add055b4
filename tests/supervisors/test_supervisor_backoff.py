"""Restarts that wait: what is stopped meanwhile, what can be asked, what calls it off."""

from __future__ import annotations

import pytest
import trio

from runtime import ChildEnded, Node, is_alive, resume, suspend, wait_exit
from supervisors import Backoff, ChildRestarting, ChildRunning
from tests.conftest import Recorder
from tests.supervisors.tree_parts import (
    End,
    Flaky,
    child,
    crash,
    drain,
    kids,
    pid_of,
    settle,
    start_supervisor,
    worker,
    workers,
)

STEADY = Backoff(initial=1.0, maximum=4.0, factor=2.0, jitter=0.0)


async def test_a_restart_is_put_off(node: Node, events: Recorder) -> None:
    """The status is restarting until then; other children go on."""
    log: list[str] = []
    sup = await start_supervisor(workers(log, "ab"), backoff=STEADY)
    sibling = await pid_of(sup, "b")
    drain(log)
    await crash(sup, "a")
    assert log == ["terminate a boom"]
    assert [one.status for one in await sup.which_children()] == ["running", "restarting"]
    await trio.sleep(0.99)
    assert log == ["terminate a boom"]
    await trio.sleep(0.02)
    assert log == ["terminate a boom", "init a"]
    assert await pid_of(sup, "b") is sibling
    assert [one.action for one in events.of(ChildEnded)] == ["restart a in 1 s"]


async def test_further_restarts_wait_longer_up_to_the_maximum(node: Node) -> None:
    times: list[float] = []
    spec = worker([], "a", begin=lambda: times.append(trio.current_time()))
    sup = await start_supervisor([spec], backoff=STEADY, max_restarts=10, max_seconds=1000.0)
    for delay in (1, 2, 4, 4):
        await crash(sup, "a")
        await trio.sleep(delay + 0.001)
        assert times[-1] == pytest.approx(trio.current_time() - 0.001)


async def test_no_delay_is_a_restart_at_once(node: Node) -> None:
    log: list[str] = []
    sup = await start_supervisor(workers(log, "a"), backoff=Backoff(0.0, 0.0))
    await crash(sup, "a")
    assert await kids(sup) == "a=up"


async def test_the_group_stands_still_meanwhile(node: Node) -> None:
    """It is stopped at once, as a restart without delay would do, and started together."""
    log: list[str] = []
    sup = await start_supervisor(workers(log, "abc"), strategy="rest_for_one", backoff=STEADY)
    drain(log)
    await crash(sup, "b")
    assert drain(log) == ["terminate b boom", "terminate c shutdown"]
    assert await kids(sup) == "c=undefined b=undefined a=up"
    await trio.sleep(1.1)
    assert drain(log) == ["init b", "init c"]


async def test_a_temporary_member_of_the_group_is_dropped(node: Node) -> None:
    log: list[str] = []
    sup = await start_supervisor(
        [worker(log, "a"), worker(log, "t").replace(restart="temporary")],
        strategy="one_for_all",
        backoff=STEADY,
    )
    await crash(sup, "a")
    assert await kids(sup) == "a=undefined"
    await trio.sleep(2)
    assert await kids(sup) == "a=up"


async def test_a_failed_attempt_waits_too_and_counts(node: Node) -> None:
    flaky = Flaky(failures=2)
    sup = await start_supervisor([worker([], "a", begin=flaky)], backoff=STEADY)
    began = trio.current_time()
    await crash(sup, "a")
    for seconds, attempts in ((0.5, 1), (1.5, 2), (3.5, 3), (7.5, 4)):
        await trio.sleep_until(began + seconds)
        assert flaky.attempts == attempts
    assert await kids(sup) == "a=up"


async def test_giving_up_does_not_wait(node: Node) -> None:
    log: list[str] = []
    sup = await start_supervisor(workers(log, "ab"), backoff=STEADY, max_restarts=1)
    await crash(sup, "a")
    await crash(sup, "b")
    assert not is_alive(sup)
    await trio.sleep(10)
    assert log.count("init a") == 1


async def test_a_child_that_waits_for_its_restart_is_not_restarted_or_deleted_by_hand(
    node: Node,
) -> None:
    """SUP-046."""
    sup = await start_supervisor(workers([], "a"), backoff=STEADY)
    await crash(sup, "a")
    for request in (sup.restart_child, sup.delete_child):
        with pytest.raises(ChildRestarting):
            await request("a")


async def test_terminate_child_calls_a_waiting_restart_off(node: Node) -> None:
    """SUP-047: also when the child is started by hand, and crashes again, before its time."""
    log: list[str] = []
    sup = await start_supervisor(workers(log, "a"), backoff=STEADY)
    await crash(sup, "a")
    await sup.terminate_child("a")
    await trio.sleep(10)
    assert await kids(sup) == "a=undefined"
    await sup.restart_child("a")
    await crash(sup, "a")
    await trio.sleep(0.5)
    await sup.terminate_child("a")
    await sup.restart_child("a")
    with pytest.raises(ChildRunning):
        await sup.delete_child("a")
    before = await pid_of(sup, "a")
    await trio.sleep(10)
    assert await pid_of(sup, "a") is before
    assert log.count("init a") == 3


async def test_an_old_restart_does_not_stand_for_a_new_one(node: Node) -> None:
    """Called off and crashed again: the second wait is its own, not what is left of the first."""
    times: list[float] = []
    spec = worker([], "a", begin=lambda: times.append(trio.current_time()))
    sup = await start_supervisor([spec], backoff=STEADY)
    began = trio.current_time()
    await crash(sup, "a")  # due at 1
    await trio.sleep(0.5)
    await sup.terminate_child("a")
    await sup.restart_child("a")
    await crash(sup, "a")  # due at 2.5
    await trio.sleep(10)
    assert [at - began for at in times] == [0, 0.5, 2.5]


async def test_a_deleted_and_readded_child_is_not_started_by_the_old_restart(node: Node) -> None:
    log: list[str] = []
    sup = await start_supervisor(workers(log, "a"), backoff=STEADY)
    await crash(sup, "a")
    await sup.terminate_child("a")
    await sup.delete_child("a")
    await sup.start_child(worker(log, "a"))
    before = await pid_of(sup, "a")
    await trio.sleep(10)
    assert await pid_of(sup, "a") is before
    assert log.count("init a") == 2


async def test_a_sibling_that_crashes_meanwhile_takes_the_waiting_one_with_its_group(
    node: Node,
) -> None:
    """One group restart later: the first one's own time finds it up already."""
    log: list[str] = []
    sup = await start_supervisor(
        workers(log, "ab"), strategy="rest_for_one", backoff=STEADY, max_restarts=10
    )
    await crash(sup, "b")  # due at 1
    await trio.sleep(0.5)
    await crash(sup, "a")  # due at 1.5, with b
    await trio.sleep(0.9)
    assert await kids(sup) == "b=undefined a=undefined"
    await trio.sleep(1.1)
    assert await kids(sup) == "b=up a=up"
    assert log.count("init b") == 2


async def test_a_supervisor_that_ends_meanwhile_starts_nothing(node: Node) -> None:
    log: list[str] = []
    sup = await start_supervisor(workers(log, "a"), backoff=STEADY)
    await crash(sup, "a")
    began = trio.current_time()
    await sup.stop()
    assert trio.current_time() == began
    await trio.sleep(10)
    assert log == ["init a", "terminate a boom"]


async def test_a_child_that_restarts_does_not_hold_up_requests(node: Node) -> None:
    """The supervisor is not blocked while it waits."""
    sup = await start_supervisor(workers([], "a"), backoff=STEADY)
    await crash(sup, "a")
    began = trio.current_time()
    await sup.start_child(worker([], "b"))
    assert trio.current_time() == began
    await settle()
    await sup.stop()
    assert not is_alive(sup)
    await wait_exit(sup)


async def test_how_long_it_stayed_up_counts_to_its_end_however_late_that_is_heard(
    node: Node,
) -> None:
    times: list[float] = []
    spec = worker([], "a", begin=lambda: times.append(trio.current_time()))
    sup = await start_supervisor([spec], backoff=STEADY, max_restarts=10, max_seconds=5.0)
    await crash(sup, "a")
    await trio.sleep(1.0 + 3.0)  # it is up for three seconds
    again = await child(sup, "a")
    await suspend(sup)
    again.cast(End("boom"))
    await trio.sleep(10.0)
    await resume(sup)
    heard = trio.current_time()
    await trio.sleep(3.0)
    assert times[2] == pytest.approx(heard + 2.0)
