"""Rows of DYN about which child is restarted, what it is then, and what a failed restart is."""

from __future__ import annotations

import pytest
import trio

from runtime import Crashed, Ignore, Killed, Pid, Stop, is_alive, kill, ref
from supervisors import ChildInfo, ChildNotFound
from tests.conformance.dyn.parts import (
    CLEAN,
    EACH_SECOND,
    down_reason,
    lines_of_giving_up,
    once,
    replaced,
    with_info,
)
from tests.conformance.scenarios import row
from tests.conftest import Recorder
from tests.supervisors.dynamic_parts import (
    counts,
    ended,
    kill_and_see,
    pids,
    rows,
    start_dynamic,
    telling_its_pid,
    temporary,
    the_pid,
)
from tests.supervisors.tree_parts import Fail, Flaky, Ping, begin_after, settle, worker
from tests.support import end_of


@row("DYN-020")
async def a_permanent_child_is_restarted_whatever_it_ends_with() -> None:
    sup, log = await start_dynamic(max_restarts=4), list[str]()
    first = await sup.start_child(worker(log, "a"))
    for reason in [*CLEAN, "boom"]:
        await ended(first, reason)
        await replaced(sup, first)
        first = ref(await the_pid(sup))
    assert log.count("init a") == 1 + 4


@row("DYN-021")
async def a_transient_child_that_is_done_is_removed() -> None:
    sup, log = await start_dynamic(), list[str]()
    for reason in CLEAN:
        await ended(await sup.start_child(worker(log, "a").replace(restart="transient")), reason)
        assert await sup.which_children() == []
    assert log.count("init a") == len(CLEAN)


@row("DYN-022")
async def a_transient_child_that_breaks_is_restarted() -> None:
    sup, log = await start_dynamic(), list[str]()
    first = await sup.start_child(worker(log, "a").replace(restart="transient"))
    await ended(first, "boom")
    await replaced(sup, first)
    assert log == ["init a", "terminate a boom", "init a"]


@row("DYN-023")
async def a_temporary_child_is_removed_whatever_it_ends_with(events: Recorder) -> None:
    sup, log, error = await start_dynamic(max_restarts=0), list[str](), RuntimeError("no luck")
    for reason in [*CLEAN, "boom"]:
        await ended(await sup.start_child(temporary(log, "a")), reason)
        assert await sup.which_children() == []
    crashed = await sup.start_child(temporary(log, "a"))
    crashed.cast(Fail(error))
    await settle()
    killed = await sup.start_child(temporary(log, "a"))
    await kill_and_see(killed)
    assert [end_of(events, one.pid) for one in (crashed, killed)] == [Crashed(error), Killed()]
    assert await counts(sup) == (0, 0, 0, 0)
    assert log.count("init a") == 6
    assert is_alive(sup)


@row("DYN-024")
async def a_restart_is_a_new_pid_and_the_old_one_is_unknown() -> None:
    sup = await start_dynamic()
    first = await sup.start_child(worker([], "a"))
    await kill_and_see(first)
    await replaced(sup, first)
    with pytest.raises(ChildNotFound) as caught:
        await sup.terminate_child(first.pid)
    assert caught.value.child_id is first.pid
    await replaced(sup, first)
    await sup.terminate_child(await the_pid(sup))
    assert await sup.which_children() == []


@row("DYN-025")
async def a_restart_that_says_more_is_accepted() -> None:
    sup = await start_dynamic()
    first = await sup.start_child(with_info)
    await kill_and_see(first)
    assert await rows(sup) == [("with_info", "running")]
    assert await the_pid(sup) is not first.pid


@row("DYN-026")
async def a_restart_that_says_ignore_removes_the_child() -> None:
    sup, log = await start_dynamic(max_children=1), list[str]()
    await kill_and_see(await sup.start_child(worker(log, "a", begin=once(Ignore()))))
    assert log == ["init a", "init a"]
    assert await sup.which_children() == []
    await sup.start_child(worker(log, "b"))
    assert await rows(sup) == [("b", "running")]


@row("DYN-027")
async def a_restart_that_fails_is_tried_again_and_each_attempt_counts() -> None:
    log: list[str] = []
    sup = await start_dynamic(max_restarts=5, max_seconds=100, backoff=EACH_SECOND)
    child = await sup.start_child(worker(log, "a", begin=once(Stop("no"))))

    async def see_it_fail() -> None:
        await kill_and_see(child)
        for attempts in range(5):
            assert log == ["init a"] * (1 + attempts)
            assert await rows(sup) == [("a", "restarting")]
            await trio.sleep(1)
            await settle()

    assert lines_of_giving_up(await down_reason(sup, see_it_fail)) == 1 + 5
    assert log == ["init a"] * (1 + 5)


@row("DYN-028")
async def a_restart_that_fails_once_recovers() -> None:
    sup, log = await start_dynamic(max_restarts=2), list[str]()
    first = await sup.start_child(worker(log, "a", begin=Flaky(1)))
    await kill_and_see(first)
    await replaced(sup, first)
    assert await ref(await the_pid(sup)).call(Ping()) == "a"
    assert log == ["init a"] * 3


@row("DYN-029")
async def a_restart_that_never_works_ends_the_supervisor() -> None:
    """differs: the reason is a Shutdown with the history as its detail."""
    sup, log = await start_dynamic(max_restarts=3), list[str]()
    child = await sup.start_child(worker(log, "a", begin=once(Stop("no"))))

    async def crash() -> None:
        kill(child)

    assert lines_of_giving_up(await down_reason(sup, crash)) == 1 + 3
    assert log == ["init a"] * (1 + 3)


@row("DYN-030")
async def a_child_that_waits_for_its_restart_is_listed_as_restarting() -> None:
    """differs: an attempt can be seen while it runs, as starting, and counts as active."""
    sup, told = await start_dynamic(backoff=EACH_SECOND), list[Pid]()
    begin = telling_its_pid(told, lambda: begin_after(5 if len(told) > 1 else 0)())
    await kill_and_see(await sup.start_child(worker([], "a", begin=begin)))
    assert await sup.which_children() == [ChildInfo("a", None, "restarting", "worker", "Worker")]
    assert await counts(sup) == (1, 0, 0, 1)
    await trio.sleep(2)
    assert await sup.which_children() == [ChildInfo("a", told[1], "starting", "worker", "Worker")]
    assert await counts(sup) == (1, 1, 0, 1)
    await trio.sleep(5)
    assert await sup.which_children() == [ChildInfo("a", told[1], "running", "worker", "Worker")]
    assert await counts(sup) == (1, 1, 0, 1)


@row("DYN-031")
async def terminating_a_restarting_child_by_its_old_pid_drops_the_restart() -> None:
    sup, log = await start_dynamic(max_restarts=100, backoff=EACH_SECOND), list[str]()
    first = await sup.start_child(worker(log, "a", begin=once(Stop("no"))))
    await kill_and_see(first)
    await trio.sleep(2.5)
    assert await rows(sup) == [("a", "restarting")]
    await sup.terminate_child(first.pid)
    assert await sup.which_children() == []
    await trio.sleep(100)
    assert log == ["init a"] * 3
    assert await sup.which_children() == []


@row("DYN-032")
async def the_crashes_of_all_children_count_together() -> None:
    sup = await start_dynamic(max_restarts=3)
    children = [await sup.start_child(worker([], tag)) for tag in "abcd"]

    async def crash_each() -> None:
        for child in children[:3]:
            await ended(child, "boom")
        assert is_alive(sup)
        assert len(set(await pids(sup)) - {child.pid for child in children}) == 3
        await ended(children[3], "boom")

    assert lines_of_giving_up(await down_reason(sup, crash_each)) == 4


@row("DYN-033")
async def when_the_restarts_are_used_up_the_others_are_shut_down() -> None:
    """differs: the reason is a Shutdown with the history as its detail."""
    sup, log = await start_dynamic(max_restarts=0), list[str]()
    children = [await sup.start_child(worker(log, tag)) for tag in "abc"]
    reason = await down_reason(sup, lambda: ended(children[0], "boom"))
    assert lines_of_giving_up(reason) == 1
    assert log[:4] == ["init a", "init b", "init c", "terminate a boom"]
    assert sorted(log[4:]) == ["terminate b shutdown", "terminate c shutdown"]
    assert [is_alive(child) for child in children] == [False] * 3


@row("DYN-035")
async def a_crash_outside_the_window_does_not_count() -> None:
    sup = await start_dynamic(max_restarts=1, max_seconds=1)
    first = await sup.start_child(worker([], "a"))
    await ended(first, "boom")
    await trio.sleep(2.2)
    second = ref(await the_pid(sup))
    await ended(second, "boom")
    await replaced(sup, second)
    assert is_alive(sup)
