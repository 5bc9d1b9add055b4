"""Rows of SUP about supervisors under supervisors: what one that ends means to the outer one."""

from __future__ import annotations

from typing import Any

from runtime import ChildEnded, ChildSpec, Normal, Shutdown, named
from supervisors import Supervisor
from tests.conformance.scenarios import row
from tests.conformance.sup.parts import history, inits, pids, stops, trapping, trapping_ones
from tests.conftest import Recorder
from tests.supervisors.tree_parts import (
    End,
    drain,
    kids,
    pid_of,
    settle,
    start_supervisor,
)
from tests.support import end_of


def team(log: list[str], **options: Any) -> ChildSpec:
    """A supervisor of two workers, of which a can be reached by its name."""
    members = [trapping(log, "a").replace(name="a"), trapping(log, "b")]
    return Supervisor.child_spec(members, **options).replace(id="team")


async def crash_a() -> None:
    """The inner supervisor's child ends, and everybody does what follows from it."""
    named("a").cast(End("boom"))
    await settle()


@row("SUP-080")
async def an_inner_supervisor_that_gives_up_is_one_crash_for_the_outer(events: Recorder) -> None:
    """differs: the inner one's reason is a Shutdown with the history as its detail."""
    log: list[str] = []
    outer = await start_supervisor(
        [*trapping_ones(log, "x"), team(log, max_restarts=1)], strategy="one_for_one"
    )
    before = await pids(outer)
    inner = await pid_of(outer, "team")
    drain(log)
    await crash_a()
    assert drain(log) == ["terminate a boom", *inits("a")]
    await crash_a()
    assert log == ["terminate a boom", *stops("b"), *inits("ab")]
    assert history(events, inner) == ["+0.000 s  child 'a': 'boom'"] * 2
    after = await pids(outer)
    assert after["x"] is before["x"]
    assert after["team"] not in (None, inner)
    told = [one for one in events.of(ChildEnded) if one.supervisor is outer.pid]
    assert [(one.child_id, one.restarts) for one in told] == [("team", 1)]


@row("SUP-081")
async def a_transient_inner_supervisor_that_gives_up_is_not_restarted(events: Recorder) -> None:
    """differs: the inner one's reason is a Shutdown with the history as its detail."""
    log: list[str] = []
    outer = await start_supervisor([team(log, max_restarts=0).replace(restart="transient")])
    inner = await pid_of(outer, "team")
    drain(log)
    await crash_a()
    assert log == ["terminate a boom", *stops("b")]
    assert history(events, inner) == ["+0.000 s  child 'a': 'boom'"]
    assert await kids(outer) == "team=undefined"


@row("SUP-092")
async def an_inner_supervisor_that_shut_itself_down_is_restarted_if_permanent(
    events: Recorder,
) -> None:
    log: list[str] = []
    last = trapping(log, "a").replace(name="a", restart="transient", significant=True)
    spec = Supervisor.child_spec([last], auto_shutdown="any_significant").replace(id="inner")
    for inner, left, lines in (
        (spec.replace(restart="transient"), "inner=undefined", []),
        (spec.replace(restart="permanent"), "inner=up", inits("a")),
    ):
        outer = await start_supervisor([inner])
        first = await pid_of(outer, "inner")
        drain(log)
        named("a").cast(End(Normal()))
        await settle()
        assert log == ["terminate a normal", *lines]
        assert end_of(events, first) == Shutdown()
        assert await kids(outer) == left
