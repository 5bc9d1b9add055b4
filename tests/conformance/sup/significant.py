"""Rows of SUP about significant children, whose end can end their supervisor."""

from __future__ import annotations

from runtime import ChildSpec, ExitReason, Killed, Normal, Restart, Shutdown, is_alive
from tests.conformance.scenarios import row
from tests.conformance.sup.parts import inits, pids, stops, trapping, trapping_ones
from tests.conftest import Recorder
from tests.supervisors.tree_parts import (
    crash,
    drain,
    end,
    kids,
    settle,
    start_supervisor,
)
from tests.support import end_of

CLEAN: list[ExitReason] = [Normal(), Shutdown(), Shutdown("x")]


def significant(log: list[str], tag: str, restart: Restart = "transient") -> ChildSpec:
    """A worker whose end matters."""
    return trapping(log, tag).replace(restart=restart, significant=True)


@row("SUP-082")
async def a_significant_child_that_is_done_ends_the_supervisor(events: Recorder) -> None:
    for reason in CLEAN:
        log: list[str] = []
        sup = await start_supervisor(
            [*trapping_ones(log, "a"), significant(log, "s"), *trapping_ones(log, "bc")],
            auto_shutdown="any_significant",
        )
        root = sup.pid
        drain(log)
        await end(sup, "s", reason)
        assert log[0].startswith("terminate s ")
        assert log[1:] == stops("cba")
        assert end_of(events, root) == Shutdown()


@row("SUP-083")
async def a_significant_transient_child_that_crashes_is_just_restarted() -> None:
    log: list[str] = []
    sup = await start_supervisor(
        [*trapping_ones(log, "a"), significant(log, "s")], auto_shutdown="any_significant"
    )
    before = await pids(sup)
    drain(log)
    await crash(sup, "s")
    assert log == ["terminate s boom", *inits("s")]
    after = await pids(sup)
    assert after["a"] is before["a"]
    assert after["s"] not in (None, before["s"])


@row("SUP-084")
async def a_significant_temporary_child_ends_the_supervisor_for_any_reason(
    events: Recorder,
) -> None:
    for reason in (*CLEAN, "boom", Killed()):
        log: list[str] = []
        sup = await start_supervisor(
            [*trapping_ones(log, "a"), significant(log, "s", "temporary")],
            auto_shutdown="any_significant",
        )
        root = sup.pid
        drain(log)
        await end(sup, "s", reason)
        assert log[1:] == stops("a")
        assert end_of(events, root) == Shutdown()


@row("SUP-085")
async def the_end_of_an_insignificant_child_is_nothing() -> None:
    log: list[str] = []
    sup = await start_supervisor(
        [
            significant(log, "s"),
            trapping(log, "t").replace(restart="transient"),
            trapping(log, "x").replace(restart="temporary"),
        ],
        auto_shutdown="any_significant",
    )
    drain(log)
    await end(sup, "t", Normal())
    await crash(sup, "x")
    assert log == ["terminate t normal", "terminate x boom"]
    assert await kids(sup) == "t=undefined s=up"


@row("SUP-086")
async def all_significant_waits_for_the_last_of_them(events: Recorder) -> None:
    log: list[str] = []
    sup = await start_supervisor(
        [significant(log, "s"), *trapping_ones(log, "a"), significant(log, "t")],
        auto_shutdown="all_significant",
    )
    root = sup.pid
    drain(log)
    await end(sup, "s", Normal())
    assert drain(log) == ["terminate s normal"]
    assert await kids(sup) == "t=up a=up s=undefined"
    await end(sup, "t", Normal())
    assert log == ["terminate t normal", *stops("a")]
    assert end_of(events, root) == Shutdown()


@row("SUP-087")
async def a_significant_child_ended_by_request_ends_nothing() -> None:
    log: list[str] = []
    sup = await start_supervisor(
        [significant(log, "s"), *trapping_ones(log, "a")], auto_shutdown="any_significant"
    )
    drain(log)
    await sup.terminate_child("s")
    await settle()
    assert log == stops("s")
    assert await kids(sup) == "a=up s=undefined"


@row("SUP-088")
async def one_ended_by_request_counts_as_ended_for_the_other(events: Recorder) -> None:
    log: list[str] = []
    sup = await start_supervisor(
        [significant(log, "s"), *trapping_ones(log, "a"), significant(log, "t")],
        auto_shutdown="all_significant",
    )
    root = sup.pid
    await sup.terminate_child("s")
    await settle()
    assert is_alive(sup)
    drain(log)
    await end(sup, "t", Normal())
    assert log == ["terminate t normal", *stops("a")]
    assert end_of(events, root) == Shutdown()


@row("SUP-089")
async def a_group_restart_is_no_end_of_a_significant_member() -> None:
    log: list[str] = []
    sup = await start_supervisor(
        [significant(log, "x", "temporary"), significant(log, "s"), *trapping_ones(log, "p")],
        strategy="one_for_all",
        auto_shutdown="any_significant",
    )
    drain(log)
    await crash(sup, "p")
    assert log == ["terminate p boom", *stops("sx"), *inits("sp")]
    assert await kids(sup) == "p=up s=up"


@row("SUP-091")
async def a_significant_child_that_is_added_later_counts(events: Recorder) -> None:
    log: list[str] = []
    sup = await start_supervisor(trapping_ones(log, "a"), auto_shutdown="any_significant")
    root = sup.pid
    await sup.start_child(significant(log, "s"))
    drain(log)
    await end(sup, "s", Normal())
    assert log == ["terminate s normal", *stops("a")]
    assert end_of(events, root) == Shutdown()
