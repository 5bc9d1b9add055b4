"""The table of a dynamic supervisor's children, and a model of it."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
import trio

from runtime import ChildSpec, Node, Pid, spawn
from runtime.current import find_process
from runtime.process import Process
from supervisors import ChildCounts, Supervisor
from supervisors.dynamic_children import DynamicChild, DynamicChildren
from tests.supervisors.tree_parts import worker


@pytest.fixture
async def some(node: Node) -> list[Process]:
    """Processes to stand in the table."""
    found = [find_process(spawn(trio.sleep_forever)) for _ in range(40)]
    return [process for process in found if process is not None]


def up(children: DynamicChildren, process: Process, spec: ChildSpec | None = None) -> DynamicChild:
    """A child that is up as this process."""
    child = DynamicChild(spec or worker([], "a"))
    child.process, child.status = process, "running"
    children.add(child, process)
    children.is_up(child, process)
    return child


def ended(children: DynamicChildren, child: DynamicChild) -> None:
    """Its process has ended."""
    assert child.process is not None
    children.is_down(child.process)
    child.process, child.status = None, "restarting"


def starts_again(children: DynamicChildren, child: DynamicChild, process: Process) -> None:
    """A restart has begun."""
    child.process, child.status = process, "starting"
    children.starts_again(child, process)


async def test_an_empty_table(some: list[Process]) -> None:
    children = DynamicChildren()
    assert len(children) == 0
    assert list(children) == []
    assert children.find(some[0].pid) is None
    assert children.count() == ChildCounts(0, 0, 0, 0)


async def test_rows_stand_in_start_order_and_are_found_by_pid(some: list[Process]) -> None:
    children = DynamicChildren()
    rows = [up(children, process) for process in some[:3]]
    assert list(children) == rows
    assert [children.find(process.pid) for process in some[:4]] == [*rows, None]


async def test_it_can_be_changed_while_it_is_gone_through(some: list[Process]) -> None:
    children = DynamicChildren()
    for process in some[:3]:
        up(children, process)
    for child in children:
        children.remove(child)
    assert len(children) == 0


async def test_a_child_that_starts_again_is_known_by_either_pid_and_keeps_its_place(
    some: list[Process],
) -> None:
    children = DynamicChildren()
    one, two = up(children, some[0]), up(children, some[1])
    ended(children, one)
    assert children.find(some[0].pid) is one
    starts_again(children, one, some[2])
    assert children.find(some[0].pid) is children.find(some[2].pid) is one
    assert list(children) == [one, two]


async def test_once_it_is_up_it_is_known_by_the_new_pid_alone_and_stands_last(
    some: list[Process],
) -> None:
    children = DynamicChildren()
    one, two = up(children, some[0]), up(children, some[1])
    ended(children, one)
    starts_again(children, one, some[2])
    children.is_up(one, some[2])
    assert children.find(some[0].pid) is None
    assert children.find(some[2].pid) is one
    assert list(children) == [two, one]


async def test_a_restart_that_ends_before_it_is_up_is_known_by_its_old_pid_again(
    some: list[Process],
) -> None:
    children = DynamicChildren()
    one = up(children, some[0])
    ended(children, one)
    starts_again(children, one, some[1])
    ended(children, one)
    assert children.find(some[0].pid) is one
    assert children.find(some[1].pid) is None


async def test_one_that_was_never_added_can_be_removed(some: list[Process]) -> None:
    children = DynamicChildren()
    children.remove(DynamicChild(worker([], "a")))
    one = up(children, some[0])
    children.remove(one)
    children.remove(one)
    assert len(children) == 0


async def test_rows_are_counted_by_status_and_type(some: list[Process]) -> None:
    children = DynamicChildren()
    one = up(children, some[0])
    up(children, some[1])
    up(children, some[2], Supervisor.child_spec([]))
    ended(children, one)
    assert children.count() == ChildCounts(specs=3, active=2, supervisors=1, workers=2)


def test_a_child_nobody_waits_for_is_not_given_up() -> None:
    assert not DynamicChild(worker([], "a")).given_up


@pytest.mark.parametrize("seed", range(20))
async def test_any_sequence_of_events_agrees_with_a_list(some: list[Process], seed: int) -> None:
    """The model: a list of children in start order, each with the pids it answers to."""
    chance = random.Random(seed)
    children, model = DynamicChildren(), list[tuple[DynamicChild, list[Pid]]]()
    fresh: Iterator[Process] = iter(some)
    for process in fresh:
        event = chance.choice(["start", "start", "end", "again", "up", "remove"])
        row = chance.choice(model) if model else None
        if event == "start" or row is None:
            model.append((up(children, process), [process.pid]))
            continue
        child, known = row
        if event == "end" and child.process is not None:
            if child.status == "starting":
                known.remove(child.process.pid)
            ended(children, child)
        elif event == "again" and child.process is None:
            starts_again(children, child, process)
            known.append(process.pid)
        elif event == "up" and child.status == "starting" and child.process is not None:
            children.is_up(child, child.process)
            child.status = "running"
            model.remove(row)
            model.append((child, [child.process.pid]))
        elif event == "remove" and child.status != "starting":
            children.remove(child)
            model.remove(row)
        assert list(children) == [child for child, _ in model]
        for one in some:
            owner = next((child for child, pids in model if one.pid in pids), None)
            assert children.find(one.pid) is owner
