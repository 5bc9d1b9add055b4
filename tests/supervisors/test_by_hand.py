"""``by_hand``: a child stopped and started anew because somebody says so."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from runtime import ChildEnded, GenServer, Node, child_spec, named, spawn, whereis
from runtime.console.acts import NotDone
from runtime.console.finding import process_of
from supervisors import (
    DynamicSupervisor,
    DynamicSupervisorRef,
    PartitionSupervisor,
    open_supervisor,
)
from supervisors.by_hand import restart_by_hand
from tests.conftest import Recorder


class Idle(GenServer):
    """Does nothing."""


IDLE = Idle.child_spec().replace(name="idle")


async def test_a_child_of_a_supervisor_is_started_anew_and_not_counted(
    node: Node, events: Recorder
) -> None:
    async with open_supervisor([IDLE], max_restarts=0):
        before = named("idle").pid
        done = await restart_by_hand(process_of("idle"))
        after = named("idle").pid
        assert after is not before
        assert done == f"restarted idle ({before.number}), it is {after.number} now"
    assert [one for one in events if isinstance(one, ChildEnded)] == []


async def test_a_child_of_a_dynamic_supervisor_is_ended_for_it_to_start_anew(node: Node) -> None:
    spec = DynamicSupervisor.child_spec().replace(name="dynamic")
    async with open_supervisor([spec]):
        await DynamicSupervisorRef("dynamic").start_child(IDLE)
        before, supervisor = named("idle").pid, named("dynamic").pid
        done = await restart_by_hand(process_of("idle"))
        assert done == (
            f"told idle ({before.number}) to end, "
            f"for dynamic ({supervisor.number}) to start it anew"
        )
        await trio.testing.wait_all_tasks_blocked()
        assert whereis("idle") not in (None, before)


async def test_a_partition_is_started_anew(node: Node) -> None:
    spec = PartitionSupervisor.child_spec(Idle, partitions=1).replace(name="parts")
    async with open_supervisor([spec]):
        before = process_of("Idle")
        await restart_by_hand(before)
        assert process_of("Idle") is not before


async def test_a_temporary_child_is_left_alone(node: Node) -> None:
    specs = [IDLE.replace(restart="temporary"), DynamicSupervisor.child_spec().replace(name="d")]
    async with open_supervisor(specs):
        other = IDLE.replace(restart="temporary", name="other")
        await DynamicSupervisorRef("d").start_child(other)
        for name in ("idle", "other"):
            before = whereis(name)
            with pytest.raises(NotDone, match=r"\) is temporary: its supervisor would not start"):
                await restart_by_hand(process_of(name))
            assert whereis(name) is before


async def test_what_has_no_supervisor_is_left_alone(node: Node) -> None:
    async with open_supervisor([child_spec(trio.sleep_forever)], name="root"):
        spawn(trio.sleep_forever, name="alone")
        for name in ("root", "alone"):
            with pytest.raises(NotDone, match=r"has no supervisor that could start it anew$"):
                await restart_by_hand(process_of(name))
            assert whereis(name) is not None
