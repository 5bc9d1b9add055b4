"""The children of ``start_supervised``: their ids, and how one is stopped before the test ends."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from runtime import (
    ExitReason,
    GenServer,
    Normal,
    Ref,
    Registry,
    child_spec,
    is_alive,
    kill,
    named,
    start,
    via,
    whereis,
)
from runtime.testing import assert_down, assert_up, capture_reports, crash
from supervisors import ChildNotFound, RateLimiter, RateLimiterRef
from supervisors.fixtures import StartSupervised


class Idle(GenServer):
    """Does nothing."""


class Slow(GenServer):
    """Takes two seconds to end."""

    async def terminate(self, reason: ExitReason) -> None:
        await trio.sleep(2)


async def ids(start_supervised: StartSupervised) -> list[object]:
    return [child.id for child in await start_supervised.supervisor.which_children()]


# ---------------------------------------------------------------------- ids


async def test_each_has_an_id_of_its_own(start_supervised: StartSupervised) -> None:
    one, two, three = [await start_supervised(Idle) for _ in range(3)]
    assert await ids(start_supervised) == [("Idle", 3), ("Idle", 2), "Idle"]
    await start_supervised.stop(two)
    four = await start_supervised(Idle)
    await start_supervised(Idle.child_spec().replace(id=7))
    assert await ids(start_supervised) == [7, ("Idle", 4), ("Idle", 3), "Idle"]
    assert [is_alive(child) for child in (one, two, three, four)] == [True, False, True, True]


async def test_two_can_be_started_at_once(start_supervised: StartSupervised) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(start_supervised, Idle)
        nursery.start_soon(start_supervised, Idle)
    assert set(await ids(start_supervised)) == {"Idle", ("Idle", 2)}


@pytest.mark.parametrize("child", [None, 3, "Idle"])
async def test_what_is_no_child_is_refused(start_supervised: StartSupervised, child: Any) -> None:
    with pytest.raises(TypeError, match=rf"^child: got {child!r}, allowed are a ChildSpec such as"):
        await start_supervised(child)


# ---------------------------------------------------------------------- stop


@pytest.mark.parametrize("restart", ["permanent", "temporary"])
async def test_a_stopped_child_is_forgotten(
    start_supervised: StartSupervised, restart: Any
) -> None:
    one = await start_supervised(Idle.child_spec().replace(restart=restart))
    two = await start_supervised(Idle)
    await start_supervised.stop(one)
    assert (is_alive(one), is_alive(two)) == (False, True)
    assert await ids(start_supervised) == [("Idle", 2)]
    with pytest.raises(ChildNotFound, match="there is no child 'Idle'"):
        await start_supervised.stop(one)


async def test_a_child_that_is_done_is_not_taken_for_the_next(
    start_supervised: StartSupervised,
) -> None:
    async def job() -> None:
        await trio.sleep(1)

    one = await start_supervised(child_spec(job).replace(restart="temporary"))
    await assert_down(one, Normal, timeout=5)
    two = await start_supervised(job)
    with pytest.raises(ChildNotFound):
        await start_supervised.stop(one)
    assert is_alive(two)


async def test_a_child_that_was_deleted_is_not_taken_for_the_next(
    start_supervised: StartSupervised,
) -> None:
    spec = Idle.child_spec().replace(id="idle")
    one = await start_supervised(spec)
    await start_supervised.supervisor.terminate_child("idle")
    await start_supervised.supervisor.delete_child("idle")
    two = await start_supervised(spec)
    with pytest.raises(ChildNotFound):
        await start_supervised.stop(one)
    assert is_alive(two)


@pytest.mark.parametrize("times", [0, 1, 3])
async def test_by_whatever_leads_to_it_also_after_restarts(
    start_supervised: StartSupervised, times: int
) -> None:
    limiters = []
    for name in ("handle", "pid", "name", "named", "typed"):
        spec = RateLimiter.child_spec(limit=1).replace(name=name)
        limiters.append(await start_supervised(spec))
        with capture_reports():
            for _ in range(times):
                await crash(named(name))
                await assert_up(named(name))
    handle, by_pid, _, _, typed = limiters
    await start_supervised.stop(handle)
    await start_supervised.stop(by_pid.pid)
    await start_supervised.stop("name")
    await start_supervised.stop(named("named"))
    await start_supervised.stop(RateLimiterRef(typed))
    assert await ids(start_supervised) == []


async def test_by_name_while_it_is_being_restarted(start_supervised: StartSupervised) -> None:
    await start_supervised(Idle.child_spec().replace(name="idle"))
    with capture_reports():
        await crash(named("idle"))
        await assert_up(named("idle"))
        await crash(named("idle"))
    await start_supervised.stop(named("idle"))
    await trio.testing.wait_all_tasks_blocked()
    assert whereis("idle") is None
    with pytest.raises(ChildNotFound):
        await start_supervised.stop(named("idle"))


async def test_by_way_of_a_directory(start_supervised: StartSupervised) -> None:
    await start_supervised(Registry.child_spec(keys="unique").replace(name="names"))
    there = via("names", 7)
    one = await start_supervised(Idle.child_spec().replace(name=there))
    await start_supervised.stop(there)
    assert not is_alive(one)
    assert await ids(start_supervised) == ["names"]


async def test_a_child_that_the_test_has_given_to_the_supervisor_itself(
    start_supervised: StartSupervised,
) -> None:
    one = await start_supervised.supervisor.start_child(Idle)
    await start_supervised(Idle.child_spec().replace(id="two"))
    await start_supervised.stop(one)
    assert await ids(start_supervised) == ["two"]


async def test_what_is_no_child_of_it_is_left_alone(
    start_supervised: StartSupervised,
) -> None:
    stranger = await start(Idle.child_spec().replace(name="stranger"))
    for handle in (stranger, stranger.pid, "stranger", "nobody"):
        with pytest.raises(ChildNotFound) as refused:
            await start_supervised.stop(handle)
        assert refused.value.child_id == handle
    assert is_alive(stranger)
    await stranger.stop()


@pytest.mark.parametrize("handle", [None, 3, Idle])
async def test_what_leads_nowhere_is_refused(
    start_supervised: StartSupervised, handle: Any
) -> None:
    with pytest.raises(TypeError, match=r"^handle: got .*, allowed are a name, a Pid and a Ref"):
        await start_supervised.stop(handle)


async def test_cancelled_before_it_has_asked_nothing_is_stopped(
    start_supervised: StartSupervised,
) -> None:
    one = await start_supervised(Idle.child_spec().replace(name="idle"))
    with trio.CancelScope() as scope:
        scope.cancel()
        await start_supervised.stop(one)
    assert is_alive(one)
    kill(one)
    await assert_up(named("idle"))
    await start_supervised.stop(one)
    assert whereis("idle") is None


async def test_cancelled_while_the_child_stops_it_can_be_asked_again(
    start_supervised: StartSupervised,
) -> None:
    one: Ref = await start_supervised(Slow)
    with trio.move_on_after(1):
        await start_supervised.stop(one)
    assert is_alive(one)
    await start_supervised.stop(one)
    assert trio.current_time() == 2
    assert await ids(start_supervised) == []
