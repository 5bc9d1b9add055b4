"""Significant children and auto_shutdown."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from runtime import (
    ChildEnded,
    ChildSpec,
    ExitReason,
    Ignore,
    Node,
    Normal,
    Shutdown,
    StartFailed,
    is_alive,
    named,
    wait_exit,
)
from supervisors import Backoff, Supervisor
from tests.conftest import Recorder
from tests.supervisors.tree_parts import (
    End,
    crash,
    drain,
    end,
    kids,
    kill_child,
    settle,
    start_supervisor,
    worker,
    workers,
)
from tests.support import end_of

CLEAN: list[ExitReason] = [Normal(), Shutdown(), Shutdown("x")]


def significant(log: list[str], tag: str, restart: Any = "transient", **how: Any) -> ChildSpec:
    return worker(log, tag, **how).replace(restart=restart, significant=True)


@pytest.mark.parametrize("reason", CLEAN)
async def test_any_significant_child_that_is_done_ends_the_supervisor(
    node: Node, events: Recorder, reason: ExitReason
) -> None:
    """SUP-082: its siblings are stopped in reverse, it ends with Shutdown."""
    log: list[str] = []
    sup = await start_supervisor(
        [worker(log, "a"), significant(log, "s"), worker(log, "b"), worker(log, "c")],
        auto_shutdown="any_significant",
    )
    root = sup.pid
    drain(log)
    await end(sup, "s", reason)
    assert drain(log)[1:] == [
        "terminate c shutdown",
        "terminate b shutdown",
        "terminate a shutdown",
    ]
    assert end_of(events, root) == Shutdown()
    assert [one.action for one in events.of(ChildEnded)] == ["shut down: it was significant"]


@pytest.mark.parametrize("mode", ["any_significant", "all_significant"])
async def test_a_significant_transient_child_that_crashes_is_just_restarted(
    node: Node, mode: str
) -> None:
    """SUP-083."""
    log: list[str] = []
    sup = await start_supervisor([significant(log, "s")], auto_shutdown=mode)
    await crash(sup, "s")
    await kill_child(sup, "s")
    assert await kids(sup) == "s=up"


@pytest.mark.parametrize("mode", ["any_significant", "all_significant"])
async def test_the_end_of_an_ordinary_child_is_nothing(node: Node, mode: str) -> None:
    """SUP-085."""
    log: list[str] = []
    sup = await start_supervisor(
        [significant(log, "s"), worker(log, "t").replace(restart="transient")], auto_shutdown=mode
    )
    await end(sup, "t", Normal())
    assert await kids(sup) == "t=undefined s=up"


async def test_all_significant_waits_for_the_last_of_them(node: Node, events: Recorder) -> None:
    """SUP-086."""
    log: list[str] = []
    sup = await start_supervisor(
        [significant(log, "s"), worker(log, "a"), significant(log, "t", "temporary")],
        auto_shutdown="all_significant",
    )
    root = sup.pid
    await end(sup, "s", Normal())
    assert await kids(sup) == "t=up a=up s=undefined"
    await end(sup, "t", "boom")
    assert end_of(events, root) == Shutdown()


async def test_a_significant_child_that_is_being_restarted_has_not_ended(node: Node) -> None:
    log: list[str] = []
    sup = await start_supervisor(
        [significant(log, "s"), significant(log, "t")],
        auto_shutdown="all_significant",
        backoff=Backoff(1.0, 1.0, jitter=0.0),
    )
    await crash(sup, "s")
    await end(sup, "t", Normal())
    assert await kids(sup) == "t=undefined s=undefined"
    await trio.sleep(2)
    assert await kids(sup) == "t=undefined s=up"
    await end(sup, "s", Normal())
    assert not is_alive(sup)


@pytest.mark.parametrize("mode", ["any_significant", "all_significant"])
async def test_a_significant_child_ended_by_request_ends_nothing(node: Node, mode: str) -> None:
    """SUP-087."""
    log: list[str] = []
    sup = await start_supervisor([significant(log, "s")], auto_shutdown=mode)
    await sup.terminate_child("s")
    await settle()
    assert await kids(sup) == "s=undefined"


async def test_one_that_was_ignored_counts_as_ended_too(node: Node) -> None:
    log: list[str] = []
    sup = await start_supervisor(
        [significant(log, "s", begin=Ignore), significant(log, "t")],
        auto_shutdown="all_significant",
    )
    await end(sup, "t", Normal())
    assert not is_alive(sup)


@pytest.mark.parametrize("mode", ["any_significant", "all_significant"])
async def test_a_group_restart_is_no_end_of_a_significant_member(node: Node, mode: str) -> None:
    """SUP-089: the temporary one is dropped, the transient one restarted."""
    log: list[str] = []
    sup = await start_supervisor(
        [significant(log, "s"), significant(log, "x", "temporary"), worker(log, "p")],
        strategy="one_for_all",
        auto_shutdown=mode,
    )
    await crash(sup, "p")
    assert await kids(sup) == "p=up s=up"


@pytest.mark.parametrize("restart", ["transient", "temporary"])
async def test_a_significant_child_under_never_is_refused(node: Node, restart: str) -> None:
    """SUP-090: in the list and in start_child."""
    spec = significant([], "s", restart)
    with pytest.raises(ValueError, match=r"significant of child 's': .*auto_shutdown is 'never'"):
        Supervisor.child_spec([spec])
    sup = await start_supervisor(workers([], "a"))
    with pytest.raises(ValueError, match=r"significant of child 's': .*auto_shutdown is 'never'"):
        await sup.start_child(spec)
    assert await kids(sup) == "a=up"


@pytest.mark.parametrize("auto_shutdown", ["never", "any_significant", "all_significant"])
def test_a_significant_permanent_child_is_refused(auto_shutdown: str) -> None:
    """SUP-090."""
    with pytest.raises(ValueError, match="significant: a permanent child is always restarted"):
        significant([], "s", "permanent")


async def test_a_significant_child_that_did_not_start_ends_nothing(node: Node) -> None:
    log: list[str] = []
    sup = await start_supervisor(workers(log, "a"), auto_shutdown="any_significant")
    with pytest.raises(StartFailed):
        await sup.start_child(significant(log, "s", begin=lambda: "junk"))
    assert await kids(sup) == "a=up"


async def test_a_significant_inner_supervisor_ends_the_outer_one(
    node: Node, events: Recorder
) -> None:
    """The end goes up as far as it is significant."""
    log: list[str] = []
    inner = Supervisor.child_spec(
        [significant(log, "s").replace(name="s")], auto_shutdown="any_significant"
    ).replace(id="inner", restart="transient", significant=True)
    outer = await start_supervisor([worker(log, "a"), inner], auto_shutdown="all_significant")

    root = outer.pid
    named("s").cast(End(Normal()))
    assert await wait_exit(root) == Shutdown()
    assert log == ["init a", "init s", "terminate s normal", "terminate a shutdown"]
