"""Whole scenarios against what Elixir printed for them, line by line."""

from __future__ import annotations

import pytest
import trio

from runtime import (
    ChildSpec,
    ExitReason,
    Killed,
    Node,
    Normal,
    Pid,
    ProcessExit,
    Shutdown,
    StartFailed,
    Stop,
    exit,
    is_alive,
    kill,
    spawn,
    wait_exit,
)
from supervisors import (
    AlreadyPresent,
    ChildNotFound,
    ChildRunning,
    FailedToStartChild,
    Supervisor,
    SupervisorRef,
)
from tests.conftest import Recorder
from tests.supervisors.tree_parts import (
    counts,
    crash,
    drain,
    end,
    kids,
    kill_child,
    pid_of,
    settle,
    start_supervisor,
    worker,
)
from tests.support import end_of


def trapping(log: list[str], tag: str) -> ChildSpec:
    return worker(log, tag, trap=True)


def text(lines: str) -> list[str]:
    return [line.strip() for line in lines.strip().splitlines()]


def inits(tags: str) -> list[str]:
    return [f"init {tag}" for tag in tags]


def ends(tags: str) -> list[str]:
    return [f"terminate {tag} shutdown" for tag in tags]


async def test_oracle_01_rest_for_one(node: Node) -> None:
    """Five trapping children; crashes in the middle, last and first; one stopped by hand."""
    log: list[str] = []
    sup = await start_supervisor(
        [trapping(log, tag) for tag in "abcde"], strategy="rest_for_one", max_restarts=10
    )
    assert drain(log) == inits("abcde")
    await end(sup, "c", "boom")
    assert drain(log) == ["terminate c boom", *ends("ed"), *inits("cde")]
    await end(sup, "e", "oops")
    assert drain(log) == ["terminate e oops", "init e"]
    await end(sup, "a", "bad")
    assert drain(log) == ["terminate a bad", *ends("edcb"), *inits("abcde")]
    await end(sup, "d", Normal())
    assert drain(log) == ["terminate d normal", *ends("e"), *inits("de")]
    await sup.terminate_child("b")
    assert drain(log) == ends("b")
    assert await kids(sup) == "e=up d=up c=up b=undefined a=up"
    await crash(sup, "c")
    assert drain(log) == ["terminate c boom", *ends("ed"), *inits("cde")]
    assert await kids(sup) == "e=up d=up c=up b=undefined a=up"
    await crash(sup, "a")
    assert drain(log) == ["terminate a boom", *ends("edc"), *inits("abcde")]
    assert await kids(sup) == "e=up d=up c=up b=up a=up"
    assert await counts(sup) == (5, 5, 0, 5)
    root = sup.pid
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_ends_as, root, Normal())
        await settle()
        await sup.stop()
    assert drain(log) == ends("edcba")


async def _ends_as(pid: Pid, reason: ExitReason) -> None:
    assert await wait_exit(pid) == reason


async def test_oracle_02_one_for_all_mixed(node: Node) -> None:
    """Permanent p and q, transient t, temporary x. differs: errors are exceptions."""
    log: list[str] = []
    sup = await start_supervisor(
        [
            trapping(log, "p"),
            trapping(log, "t").replace(restart="transient"),
            trapping(log, "x").replace(restart="temporary"),
            trapping(log, "q"),
        ],
        strategy="one_for_all",
        max_restarts=10,
    )
    assert drain(log) == inits("ptxq")
    assert await kids(sup) == "q=up x=up t=up p=up"
    await crash(sup, "p")
    assert drain(log) == ["terminate p boom", *ends("qxt"), *inits("ptq")]
    assert await kids(sup) == "q=up t=up p=up"
    await end(sup, "t", Normal())
    assert drain(log) == ["terminate t normal"]
    assert await kids(sup) == "q=up t=undefined p=up"
    assert await counts(sup) == (3, 2, 0, 3)
    with pytest.raises(AlreadyPresent):
        await sup.start_child(trapping(log, "t"))
    await sup.start_child(trapping(log, "y").replace(restart="temporary"))
    assert drain(log) == ["init y"]
    await crash(sup, "y")
    assert drain(log) == ["terminate y boom"]
    assert await kids(sup) == "q=up t=undefined p=up"
    await kill_child(sup, "q")
    assert drain(log) == [*ends("p"), *inits("ptq")]
    assert await kids(sup) == "q=up t=up p=up"
    await end(sup, "t", Shutdown("x"))
    assert drain(log) == ["terminate t {shutdown,x}"]
    assert await kids(sup) == "q=up t=undefined p=up"
    with pytest.raises(ChildRunning):
        await sup.delete_child("p")
    await sup.delete_child("t")
    with pytest.raises(ChildNotFound):
        await sup.restart_child("t")
    with pytest.raises(ChildRunning):
        await sup.restart_child("p")
    root = sup.pid
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_ends_as, root, "custom")
        await settle()
        await sup.stop("custom")
    assert drain(log) == ends("qp")


async def test_oracle_10_shutdown_order(node: Node, events: Recorder) -> None:
    """Nine children, each with its own way to stop.

    differs: plain, which does not trap exits, runs its terminate too.
    """
    log: list[str] = []
    inner = Supervisor.child_spec([trapping(log, "i1"), worker(log, "i2", trap=True, nap=0.04)])
    children = [
        trapping(log, "first"),
        worker(log, "slow_ok", trap=True, nap=0.06).replace(shutdown=1.0),
        trapping(log, "brutal").replace(shutdown="brutal_kill"),
        worker(log, "too_slow", trap=True, nap=5.0).replace(shutdown=0.05),
        worker(log, "plain"),
        inner.replace(id="inner"),
        worker(log, "odd", trap=True, last=ProcessExit("odd_reason")),
        worker(log, "forever_ok", trap=True, nap=0.08).replace(shutdown=float("inf")),
        trapping(log, "last"),
    ]
    sup = await start_supervisor(children)
    started = "first slow_ok brutal too_slow plain i1 i2 odd forever_ok last".split()
    assert drain(log) == [f"init {tag}" for tag in started]
    pids = {str(one.id): await pid_of(sup, one.id) for one in children}
    began = trio.current_time()
    events.clear()
    await sup.stop(Shutdown())
    assert [line for line in drain(log) if not line.startswith("rested")] == text("""
        terminate last shutdown
        terminate forever_ok shutdown
        terminate odd shutdown
        terminate i2 shutdown
        terminate i1 shutdown
        terminate plain shutdown
        terminate too_slow shutdown
        terminate slow_ok shutdown
        terminate first shutdown
    """)
    down = {tag: end_of(events, pid) for tag, pid in pids.items()}
    assert down.pop("odd") == "odd_reason"
    assert down.pop("too_slow") == down.pop("brutal") == Killed()
    assert set(down.values()) == {Shutdown()}
    assert trio.current_time() - began == pytest.approx(0.06 + 0.05 + 0.04 + 0.08)


async def test_oracle_10_a_killed_supervisor_skips_its_orderly_shutdown(node: Node) -> None:
    log: list[str] = []
    sup = await start_supervisor([trapping(log, "k1")])
    pid = await pid_of(sup, "k1")
    kill(sup)
    assert await wait_exit(pid) == Killed()
    assert log == ["init k1", "terminate k1 killed"]


async def test_oracle_10_a_failing_start_undoes_the_started_in_reverse(node: Node) -> None:
    log: list[str] = []
    failing = worker(log, "f3", trap=True, begin=lambda: Stop("no_luck"))
    with pytest.raises(StartFailed) as caught:
        await start_supervisor(
            [trapping(log, "f1"), trapping(log, "f2"), failing, trapping(log, "f4")]
        )
    assert log == [
        "init f1",
        "init f2",
        "init f3",
        "terminate f2 shutdown",
        "terminate f1 shutdown",
    ]
    assert caught.value.reason == Shutdown(FailedToStartChild("f3", "no_luck"))


async def test_oracle_10_the_end_of_the_parent(node: Node) -> None:
    log: list[str] = []
    started: list[SupervisorRef] = []
    go = trio.Event()

    async def parent() -> None:
        started.append(
            SupervisorRef(await Supervisor.start_link([trapping(log, "p1"), trapping(log, "p2")]))
        )
        await go.wait()
        raise ProcessExit("parent_gone")

    spawn(parent)
    await settle()
    assert drain(log) == ["init p1", "init p2"]
    go.set()
    assert await wait_exit(started[0]) == "parent_gone"
    assert log == ["terminate p2 shutdown", "terminate p1 shutdown"]


async def test_oracle_10_strangers_signals(node: Node) -> None:
    started: list[SupervisorRef] = []
    go = trio.Event()

    async def parent() -> None:
        started.append(SupervisorRef(await Supervisor.start_link([])))
        await go.wait()
        raise ProcessExit(Shutdown())

    spawn(parent)
    await settle()
    exit(started[0], Shutdown())
    exit(started[0], "boom")
    await settle()
    assert is_alive(started[0])
    go.set()
    await settle()
    assert not is_alive(started[0])
