"""Rows of SUP about which child is restarted: permanent, transient, temporary."""

from __future__ import annotations

from runtime import (
    ChildEnded,
    ExitReason,
    Killed,
    NoProcess,
    Normal,
    Shutdown,
    is_alive,
)
from tests.conformance.scenarios import row
from tests.conformance.sup.parts import inits, pids, stops, trapping, trapping_ones
from tests.conftest import Recorder
from tests.supervisors.tree_parts import (
    Fail,
    child,
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

CLEAN: list[ExitReason] = [Normal(), Shutdown(), Shutdown("x")]
UNCLEAN: list[ExitReason] = ["boom", Killed()]


@row("SUP-024")
async def a_permanent_child_is_restarted_whatever_it_ends_with(events: Recorder) -> None:
    reasons = [*CLEAN, *UNCLEAN]
    sup = await start_supervisor([worker([], "a")], max_restarts=len(reasons))
    seen = [await pid_of(sup, "a")]
    for reason in reasons:
        await end(sup, "a", reason)
        seen.append(await pid_of(sup, "a"))
    assert len(set(seen)) == len(reasons) + 1
    told = [(one.reason, one.restarts) for one in events.of(ChildEnded)]
    assert told == [(reason, nth) for nth, reason in enumerate(reasons, start=1)]
    await end(sup, "a", Normal())
    assert not is_alive(sup)


@row("SUP-025")
async def a_transient_child_that_ends_clean_is_not_restarted() -> None:
    log: list[str] = []
    specs = [trapping(log, tag).replace(restart="transient") for tag in "abc"]
    sup = await start_supervisor(specs, max_restarts=0)
    drain(log)
    for tag, reason in zip("abc", CLEAN, strict=True):
        await end(sup, tag, reason)
    assert log == ["terminate a normal", "terminate b shutdown", "terminate c {shutdown,x}"]
    assert await pids(sup) == {"c": None, "b": None, "a": None}


@row("SUP-026")
async def a_transient_child_that_ends_otherwise_is_restarted() -> None:
    log: list[str] = []
    spec = trapping(log, "a").replace(restart="transient")
    sup = await start_supervisor([spec], max_restarts=5)
    drain(log)
    for reason in (*UNCLEAN, NoProcess()):
        await end(sup, "a", reason)
    assert drain(log) == [
        "terminate a boom", "init a",
        "terminate a killed", "init a",
        "terminate a NoProcess()", "init a",
    ]  # fmt: skip
    (await child(sup, "a")).cast(Fail(ValueError("bad")))
    await settle()
    assert drain(log) == ["terminate a error(ValueError:bad)", "init a"]
    await kill_child(sup, "a")
    assert drain(log) == ["init a"]


@row("SUP-027")
async def a_temporary_child_is_never_restarted_and_its_spec_is_gone() -> None:
    for reason in (*CLEAN, *UNCLEAN):
        log: list[str] = []
        temporary = worker(log, "t").replace(restart="temporary")
        sup = await start_supervisor(
            [trapping(log, "a"), temporary, trapping(log, "b")],
            strategy="one_for_all",
            max_restarts=0,
        )
        before = await pids(sup)
        drain(log)
        await end(sup, "t", reason)
        assert [line.split()[:2] for line in log] == [["terminate", "t"]]
        assert await pids(sup) == {"b": before["b"], "a": before["a"]}


@row("SUP-028")
async def a_temporary_sibling_is_shut_down_with_the_group_and_dropped() -> None:
    log: list[str] = []
    temporary = trapping(log, "t").replace(restart="temporary")
    sup = await start_supervisor([temporary, trapping(log, "p")], strategy="one_for_all")
    drain(log)
    await crash(sup, "p")
    assert log == ["terminate p boom", *stops("t"), *inits("p")]
    assert await kids(sup) == "p=up"


@row("SUP-029")
async def a_transient_sibling_is_shut_down_and_started_again() -> None:
    log: list[str] = []
    transient = trapping(log, "t").replace(restart="transient")
    sup = await start_supervisor([transient, trapping(log, "p")], strategy="one_for_all")
    drain(log)
    await crash(sup, "p")
    assert log == ["terminate p boom", *stops("t"), *inits("tp")]
    assert await kids(sup) == "p=up t=up"


@row("SUP-030")
async def a_transient_child_that_is_done_restarts_no_group() -> None:
    log: list[str] = []
    transient = trapping(log, "t").replace(restart="transient")
    sup = await start_supervisor(
        [*trapping_ones(log, "p"), transient, *trapping_ones(log, "q")], strategy="one_for_all"
    )
    drain(log)
    await end(sup, "t", Normal())
    assert log == ["terminate t normal"]
    assert await kids(sup) == "q=up t=undefined p=up"


@row("SUP-033")
async def a_child_killed_by_a_signal_is_restarted_without_its_last_word() -> None:
    log: list[str] = []
    sup = await start_supervisor([trapping(log, "a")])
    first = await pid_of(sup, "a")
    await kill_child(sup, "a")
    assert log == ["init a", "init a"]
    assert await pid_of(sup, "a") is not first
