"""Rows of PAR about keys: where they lead, and what happens when nobody is there."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Hashable

import pytest
import trio

from runtime import (
    AlreadyStarted,
    CallExit,
    Crashed,
    NoProcess,
    Pid,
    ProcessNotFound,
    StartFailed,
    self_,
    start,
    via,
    whereis,
)
from supervisors import (
    DynamicSupervisor,
    DynamicSupervisorRef,
    PartitionSupervisor,
    PartitionSupervisorRef,
    TaskSupervisor,
    TaskSupervisorRef,
)
from tests.conformance.scenarios import row
from tests.supervisors.dynamic_parts import pids
from tests.supervisors.partition_parts import (
    Bump,
    Shard,
    Where,
    at,
    kill_partition,
    pid_at,
    start_shards,
)
from tests.supervisors.tree_parts import worker
from tests.support import in_process

TERMS: list[Hashable] = ["alice", "", b"raw", ("user", 1), ("user", (1, 2.5)), 1.5, None, True]


async def start_partitions_of(cls: type[DynamicSupervisor | TaskSupervisor]) -> None:
    """Three of them, under the name ``sups``."""
    await start(PartitionSupervisor.child_spec(cls, partitions=3).replace(name="sups"))


@row("PAR-005")
async def an_integer_leads_to_the_remainder_of_its_absolute_value() -> None:
    await start_shards(3)
    assert [await at(key) for key in (0, 1, 2, 3, 4, 5)] == [0, 1, 2, 0, 1, 2]
    assert [await at(key) for key in (-1, -4)] == [1, 1]


@row("PAR-006")
async def any_other_key_leads_to_the_same_partition_each_time() -> None:
    parts = await start_shards(3)
    first = [await at(key) for key in TERMS]
    assert first == [parts.partition_of(key) for key in TERMS]
    assert set(first) <= {0, 1, 2}
    assert [await at(key) for key in reversed(TERMS)] == first[::-1]
    await parts.stop()
    await start_shards(3)
    assert [await at(key) for key in TERMS] == first


@row("PAR-007")
async def a_hundred_random_keys_give_a_hundred_children() -> None:
    await start_partitions_of(DynamicSupervisor)
    some = random.Random(7)
    started = [
        await DynamicSupervisorRef(via("sups", some.random())).start_child(worker([], "a"))
        for _ in range(100)
    ]
    there = [await pids(DynamicSupervisorRef(via("sups", index))) for index in range(3)]
    found = Counter(pid for partition in there for pid in partition)
    assert found == Counter(child.pid for child in started)
    assert set(found.values()) == {1}
    assert all(there)


@row("PAR-011")
async def partitions_of_nobody() -> None:
    """differs: whereis is None, OTP's exits as partitions and a call do."""
    assert whereis("nobody") is None
    with pytest.raises(ProcessNotFound):
        PartitionSupervisorRef("nobody").partitions()
    with pytest.raises(CallExit) as caught:
        await via("nobody", 1).call(Where())
    assert caught.value.reason == NoProcess()
    assert via("nobody", 1).whereis() is None


@row("PAR-012")
async def a_cast_by_way_of_nobody_is_fine() -> None:
    via("nobody", 1).cast(Bump())


@row("PAR-013")
async def a_partition_is_no_name_for_another_process() -> None:
    log: list[str] = []
    await start_shards(2, child=Shard.child_spec([]).replace(restart="temporary"))
    spec = worker(log, "a").replace(name=via("parts", 1))
    with pytest.raises(AlreadyStarted) as taken:
        await start(spec)
    assert taken.value.pid is pid_at(1)
    await kill_partition(1)
    with pytest.raises(StartFailed) as refused:
        await start(spec)
    assert isinstance(refused.value.reason, Crashed)
    assert "is a partition supervisor, allowed is a Registry" in str(refused.value.__cause__)
    assert log == []
    assert pid_at(1) is None


@row("PAR-019")
async def the_callers_own_pid_chooses_a_supervisor() -> None:
    await start_partitions_of(DynamicSupervisor)
    await in_process(use_dynamic_supervisors)
    await PartitionSupervisorRef("sups").stop()
    await start_partitions_of(TaskSupervisor)
    await in_process(use_task_supervisors)


def chosen(children: Collection[Pid | None]) -> list[list[Pid | None]]:
    """These children, in the partition that the own pid leads to, and none in the others."""
    mine = PartitionSupervisorRef("sups").partition_of(self_())
    return [list(children) if index == mine else [] for index in range(3)]


async def use_dynamic_supervisors() -> None:
    """Start children by the own pid."""
    sup = DynamicSupervisorRef(via("sups", self_()))
    started = [await sup.start_child(worker([], "a")) for _ in range(3)]
    there = [await pids(DynamicSupervisorRef(via("sups", index))) for index in range(3)]
    assert there == chosen([child.pid for child in started])


async def use_task_supervisors() -> None:
    """Start tasks by the own pid, and have their results."""

    async def double(number: int) -> int:
        await trio.sleep(1)
        return 2 * number

    tasks = TaskSupervisorRef(via("sups", self_()))
    started = [await tasks.start(double, number) for number in range(3)]
    there = [await TaskSupervisorRef(via("sups", index)).children() for index in range(3)]
    assert there == chosen([task.pid for task in reversed(started)])
    assert [await task.result() for task in started] == [0, 2, 4]
