"""Rows of SUP about the end: budgets, stop, the parent's end, strangers' signals, a kill."""

from __future__ import annotations

import math
from functools import partial

import pytest
import trio

from runtime import (
    BudgetExceeded,
    CallExit,
    CallTimeout,
    Down,
    ExitReason,
    Killed,
    MessageUnexpected,
    Normal,
    Pid,
    ProcessEnded,
    ProcessExit,
    Shutdown,
    exit,
    is_alive,
    kill,
    monitor,
    receive,
    send,
    spawn,
    wait_exit,
)
from supervisors import Supervisor
from tests.conformance.scenarios import row
from tests.conformance.sup.parts import pids, stops, trapping, trapping_ones
from tests.conftest import Recorder
from tests.supervisors.tree_parts import (
    Fail,
    child,
    drain,
    kids,
    pid_of,
    settle,
    start_supervisor,
    worker,
    workers,
)
from tests.support import end_of, in_process


@row("SUP-065")
async def a_brutally_killed_child_has_no_last_word(events: Recorder) -> None:
    log: list[str] = []
    sup = await start_supervisor([trapping(log, "a").replace(shutdown="brutal_kill")])
    pid = await pid_of(sup, "a")
    await sup.stop()
    assert log == ["init a"]
    assert end_of(events, pid) == Killed()


@row("SUP-066")
async def a_child_that_stops_in_time_ends_with_shutdown(events: Recorder) -> None:
    log: list[str] = []
    sup = await start_supervisor([trapping(log, "a", nap=4).replace(shutdown=5)])
    pid = await pid_of(sup, "a")
    await sup.stop()
    assert log == ["init a", "terminate a shutdown", "rested a"]
    assert end_of(events, pid) == Shutdown()


@row("SUP-067")
async def a_child_that_is_too_slow_is_killed_and_only_then_the_next_is_stopped(
    events: Recorder,
) -> None:
    log: list[str] = []
    slow = trapping(log, "slow", nap=100).replace(shutdown=2)
    sup = await start_supervisor([trapping(log, "a", nap=1), slow])
    pid = await pid_of(sup, "slow")
    drain(log)
    began = trio.current_time()
    await sup.stop()
    assert trio.current_time() - began == 2 + 1
    assert log == ["terminate slow shutdown", "terminate a shutdown", "rested a"]
    assert events.of(BudgetExceeded) == [BudgetExceeded(pid, 2)]
    assert end_of(events, pid) == Killed()


@row("SUP-068")
async def a_child_without_a_limit_is_waited_for(events: Recorder) -> None:
    log: list[str] = []
    sup = await start_supervisor([trapping(log, "a", nap=1e6).replace(shutdown=math.inf)])
    pid = await pid_of(sup, "a")
    began = trio.current_time()
    await sup.stop()
    assert trio.current_time() - began == 1e6
    assert log == ["init a", "terminate a shutdown", "rested a"]
    assert end_of(events, pid) == Shutdown()


@row("SUP-069")
async def a_child_that_does_not_trap_exits_dies_of_the_shutdown(events: Recorder) -> None:
    """differs: its terminate runs all the same, before it is dead."""
    log: list[str] = []
    sup = await start_supervisor(workers(log, "a"))
    pid = await pid_of(sup, "a")
    began = trio.current_time()
    await sup.stop()
    assert trio.current_time() == began
    assert log == ["init a", "terminate a shutdown"]
    assert end_of(events, pid) == Shutdown()


@row("SUP-070")
async def an_odd_reason_during_the_shutdown_does_not_disturb_it() -> None:
    log: list[str] = []
    odd = trapping(log, "b", last=ProcessExit("odd"))
    sup = await start_supervisor([trapping(log, "a"), odd])
    pid = await pid_of(sup, "b")

    async def watcher() -> ExitReason:
        monitor(pid)
        await sup.stop()
        return (await receive(Down)).reason

    drain(log)
    assert await in_process(watcher) == "odd"
    assert log == stops("ba")


@row("SUP-071")
async def a_sibling_that_crashes_during_the_shutdown_is_not_restarted() -> None:
    log: list[str] = []
    sup = await start_supervisor([*trapping_ones(log, "ab"), trapping(log, "c", nap=4)])
    victim = await child(sup, "a")
    drain(log)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(sup.stop)
        await trio.sleep(2)
        victim.cast(Fail(ValueError("too late")))
    assert log == [
        "terminate c shutdown",
        "terminate a error(ValueError:too late)",
        "rested c",
        "terminate b shutdown",
    ]


@row("SUP-072")
async def an_inner_supervisor_stops_its_own_before_the_next_outer_child() -> None:
    log: list[str] = []
    inner = Supervisor.child_spec([trapping(log, tag, nap=1) for tag in "ab"])
    sup = await start_supervisor([trapping(log, "first"), inner, trapping(log, "last")])
    drain(log)
    await sup.stop()
    assert log == [
        "terminate last shutdown",
        "terminate b shutdown", "rested b",
        "terminate a shutdown", "rested a",
        "terminate first shutdown",
    ]  # fmt: skip


@row("SUP-073")
async def children_get_shutdown_whatever_the_supervisor_is_stopped_with(events: Recorder) -> None:
    log: list[str] = []
    sup = await start_supervisor(trapping_ones(log, "ab"))
    root, first = sup.pid, await pid_of(sup, "a")
    drain(log)
    await sup.stop("custom")
    assert log == stops("ba")
    assert (end_of(events, first), end_of(events, root)) == (Shutdown(), "custom")


@row("SUP-074")
async def a_stop_that_times_out_is_completed_later() -> None:
    log: list[str] = []
    sup = await start_supervisor([trapping(log, "a"), trapping(log, "b", nap=3)])
    drain(log)
    began = trio.current_time()
    with pytest.raises(CallTimeout):
        await sup.stop(timeout=1)
    assert trio.current_time() - began == 1
    assert await wait_exit(sup) == Normal()
    assert trio.current_time() - began == 3
    assert log == ["terminate b shutdown", "rested b", "terminate a shutdown"]


@row("SUP-075")
async def a_request_to_a_supervisor_that_is_stopping_gets_its_reason() -> None:
    sup = await start_supervisor([trapping([], "a", nap=3)])
    began = trio.current_time()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(sup.stop, "custom")
        await trio.sleep(1)
        with pytest.raises(CallExit) as caught:
            await sup.which_children()
    assert caught.value.reason == "custom"
    assert trio.current_time() - began == 3


async def supervise_and_end(log: list[str], started: list[Pid], reason: ExitReason) -> None:
    """The body of a process that starts a supervisor and then ends with ``reason``."""
    started.append((await Supervisor.start_link(trapping_ones(log, "ab"))).pid)
    drain(log)
    raise ProcessExit(reason)


@row("SUP-076")
async def a_supervisor_ends_with_its_parents_reason(events: Recorder) -> None:
    for reason in (Normal(), Shutdown(), "gone"):
        log: list[str] = []
        started: list[Pid] = []
        await wait_exit(spawn(partial(supervise_and_end, log, started, reason)))
        await settle()
        assert log == stops("ba")
        assert end_of(events, started[0]) == reason


@row("SUP-077")
async def strangers_exit_signals_are_ignored() -> None:
    log: list[str] = []
    sup = await start_supervisor(trapping_ones(log, "a"))

    async def stranger() -> None:
        exit(sup, Shutdown())
        exit(sup, "boom")

    await in_process(stranger)
    await settle()
    assert log == ["init a"]
    assert await kids(sup) == "a=up"


@row("SUP-078")
async def a_killed_supervisor_skips_the_orderly_shutdown(events: Recorder) -> None:
    """differs: it is dead when its children are, not before them."""
    log: list[str] = []
    sup = await start_supervisor([trapping(log, tag, nap=1) for tag in "ab"])
    root, members = sup.pid, set((await pids(sup)).values())
    drain(log)
    began = trio.current_time()
    kill(sup)
    assert await wait_exit(root) == Killed()
    assert trio.current_time() - began == 1
    assert sorted(log[:2]) == ["terminate a killed", "terminate b killed"]
    assert sorted(log[2:]) == ["rested a", "rested b"]
    ended = events.of(ProcessEnded)
    assert {one.pid for one in ended[:-1]} == members
    assert ended[-1].pid is root
    assert [one.reason for one in ended] == [Killed()] * 3


@row("SUP-079")
async def an_unexpected_message_is_told_and_ignored(events: Recorder) -> None:
    sup = await start_supervisor([worker([], "a")])
    before = await pids(sup)
    send(sup, "hello")
    await settle()
    assert events.of(MessageUnexpected) == [MessageUnexpected(sup.pid, "'hello'")]
    assert is_alive(sup)
    assert await pids(sup) == before
