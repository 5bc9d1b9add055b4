"""Rows of SUP about a restart that does not succeed at once."""

from __future__ import annotations

import pytest
import trio

from runtime import ChildEnded, Ignore, is_alive
from supervisors import ChildInfo, ChildRestarting
from tests.conformance.scenarios import row
from tests.conformance.sup.parts import (
    FailsOnce,
    history,
    inits,
    pids,
    stops,
    trapping,
    trapping_ones,
)
from tests.conftest import Recorder
from tests.supervisors.tree_parts import (
    Flaky,
    crash,
    drain,
    kids,
    settle,
    start_supervisor,
    worker,
)


@row("SUP-041")
async def a_restart_that_fails_is_tried_again_at_once_and_counts(events: Recorder) -> None:
    flaky = Flaky(failures=2)
    sup = await start_supervisor([worker([], "a", begin=flaky)], max_restarts=3)
    began = trio.current_time()
    await crash(sup, "a")
    assert (flaky.attempts, await kids(sup)) == (1 + 3, "a=up")
    assert trio.current_time() == began
    assert [one.restarts for one in events.of(ChildEnded)] == [1, 2, 3]
    await crash(sup, "a")
    assert not is_alive(sup)
    slow = await start_supervisor([worker([], "b", begin=FailsOnce())])
    await crash(slow, "b")
    between = await slow.which_children()
    assert between == [ChildInfo("b", None, "restarting", "worker", "Worker")]
    await settle()
    assert await kids(slow) == "b=up"


@row("SUP-042")
async def a_restart_that_never_succeeds_uses_up_all_attempts(events: Recorder) -> None:
    """differs: the supervisor's reason is a Shutdown with the history as its detail."""
    log: list[str] = []
    flaky = Flaky(failures=100)
    sup = await start_supervisor(
        [trapping(log, "a"), trapping(log, "f", begin=flaky), trapping(log, "b")], max_restarts=3
    )
    root = sup.pid
    drain(log)
    await crash(sup, "f")
    assert log == ["terminate f boom", *inits("fff"), *stops("ba")]
    assert history(events, root) == [
        "+0.000 s  child 'f': 'boom'",
        *["+0.000 s  child 'f': crashed: RuntimeError('no luck')"] * 3,
    ]


@row("SUP-043")
async def one_for_all_starts_the_group_anew_when_a_member_fails() -> None:
    log: list[str] = []
    sup = await start_supervisor(
        [trapping(log, "a"), trapping(log, "b", begin=Flaky(failures=1)), trapping(log, "c")],
        strategy="one_for_all",
    )
    drain(log)
    await crash(sup, "c")
    assert log == [
        "terminate c boom", *stops("ba"), *inits("ab"),
        *stops("a"), *inits("abc"),
    ]  # fmt: skip
    assert await kids(sup) == "c=up b=up a=up"


@row("SUP-044")
async def rest_for_one_goes_on_from_the_member_that_failed() -> None:
    log: list[str] = []
    sup = await start_supervisor(
        [trapping(log, "a"), trapping(log, "b", begin=Flaky(failures=1)), trapping(log, "c")],
        strategy="rest_for_one",
    )
    drain(log)
    await crash(sup, "a")
    assert log == ["terminate a boom", *stops("cb"), *inits("ab"), *inits("bc")]
    assert await kids(sup) == "c=up b=up a=up"


@row("SUP-045")
async def a_restart_that_is_ignored_leaves_the_slot_empty() -> None:
    log: list[str] = []
    results = iter([None, Ignore()])
    sup = await start_supervisor(
        [trapping(log, "a", begin=lambda: next(results)), *trapping_ones(log, "b")]
    )
    before = await pids(sup)
    drain(log)
    await crash(sup, "a")
    await trio.sleep(10)
    assert log == ["terminate a boom", *inits("a")]
    assert await pids(sup) == {"b": before["b"], "a": None}


@row("SUP-046")
async def a_child_that_is_being_restarted_is_neither_restarted_nor_deleted_by_hand() -> None:
    attempt = FailsOnce()
    sup = await start_supervisor([worker([], "a", begin=attempt)])
    await crash(sup, "a")

    async def refused(request: str) -> None:
        with pytest.raises(ChildRestarting) as caught:
            await getattr(sup, request)("a")
        assert caught.value.child_id == "a"

    async with trio.open_nursery() as nursery:
        nursery.start_soon(refused, "restart_child")
        nursery.start_soon(refused, "delete_child")
    await settle()
    assert (attempt.attempts, await kids(sup)) == (3, "a=up")


@row("SUP-047")
async def terminating_a_child_that_is_being_restarted_calls_the_restart_off() -> None:
    attempt = FailsOnce()
    sup = await start_supervisor([worker([], "a", begin=attempt)])
    await crash(sup, "a")
    await sup.terminate_child("a")
    await trio.sleep(10)
    assert attempt.attempts == 2
    assert await sup.which_children() == [ChildInfo("a", None, "stopped", "worker", "Worker")]
