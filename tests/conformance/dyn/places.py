"""Rows of DYN about ``max_children``: who takes a place, and when it is free again."""

from __future__ import annotations

import pytest
import trio

from runtime import Stop
from supervisors import DynamicSupervisorRef, MaxChildren
from tests.conformance.dyn.parts import CLEAN, EACH_SECOND, once, replaced
from tests.conformance.scenarios import row
from tests.supervisors.dynamic_parts import (
    counts,
    ended,
    kill_and_see,
    rows,
    start_dynamic,
    temporary,
)
from tests.supervisors.tree_parts import settle, worker


async def is_full(supervisor: DynamicSupervisorRef, limit: int) -> None:
    """One more child is refused, and nothing of it runs."""
    log: list[str] = []
    with pytest.raises(MaxChildren) as caught:
        await supervisor.start_child(worker(log, "late"))
    assert caught.value.limit == limit
    assert log == []


@row("DYN-005")
async def one_child_too_many_is_refused_before_it_starts() -> None:
    sup, log = await start_dynamic(max_children=3), list[str]()
    for tag in "abc":
        await sup.start_child(worker(log, tag))
    await is_full(sup, 3)
    assert log == ["init a", "init b", "init c"]
    assert await counts(sup) == (3, 3, 0, 3)


@row("DYN-006")
async def with_no_place_at_all_every_start_is_refused() -> None:
    sup = await start_dynamic(max_children=0)
    await is_full(sup, 0)


@row("DYN-007")
async def a_terminated_child_frees_its_place() -> None:
    sup = await start_dynamic(max_children=1)
    child = await sup.start_child(worker([], "a"))
    await is_full(sup, 1)
    await sup.terminate_child(child)
    await sup.start_child(worker([], "b"))
    assert await rows(sup) == [("b", "running")]


@row("DYN-008")
async def a_child_that_has_ended_for_good_frees_its_place() -> None:
    sup = await start_dynamic(max_children=1)
    for reason in [*CLEAN, "boom"]:
        await ended(await sup.start_child(temporary([], "a")), reason)
    for reason in CLEAN:
        spec = worker([], "a").replace(restart="transient")
        await ended(await sup.start_child(spec), reason)
    await sup.start_child(worker([], "last"))
    assert await rows(sup) == [("last", "running")]


@row("DYN-009")
async def a_restarted_child_keeps_its_place() -> None:
    sup = await start_dynamic(max_children=1)
    first = await sup.start_child(worker([], "a"))
    await ended(first, "boom")
    await replaced(sup, first)
    await is_full(sup, 1)


@row("DYN-010")
async def a_child_whose_restart_keeps_failing_keeps_its_place() -> None:
    sup = await start_dynamic(max_children=1, max_restarts=100, backoff=EACH_SECOND)
    log: list[str] = []
    await kill_and_see(await sup.start_child(worker(log, "a", begin=once(Stop("no")))))
    for attempts in range(5):
        assert log == ["init a"] * (1 + attempts)
        assert await rows(sup) == [("a", "restarting")]
        await is_full(sup, 1)
        await trio.sleep(1)
        await settle()
