"""A supervisor that has its ``max_children`` says so to instruments."""

from __future__ import annotations

import pytest
import trio

from runtime import ChildRefused, Node, start
from supervisors import (
    DynamicSupervisor,
    DynamicSupervisorRef,
    MaxChildren,
    TaskSupervisor,
    TaskSupervisorRef,
)
from tests.conftest import Recorder
from tests.supervisors.tree_parts import worker


async def test_a_refused_child_is_told_with_the_supervisor_and_its_limit(
    node: Node, events: Recorder
) -> None:
    spec = DynamicSupervisor.child_spec(max_children=1)
    sup = DynamicSupervisorRef(await start(spec.replace(name="rooms")))
    await sup.start_child(worker([], "a"))
    assert events.of(ChildRefused) == []
    for _ in range(2):
        with pytest.raises(MaxChildren) as caught:
            await sup.start_child(worker([], "b"))
        assert caught.value.limit == 1
    assert events.of(ChildRefused) == [ChildRefused(sup.pid, "rooms", 1)] * 2


async def test_a_refused_task_is_told(node: Node, events: Recorder) -> None:
    tasks = TaskSupervisorRef(await start(TaskSupervisor.child_spec(max_children=0)))
    with pytest.raises(MaxChildren):
        await tasks.start_nolink(trio.sleep, 1)
    assert events.of(ChildRefused) == [ChildRefused(tasks.pid, None, 0)]
