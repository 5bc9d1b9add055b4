"""What looks after a node beside the tree: when it comes, when it goes, whom it never touches."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
import trio
import trio.testing

from runtime import (
    ChildSpec,
    Event,
    Instrument,
    Node,
    ProcessEnded,
    ProcessStarted,
    StartError,
    WatchdogLimits,
    child_spec,
    kill,
    named,
    open_node,
    processes,
    spawn,
    whereis,
)
from supervisors import SupervisorRef, open_supervisor
from supervisors.open_supervisor import OpenSupervisor, root_spec
from supervisors.operations import NAME, Operations, watchdog_specs
from tests.support import captured_logs


@pytest.fixture
def logs() -> Iterator[list[Any]]:
    with captured_logs() as lines:
        yield lines


class Comings:
    """Who came and who went, by name."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.instrument = Instrument(self._note, (ProcessStarted, ProcessEnded))

    def _note(self, event: Event) -> None:
        assert isinstance(event, ProcessStarted | ProcessEnded)
        sign = "+" if isinstance(event, ProcessStarted) else "-"
        self.log.append(f"{sign}{event.name}")


def tree(*children: ChildSpec) -> ChildSpec:
    return root_spec(
        children, name="shop", strategy="one_for_one", max_restarts=3, max_seconds=5.0,
        auto_shutdown="never", backoff=None,
    )  # fmt: skip


def helper(name: str = "helper") -> ChildSpec:
    return child_spec(trio.sleep_forever).replace(name=name)


async def test_they_start_before_the_tree_and_stop_after_it() -> None:
    comings = Comings()
    async with OpenSupervisor(tree(helper("a")), [comings.instrument], [helper("x"), helper("y")]):
        assert whereis(NAME) is not None
    assert comings.log == [
        "+otp", "+x", "+y", "+a", "+shop", "-a", "-shop", "-y", "-x", "-otp",
    ]  # fmt: skip


async def test_in_an_open_node_they_stop_with_the_block(node: Node) -> None:
    async with open_supervisor([], watchdog=True):
        assert whereis("otp.watchdog") is not None
    assert processes() == []


async def test_without_any_there_is_no_supervisor_for_them(node: Node) -> None:
    async with open_supervisor([], name="shop"):
        assert [pid.label for pid in processes()] == ["shop"]


async def test_a_block_inside_another_has_none_of_its_own(node: Node) -> None:
    async with open_supervisor([], watchdog=True):
        outer = whereis("otp.watchdog")
        async with open_supervisor([], watchdog=True):
            assert whereis("otp.watchdog") is outer
        assert whereis("otp.watchdog") is outer


async def test_one_that_does_not_start_is_logged_and_the_others_run(
    node: Node, logs: list[Any]
) -> None:
    async def broken(task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        raise ValueError("no disk")

    async with OpenSupervisor(tree(helper("a")), None, [child_spec(broken), helper("x")]):
        assert whereis("a") is not None
        assert whereis("x") is not None
    (line,) = [line for line in logs if line["log_level"] == "error"]
    assert line.pop("error") == "no disk"
    assert line == {
        "event": "not started, the service goes on without it",
        "child": "broken",
        "log_level": "error",
    }


async def test_one_that_is_never_up_is_given_up(node: Node, logs: list[Any]) -> None:
    async def slow(task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        await trio.sleep_forever()

    began = trio.current_time()
    async with OpenSupervisor(tree(helper("a")), None, [child_spec(slow), helper("x")]):
        assert trio.current_time() - began == 5.0
        assert sorted(map(str, (pid.label for pid in processes()))) == ["a", "otp", "shop", "x"]
    assert [line["error"] for line in logs if line["log_level"] == "error"] == [
        "it was not up within 5 s"
    ]


async def test_one_that_crashes_is_restarted_and_what_gives_up_touches_nobody(
    node: Node, logs: list[Any]
) -> None:
    async with OpenSupervisor(tree(helper("a")), None, [helper("x")]):
        before = (whereis("a"), whereis("shop"))
        for _ in range(3):
            kill(named("x"))
            await trio.testing.wait_all_tasks_blocked()
            assert whereis("x") is not None
        kill(named("x"))
        await trio.testing.wait_all_tasks_blocked()
        assert (whereis("x"), whereis(NAME)) == (None, None)
        assert (whereis("a"), whereis("shop")) == before


async def test_their_supervisor_can_be_killed(node: Node) -> None:
    async with OpenSupervisor(tree(helper("a")), None, [helper("x")]) as shop:
        kill(named(NAME))
        await trio.testing.wait_all_tasks_blocked()
        assert whereis("x") is None
        assert len(await shop.which_children()) == 1


async def test_a_tree_that_does_not_start_leaves_none_of_them(node: Node) -> None:
    async def broken(task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        raise ValueError("no disk")

    with pytest.raises(StartError):
        async with OpenSupervisor(tree(child_spec(broken)), None, [helper("x")]):
            pytest.fail("it is not up")
    assert processes() == []


async def test_a_block_that_is_cancelled_before_they_are_up_leaves_none(node: Node) -> None:
    async def slow(task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        await trio.sleep_forever()

    with trio.move_on_after(1) as scope:
        async with OpenSupervisor(tree(), None, [helper("x"), child_spec(slow)]):
            pytest.fail("it is not up")
    assert scope.cancelled_caught
    assert processes() == []


async def test_a_block_that_is_cancelled_already_starts_none(node: Node) -> None:
    comings = Comings()
    node.instruments.add(comings.instrument)
    with trio.CancelScope() as scope:
        scope.cancel()
        async with Operations([helper("x")]):
            pytest.fail("it is not up")
    assert comings.log == []


async def test_the_tree_of_a_process_is_stopped_by_that_process_and_they_with_it() -> None:
    """Also when it is the node that ends."""
    comings = Comings()

    async def keeper() -> None:
        async with OpenSupervisor(tree(helper("a")), None, [helper("x")]):
            await trio.sleep_forever()

    async with open_node(instruments=[comings.instrument]):
        spawn(keeper, name="keeper")
        await trio.testing.wait_all_tasks_blocked()
    assert comings.log[-5:] == ["-a", "-shop", "-x", "-otp", "-keeper"]


async def test_what_happens_to_them_is_seen_in_the_tree_of_processes(node: Node) -> None:
    async with open_supervisor([], watchdog=WatchdogLimits(every=0.5)):
        children = await SupervisorRef(named(NAME)).which_children()
        assert [(child.id, child.behaviour) for child in children] == [("otp.watchdog", "Watchdog")]


@pytest.mark.parametrize("watchdog", [None, 1, "yes", 0.2])
def test_what_is_no_watchdog_is_refused(watchdog: Any) -> None:
    with pytest.raises(TypeError) as refused:
        open_supervisor([], watchdog=watchdog)
    assert str(refused.value) == (
        f"watchdog: got {watchdog!r}, allowed are True, False and WatchdogLimits(...)"
    )


def test_the_limits_go_to_the_watchdog() -> None:
    limits = WatchdogLimits(mailbox=math.inf)
    assert watchdog_specs(False) == []
    assert [spec.args for spec in watchdog_specs(limits)] == [(limits,)]
    assert [spec.args for spec in watchdog_specs(True)] == [(WatchdogLimits(),)]
