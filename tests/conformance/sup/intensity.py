"""Rows of SUP about how many restarts are too many, and what counts as one."""

from __future__ import annotations

import trio

from runtime import Pid, is_alive, kill, resume, suspend, wait_exit
from supervisors import SupervisorRef
from tests.conformance.scenarios import row
from tests.conformance.sup.parts import history, inits, stops, trapping_ones
from tests.conftest import Recorder
from tests.supervisors.tree_parts import (
    crash,
    drain,
    kids,
    pid_of,
    settle,
    start_supervisor,
    workers,
)


@row("SUP-034")
async def the_fourth_crash_within_five_seconds_is_one_too_many(events: Recorder) -> None:
    """differs: the supervisor's reason is a Shutdown with the history as its detail."""
    log: list[str] = []
    sup = await start_supervisor(trapping_ones(log, "abc"), max_restarts=3, max_seconds=5.0)
    root = sup.pid
    drain(log)
    for _ in range(3):
        await crash(sup, "b")
        await trio.sleep(1)
    assert drain(log) == ["terminate b boom", "init b"] * 3
    await crash(sup, "b")
    assert log == ["terminate b boom", *stops("ca")]
    assert history(events, root) == [
        "-3.000 s  child 'b': 'boom'",
        "-2.000 s  child 'b': 'boom'",
        "-1.000 s  child 'b': 'boom'",
        "+0.000 s  child 'b': 'boom'",
    ]


@row("SUP-035")
async def with_no_restarts_allowed_the_first_crash_is_one_too_many(events: Recorder) -> None:
    """differs: the supervisor's reason is a Shutdown with the history as its detail."""
    log: list[str] = []
    sup = await start_supervisor(trapping_ones(log, "ab"), max_restarts=0)
    root = sup.pid
    drain(log)
    await crash(sup, "b")
    assert log == ["terminate b boom", *stops("a")]
    assert history(events, root) == ["+0.000 s  child 'b': 'boom'"]


@row("SUP-036")
async def restarts_fall_out_of_the_window() -> None:
    log: list[str] = []
    sup = await start_supervisor(workers(log, "a"), max_restarts=1, max_seconds=1)
    for _ in range(4):
        await crash(sup, "a")
        await trio.sleep(2.2)
    assert log.count("init a") == 5
    assert await kids(sup) == "a=up"


@row("SUP-037")
async def restarts_within_the_window_add_up() -> None:
    log: list[str] = []
    sup = await start_supervisor(workers(log, "a"), max_restarts=1, max_seconds=2)
    await crash(sup, "a")
    await trio.sleep(0.9)
    assert await kids(sup) == "a=up"
    await crash(sup, "a")
    assert not is_alive(sup)
    assert log == ["init a", "terminate a boom", "init a", "terminate a boom"]


@row("SUP-038")
async def the_restart_of_a_group_counts_once() -> None:
    log: list[str] = []
    sup = await start_supervisor(trapping_ones(log, "abc"), strategy="one_for_all", max_restarts=1)
    drain(log)
    await crash(sup, "b")
    assert log == ["terminate b boom", *stops("ca"), *inits("abc")]
    assert await kids(sup) == "c=up b=up a=up"
    await crash(sup, "b")
    assert not is_alive(sup)


async def kill_unseen(supervisor: SupervisorRef, *children: Pid) -> None:
    """Let children die one after the other, and only then let their supervisor look."""
    await suspend(supervisor)
    for pid in children:
        kill(pid)
        await wait_exit(pid)
    await resume(supervisor)
    await settle()


@row("SUP-039")
async def one_for_all_makes_one_restart_of_two_deaths_it_had_not_seen() -> None:
    log: list[str] = []
    sup = await start_supervisor(trapping_ones(log, "abc"), strategy="one_for_all", max_restarts=1)
    drain(log)
    await kill_unseen(sup, await pid_of(sup, "a"), await pid_of(sup, "b"))
    assert drain(log) == [*stops("c"), *inits("abc")]
    assert await kids(sup) == "c=up b=up a=up"
    await crash(sup, "a")
    assert not is_alive(sup)


@row("SUP-040")
async def one_for_one_counts_two_deaths_it_had_not_seen(events: Recorder) -> None:
    """differs: the supervisor's reason is a Shutdown with the history as its detail."""
    log: list[str] = []
    sup = await start_supervisor(trapping_ones(log, "abc"), max_restarts=1)
    root = sup.pid
    drain(log)
    await kill_unseen(sup, await pid_of(sup, "a"), await pid_of(sup, "b"))
    assert log == [*inits("a"), *stops("ca")]
    assert history(events, root) == [
        "+0.000 s  child 'a': Killed()",
        "+0.000 s  child 'b': Killed()",
    ]
