"""Rows of SUP about what a supervisor is asked: start, terminate, restart, delete a child."""

from __future__ import annotations

import pytest
import trio

from runtime import (
    AlreadyStarted,
    BadResult,
    Crashed,
    GenServer,
    Ignore,
    Ignored,
    Ref,
    StartFailed,
    Stop,
    child_spec,
)
from supervisors import AlreadyPresent, ChildNotFound, ChildRunning
from tests.conformance.scenarios import row
from tests.conformance.sup.parts import pids, stops, trapping, trapping_ones
from tests.supervisors.tree_parts import (
    begin_after,
    crash,
    drain,
    kids,
    pid_of,
    settle,
    start_supervisor,
    worker,
    workers,
)


@row("SUP-048")
async def an_id_that_runs_is_refused_with_its_pid() -> None:
    log: list[str] = []
    sup = await start_supervisor(workers(log, "a"))
    with pytest.raises(AlreadyStarted) as caught:
        await sup.start_child(worker(log, "a"))
    assert caught.value.pid is await pid_of(sup, "a")
    assert log == ["init a"]


@row("SUP-049")
async def an_id_that_is_stopped_is_already_present() -> None:
    log: list[str] = []
    sup = await start_supervisor(workers(log, "a"))
    await sup.terminate_child("a")
    drain(log)
    with pytest.raises(AlreadyPresent) as caught:
        await sup.start_child(worker(log, "a"))
    assert caught.value.child_id == "a"
    assert log == []
    assert await kids(sup) == "a=undefined"


@row("SUP-050")
async def the_id_of_a_temporary_child_that_ended_is_free() -> None:
    sup = await start_supervisor([worker([], "t").replace(restart="temporary")])
    await crash(sup, "t")
    child = await sup.start_child(worker([], "t"))
    assert await pids(sup) == {"t": child.pid}


async def with_info(*, task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED) -> None:
    """A start that says more than that it is up."""
    task_status.started("info")
    await trio.sleep_forever()


@row("SUP-051")
async def a_start_that_says_more_gives_the_child_alone() -> None:
    """differs: the value given to ``started`` is dropped, OTP's is a part of the answer."""
    sup = await start_supervisor([])
    child = await sup.start_child(child_spec(with_info))
    assert isinstance(child, Ref)
    assert await pids(sup) == {"with_info": child.pid}


@row("SUP-052")
async def an_ignored_child_is_kept_but_not_if_temporary() -> None:
    sup = await start_supervisor([])
    with pytest.raises(Ignored):
        await sup.start_child(worker([], "a", begin=Ignore))
    with pytest.raises(Ignored):
        await sup.start_child(worker([], "t", begin=Ignore).replace(restart="temporary"))
    assert await pids(sup) == {"a": None}


@row("SUP-053")
async def a_child_that_does_not_start_is_forgotten() -> None:
    sup = await start_supervisor(workers([], "a"))
    with pytest.raises(StartFailed) as caught:
        await sup.start_child(worker([], "b", begin=lambda: Stop("bad day")))
    assert caught.value.reason == "bad day"
    assert str(caught.value) == "Worker did not start: 'bad day'"
    assert await kids(sup) == "a=up"


class Unmakeable(GenServer):
    """Fails before there is a server."""

    def __init__(self, error: Exception) -> None:
        raise error


@row("SUP-054")
async def a_child_that_raises_instead_of_starting_is_forgotten() -> None:
    sup = await start_supervisor(workers([], "a"))
    error = ValueError("no luck")
    with pytest.raises(StartFailed) as caught:
        await sup.start_child(Unmakeable.child_spec(error))
    assert caught.value.reason == Crashed(error)
    assert caught.value.__cause__ is error
    assert str(caught.value).startswith("Unmakeable did not start: ")
    assert await kids(sup) == "a=up"


@row("SUP-055")
async def a_child_whose_start_returns_junk_is_refused() -> None:
    sup = await start_supervisor([])
    with pytest.raises(StartFailed, match="Worker did not start") as caught:
        await sup.start_child(worker([], "b", begin=lambda: "junk"))
    assert isinstance(caught.value.reason, Crashed)
    error = caught.value.reason.exception
    assert isinstance(error, BadResult)
    assert error.value == "junk"
    assert await kids(sup) == ""


@row("SUP-056")
async def a_slow_init_blocks_the_supervisor() -> None:
    sup = await start_supervisor([])
    began = trio.current_time()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(sup.start_child, worker([], "slow", begin=begin_after(7)))
        await settle()
        assert await kids(sup) == "slow=up"
        assert trio.current_time() - began == 7


@row("SUP-057")
async def a_terminated_child_stays_down_and_its_siblings_are_not_touched() -> None:
    for strategy in ("one_for_one", "one_for_all", "rest_for_one"):
        log: list[str] = []
        sup = await start_supervisor(trapping_ones(log, "abc"), strategy=strategy, max_restarts=0)
        before = await pids(sup)
        drain(log)
        await sup.terminate_child("b")
        await trio.sleep(10)
        assert log == stops("b")
        assert await pids(sup) == {**before, "b": None}


@row("SUP-058")
async def terminating_a_stopped_child_is_fine() -> None:
    log: list[str] = []
    sup = await start_supervisor(trapping_ones(log, "a"))
    await sup.terminate_child("a")
    drain(log)
    await sup.terminate_child("a")
    assert log == []
    assert await kids(sup) == "a=undefined"


@row("SUP-059")
async def terminating_a_temporary_child_removes_its_spec() -> None:
    log: list[str] = []
    sup = await start_supervisor([trapping(log, "t").replace(restart="temporary")])
    drain(log)
    await sup.terminate_child("t")
    assert log == stops("t")
    assert await sup.which_children() == []


@row("SUP-060")
async def an_unknown_id_is_not_found() -> None:
    sup = await start_supervisor(workers([], "a"))
    for request in (sup.terminate_child, sup.delete_child, sup.restart_child):
        with pytest.raises(ChildNotFound) as caught:
            await request("b")
        assert caught.value.child_id == "b"


@row("SUP-061")
async def a_running_child_is_neither_deleted_nor_restarted() -> None:
    log: list[str] = []
    sup = await start_supervisor(workers(log, "a"))
    before = await pids(sup)
    for request in (sup.delete_child, sup.restart_child):
        with pytest.raises(ChildRunning) as caught:
            await request("a")
        assert caught.value.pid is before["a"]
    assert log == ["init a"]
    assert await pids(sup) == before


@row("SUP-062")
async def a_stopped_child_is_restarted_in_its_place_and_not_counted() -> None:
    log: list[str] = []
    sup = await start_supervisor(trapping_ones(log, "abc"), max_restarts=0)
    before = await pids(sup)
    await sup.terminate_child("b")
    child = await sup.restart_child("b")
    assert child.pid is not before["b"]
    after = await pids(sup)
    assert after == {**before, "b": child.pid}
    assert list(after) == ["c", "b", "a"]
    drain(log)
    await sup.stop()
    assert log == stops("cba")


@row("SUP-063")
async def a_restart_by_hand_that_fails_keeps_the_spec() -> None:
    results = iter([None, Stop("bad day"), None])
    sup = await start_supervisor(
        [worker([], "a", begin=lambda: next(results)), worker([], "b")], max_restarts=0
    )
    before = await pids(sup)
    await sup.terminate_child("a")
    with pytest.raises(StartFailed) as caught:
        await sup.restart_child("a")
    assert caught.value.reason == "bad day"
    await trio.sleep(10)
    assert await pids(sup) == {**before, "a": None}
    child = await sup.restart_child("a")
    assert await pids(sup) == {**before, "a": child.pid}


@row("SUP-064")
async def a_restart_by_hand_that_is_ignored_leaves_the_slot_empty() -> None:
    results = iter([None, Ignore()])
    sup = await start_supervisor([worker([], "a", begin=lambda: next(results))])
    await sup.terminate_child("a")
    with pytest.raises(Ignored):
        await sup.restart_child("a")
    assert await pids(sup) == {"a": None}
