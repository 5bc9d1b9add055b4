"""The living children of one supervisor."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import trio

from runtime import AlreadyStarted, Ignore, Ignored, Killed, Node, Restart, StartFailed, Stop, start
from runtime.current import current_table, find_process
from runtime.pid import Pid
from runtime.spawning import FunctionBody, spawn_process
from runtime.stops import stop_process
from supervisors import ChildInfo
from supervisors.children import Child
from supervisors.family import Family, failure_reason
from supervisors.requests import Ticket
from tests.supervisors.tree_parts import begin_after, settle, worker


@pytest.fixture
async def family(node: Node) -> AsyncIterator[Family]:
    """A family whose owner does nothing by itself: it traps exits and never looks."""
    table = current_table()
    owner = spawn_process(table, FunctionBody(trio.sleep_forever), label="owner")
    owner.trap = "all"
    async with trio.open_nursery() as nursery:
        family = Family(owner, nursery)
        yield family
        await family.stop_all()
    await stop_process(owner, table.owner, "brutal_kill")


async def test_a_started_child_is_running_and_a_child_of_its_owner(family: Family) -> None:
    row = Child(worker([], "a"))
    assert await family.start_new(row) is None
    assert row.status == "running"
    assert row.process is not None
    assert row.process.parent is family.owner.pid


async def test_the_ticket_knows_what_was_started_for_it(family: Family) -> None:
    row, ticket = Child(worker([], "a")), Ticket()
    await family.start_new(row, ticket)
    assert ticket.process is row.process


async def test_what_does_not_start_is_returned_and_forgotten(family: Family) -> None:
    error = await family.start_new(Child(worker([], "a", begin=lambda: Stop("no"))))
    assert isinstance(error, StartFailed)
    assert failure_reason(error) == "no"
    assert family.rows.ids() == []


async def test_a_restart_that_does_not_start_keeps_its_row(family: Family) -> None:
    row = Child(worker([], "a", begin=lambda: Stop("no")))
    family.rows.add(row)
    assert isinstance(await family.start(row), StartFailed)
    assert (row.status, row.process, family.rows.ids()) == ("stopped", None, ["a"])


async def test_a_taken_name_is_its_own_reason(family: Family) -> None:
    await start(worker([], "x").replace(name="clerk"))
    error = await family.start_new(Child(worker([], "a").replace(name="clerk")))
    assert isinstance(error, AlreadyStarted)
    assert failure_reason(error) is error
    assert family.rows.ids() == []


@pytest.mark.parametrize(("restart", "left"), [("permanent", ["a"]), ("temporary", [])])
async def test_an_ignored_child_keeps_its_row_unless_temporary(
    family: Family, restart: Restart, left: list[str]
) -> None:
    """SUP-011."""
    spec = worker([], "a", begin=Ignore).replace(restart=restart)
    assert isinstance(await family.start_new(Child(spec)), Ignored)
    assert family.rows.ids() == left


async def test_the_end_of_a_living_child_is_not_believed(family: Family) -> None:
    """SUP-077: its pid in an Exit proves nothing."""
    row = Child(worker([], "a"))
    await family.start_new(row)
    assert row.process is not None
    pid = row.process.pid
    assert not family.ended(row, pid)
    row.process.kill()
    await settle()
    assert family.ended(row, pid)
    assert row.info() == ChildInfo("a", None, "stopped", "worker", "Worker")
    assert not family.ended(row, pid)


async def test_the_end_of_its_predecessor_is_no_end_of_a_child(family: Family) -> None:
    row = Child(worker([], "a"))
    await family.start_new(row)
    assert not family.ended(row, Pid(99, "x"))
    assert row.status == "running"


async def test_a_group_comes_in_start_order_whatever_the_order_of_its_ids(family: Family) -> None:
    for tag in "abc":
        await family.start_new(Child(worker([], tag)))
    assert [row.spec.id for row in family.group(["c", "a"])] == ["a", "c"]


async def test_a_stopped_group_returns_what_can_be_started_again(family: Family) -> None:
    log: list[str] = []
    kinds: list[tuple[str, Restart]] = [("a", "permanent"), ("t", "temporary"), ("c", "transient")]
    for tag, restart in kinds:
        await family.start_new(Child(worker(log, tag).replace(restart=restart)))
    again = await family.stop_group(family.rows)
    assert [row.spec.id for row in again] == ["a", "c"]
    assert family.rows.ids() == ["a", "c"]
    assert log[3:] == [f"terminate {tag} shutdown" for tag in "cta"]


async def test_a_forgotten_child_is_stopped_and_gone(family: Family) -> None:
    log: list[str] = []
    row = Child(worker(log, "a"))
    await family.start_new(row)
    await family.forget(row)
    assert (log, family.rows.ids()) == (["init a", "terminate a shutdown"], [])


async def test_a_start_that_is_cancelled_leaves_the_row_for_whoever_ends_the_family(
    family: Family,
) -> None:
    row = Child(worker([], "a", begin=begin_after(60)))
    with trio.move_on_after(1) as patience:
        await family.start_new(row)
    assert patience.cancelled_caught
    assert row.status == "starting"
    assert row.process is not None
    assert find_process(row.process.pid) is row.process


async def test_nothing_is_started_when_cancelled(family: Family) -> None:
    """A supervisor that ends starts nothing."""
    row = Child(worker([], "a"))
    with trio.CancelScope() as scope:
        scope.cancel()
        await family.start(row)
    assert scope.cancelled_caught
    assert row.process is None


async def test_the_family_of_a_killed_owner_is_stopped_all_at_once(family: Family) -> None:
    """SUP-078."""
    log: list[str] = []
    for tag in "abc":
        await family.start_new(Child(worker(log, tag, nap=2)))
    processes = [row.process for row in family.rows]
    family.owner.killed = True
    began = trio.current_time()
    await family.stop_all()
    assert trio.current_time() - began == 2
    assert sorted(log[3:6]) == [f"terminate {tag} killed" for tag in "abc"]
    assert [process.exiting for process in processes if process] == [Killed()] * 3
    family.owner.killed = False
