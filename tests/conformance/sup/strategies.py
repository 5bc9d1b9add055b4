"""Rows of SUP about who is restarted together: the three strategies."""

from __future__ import annotations

from tests.conformance.scenarios import row
from tests.conformance.sup.parts import inits, pids, stops, trapping_ones
from tests.supervisors.tree_parts import crash, drain, kids, start_supervisor


@row("SUP-020")
async def one_for_one_restarts_only_what_crashed() -> None:
    log: list[str] = []
    sup = await start_supervisor(trapping_ones(log, "abc"), strategy="one_for_one")
    before = await pids(sup)
    drain(log)
    await crash(sup, "b")
    assert drain(log) == ["terminate b boom", *inits("b")]
    after = await pids(sup)
    assert list(after) == ["c", "b", "a"]
    assert (after["a"], after["c"]) == (before["a"], before["c"])
    assert after["b"] not in (None, before["b"])
    await sup.stop()
    assert log == stops("cba")


@row("SUP-021")
async def one_for_all_stops_the_others_in_reverse_then_starts_all_in_order() -> None:
    log: list[str] = []
    sup = await start_supervisor(trapping_ones(log, "abc"), strategy="one_for_all")
    before = await pids(sup)
    drain(log)
    await crash(sup, "b")
    assert log == ["terminate b boom", *stops("ca"), *inits("abc")]
    after = await pids(sup)
    assert list(after) == ["c", "b", "a"]
    assert len({*before.values(), *after.values()}) == 6


@row("SUP-022")
async def rest_for_one_restarts_what_crashed_and_what_was_started_after_it() -> None:
    log: list[str] = []
    sup = await start_supervisor(trapping_ones(log, "abcd"), strategy="rest_for_one")
    before = await pids(sup)
    drain(log)
    await crash(sup, "b")
    assert log == ["terminate b boom", *stops("dc"), *inits("bcd")]
    after = await pids(sup)
    assert after["a"] is before["a"]
    assert all(after[tag] not in (None, before[tag]) for tag in "bcd")


@row("SUP-023")
async def rest_for_one_restarts_only_the_last_or_everything() -> None:
    log: list[str] = []
    sup = await start_supervisor(trapping_ones(log, "abc"), strategy="rest_for_one")
    drain(log)
    await crash(sup, "c")
    assert drain(log) == ["terminate c boom", *inits("c")]
    await crash(sup, "a")
    assert drain(log) == ["terminate a boom", *stops("cb"), *inits("abc")]
    assert await kids(sup) == "c=up b=up a=up"


@row("SUP-031")
async def a_child_that_was_stopped_comes_back_with_its_group() -> None:
    for strategy, stopped, crashed, log_after in (
        ("one_for_all", "a", "b", ["terminate b boom", *stops("c"), *inits("abc")]),
        ("one_for_all", "c", "b", ["terminate b boom", *stops("a"), *inits("abc")]),
        ("rest_for_one", "b", "a", ["terminate a boom", *stops("c"), *inits("abc")]),
    ):
        log: list[str] = []
        sup = await start_supervisor(trapping_ones(log, "abc"), strategy=strategy)
        await sup.terminate_child(stopped)
        drain(log)
        await crash(sup, crashed)
        assert log == log_after
        assert await kids(sup) == "c=up b=up a=up"


@row("SUP-032")
async def a_child_that_was_stopped_stays_down_when_a_later_one_crashes() -> None:
    log: list[str] = []
    sup = await start_supervisor(trapping_ones(log, "abc"), strategy="rest_for_one")
    await sup.terminate_child("b")
    drain(log)
    await crash(sup, "c")
    assert log == ["terminate c boom", *inits("c")]
    assert await kids(sup) == "c=up b=undefined a=up"
