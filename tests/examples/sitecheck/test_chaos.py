from __future__ import annotations

import math

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from examples.sitecheck.chaos import ALWAYS, cause_chaos, choose_spacing, choose_victims
from examples.sitecheck.restarts import RestartCount
from runtime import child_spec, is_alive, named, receive, whereis
from supervisors import (
    Supervisor,
    SupervisorRef,
    TaskSupervisor,
    TaskSupervisorRef,
    open_supervisor,
)

OTHERS = ["reporter", "crawler", "fetches", "hosts"]


@given(st.integers(2, 30), st.integers())
def test_the_store_and_the_frontier_are_among_the_victims(times: int, seed: int) -> None:
    victims = choose_victims(times, OTHERS, seed)
    assert len(victims) == times
    assert set(ALWAYS) <= set(victims) <= {*ALWAYS, *OTHERS}


def test_the_same_seed_is_the_same_chaos_and_another_is_another() -> None:
    assert choose_victims(9, OTHERS, 1) == choose_victims(9, OTHERS, 1)
    assert choose_victims(9, OTHERS, 1) != choose_victims(9, OTHERS, 2)


@pytest.mark.parametrize("times", [0, 1])
def test_a_little_chaos_is_possible(times: int) -> None:
    assert len(choose_victims(times, OTHERS, 0)) == times


@given(st.integers(1, 100), st.integers(2, 50), st.floats(0.1, 60))
def test_kills_stay_within_half_of_the_restarts_allowed(
    times: int, max_restarts: int, max_seconds: float
) -> None:
    spacing = choose_spacing(times, max_restarts, max_seconds)
    in_any_window = min(times, math.floor(max_seconds / spacing) + 1)
    assert in_any_window <= max_restarts / 2 + 1


async def idle() -> None:
    await receive(lambda message: False)


async def test_victims_are_killed_one_after_the_other_and_who_is_not_there_is_spared() -> None:
    children = [child_spec(idle).replace(name=name) for name in ("first", "second")]
    victims = ["first", "nobody", "second"]
    async with open_supervisor(children, name="root", instruments=[]):
        started = trio.current_time()
        before = whereis("first"), whereis("second")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(cause_chaos, victims, 10.0, ["root"], "tasks", 0)
            await trio.sleep(11)
            assert whereis("first") not in (None, before[0])
            assert whereis("second") == before[1]
        await SupervisorRef(named("root")).count_children()
        assert whereis("second") not in (None, before[1])
        assert trio.current_time() - started == 30


async def slow_start(*, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
    await trio.sleep(7)
    task_status.started()
    await idle()


async def test_a_kill_waits_until_the_one_before_has_been_made_good() -> None:
    children = [child_spec(slow_start).replace(name="slow")]
    restarts = RestartCount()
    instruments = [restarts.instrument]
    async with open_supervisor(children, name="root", instruments=instruments):
        started = trio.current_time()
        await cause_chaos(["slow"] * 3, 1.0, ["root"], "tasks", 0)
        assert trio.current_time() - started == 1 + 7 + 7
        await SupervisorRef(named("root")).count_children()
    assert restarts.by_child == {"slow": 3}


async def test_half_way_between_two_kills_a_task_is_killed_which_is_no_restart() -> None:
    children = [
        TaskSupervisor.child_spec().replace(name="tasks"),
        child_spec(idle).replace(name="victim"),
    ]
    restarts = RestartCount()
    async with open_supervisor(children, name="root", instruments=[restarts.instrument]):
        tasks = [await TaskSupervisorRef("tasks").start_child(idle) for _ in range(3)]
        async with trio.open_nursery() as nursery:
            nursery.start_soon(cause_chaos, ["victim"] * 2, 10.0, ["root"], "tasks", 0)
            await trio.sleep(6)
            assert [is_alive(task) for task in tasks].count(True) == 2
            assert restarts.by_child == {}
        await SupervisorRef(named("root")).count_children()
        assert [is_alive(task) for task in tasks].count(True) == 1
    assert restarts.by_child == {"victim": 2}


async def test_a_supervisor_that_has_done_its_work_is_not_waited_for() -> None:
    done = Supervisor.child_spec(
        [child_spec(trio.sleep, 1.0).replace(restart="transient", significant=True)],
        auto_shutdown="any_significant",
    )
    children = [
        done.replace(name="done", restart="transient"),
        child_spec(idle).replace(name="victim"),
    ]
    restarts = RestartCount()
    async with open_supervisor(children, name="root", instruments=[restarts.instrument]):
        await cause_chaos(["victim", "done", "victim"], 2.0, ["root", "done"], "tasks", 0)
        await SupervisorRef(named("root")).count_children()
    assert restarts.by_child == {"victim": 2}
