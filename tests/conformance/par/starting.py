"""Rows of PAR about the start: how many partitions, their arguments, name and spec."""

from __future__ import annotations

import os
from typing import Any

import pytest

from runtime import (
    AlreadyStarted,
    Registry,
    Shutdown,
    StartFailed,
    Stop,
    Via,
    is_alive,
    start,
    via,
    whereis,
)
from supervisors import (
    ChildCounts,
    ChildInfo,
    DynamicSupervisor,
    FailedToStartChild,
    PartitionSupervisor,
    PartitionSupervisorRef,
)
from tests.conformance.scenarios import row
from tests.supervisors.partition_parts import Shard, Where, at, pid_at, start_shards, with_index

PREPARE: Any = PartitionSupervisor.child_spec
"""Untyped, to be given what the checkers would refuse."""


@row("PAR-001")
async def as_many_partitions_as_asked_for_or_as_there_are_cores() -> None:
    log: list[str] = []
    parts = await start_shards(4, log)
    assert log == ["init 0", "init 1", "init 2", "init 3"]
    assert [one.id for one in await parts.which_children()] == [3, 2, 1, 0]
    assert whereis("parts") is parts.pid
    await parts.stop()
    with pytest.MonkeyPatch.context() as machine:
        machine.setattr(os, "sched_getaffinity", lambda _pid: {0, 2, 5}, raising=False)
        parts = await start_shards(None)
    assert parts.partitions() == 3
    assert await parts.count_children() == ChildCounts(3, 3, 0, 3)


@row("PAR-002")
async def what_is_missing_or_wrong_is_refused_in_the_caller() -> None:
    """differs: a name may be missing, for a handle leads there as well."""
    child = Shard.child_spec([], 7)
    parts = PartitionSupervisorRef(await start(PREPARE(child, partitions=2)))
    assert parts.partitions() == 2
    assert await via(parts, 1).call(Where()) == 7
    with pytest.raises(TypeError, match="missing a required argument: 'child'"):
        PREPARE(partitions=2)
    with pytest.raises(ValueError, match=r"^partitions: got 0, allowed is an int of 1 or more$"):
        PREPARE(child, partitions=0)
    for wrong in (5, lambda args: [*args]):
        with pytest.raises(TypeError, match=r"^with_arguments: got "):
            PREPARE(child, partitions=2, with_arguments=wrong)


@row("PAR-003")
async def arguments_that_are_no_list_fail_the_start() -> None:
    """differs: it is a start that fails, OTP's caller makes the arguments and raises."""
    log: list[str] = []
    with pytest.raises(StartFailed) as caught:
        await start_shards(2, log, with_arguments=lambda args, index: 5)
    assert isinstance(caught.value.__cause__, TypeError)
    assert str(caught.value.__cause__) == (
        "with_arguments: returned 5 for partition 0, allowed is a list of arguments"
    )
    assert log == []
    assert whereis("parts") is None


@row("PAR-004")
async def each_partition_starts_with_arguments_of_its_own() -> None:
    asked: list[tuple[tuple[object, ...], int]] = []
    log: list[str] = []

    def tens(args: tuple[object, ...], index: int) -> list[object]:
        asked.append((args, index))
        return [*args, index * 10]

    await start_shards(3, log, with_arguments=tens)
    assert asked == [((log,), 0), ((log,), 1), ((log,), 2)]
    assert log == ["init 0", "init 10", "init 20"]
    assert [await at(index) for index in range(3)] == [0, 10, 20]


@row("PAR-014")
async def a_name_that_is_taken_is_refused() -> None:
    parts = await start_shards(2)
    log: list[str] = []
    with pytest.raises(AlreadyStarted) as caught:
        await start_shards(2, log)
    assert caught.value.pid is parts.pid
    assert log == []


@row("PAR-015")
async def a_partition_that_does_not_start_fails_the_start() -> None:
    class Failing(Shard):
        def init(self) -> Any:
            return Stop("no")

    with pytest.raises(StartFailed) as caught:
        await start_shards(2, child=Failing.child_spec([]))
    assert caught.value.reason == Shutdown(FailedToStartChild(0, "no"))
    assert whereis("parts") is None


@row("PAR-016")
async def partitions_are_counted_and_listed_by_their_type_and_index() -> None:
    workers = await start_shards(3)
    spec = PartitionSupervisor.child_spec(DynamicSupervisor, partitions=3)
    supervisors = PartitionSupervisorRef(await start(spec))
    assert await workers.count_children() == ChildCounts(3, 3, 0, 3)
    assert await supervisors.count_children() == ChildCounts(3, 3, 3, 0)
    assert await workers.which_children() == [
        ChildInfo(index, pid_at(index), "running", "worker", "Shard") for index in (2, 1, 0)
    ]
    assert await supervisors.which_children() == [
        ChildInfo(index, via(supervisors, index).pid, "running", "supervisor", "DynamicSupervisor")
        for index in (2, 1, 0)
    ]


@row("PAR-018")
async def its_name_may_be_that_of_a_registry() -> None:
    await start(Registry.child_spec("unique").replace(name="names"))
    name: Via = via("names", "parts")
    spec = PartitionSupervisor.child_spec(
        Shard.child_spec([]), partitions=2, with_arguments=with_index
    )
    sup = await start(spec.replace(name=name))
    assert name.whereis() is sup.pid
    parts = PartitionSupervisorRef(name)
    assert parts.partitions() == 2
    assert [await via(name, key).call(Where()) for key in (0, 1, 2, 3)] == [0, 1, 0, 1]
    assert via(parts, 1).pid is via(name, 3).pid
    await parts.stop()
    assert not is_alive(sup)
    assert name.whereis() is None
    assert via(name, 3).whereis() is None


@row("PAR-020")
async def the_id_of_its_spec_is_its_name_or_key() -> None:
    spec = PartitionSupervisor.child_spec(Shard.child_spec([]), partitions=2)
    assert spec.replace(name="parts").id == "parts"
    assert spec.replace(name=via("names", ("parts", 7))).id == ("parts", 7)


@row("PAR-021")
async def auto_shutdown_is_refused_in_the_caller() -> None:
    for value in ("any_significant", "all_significant"):
        with pytest.raises(TypeError, match="unexpected keyword argument 'auto_shutdown'"):
            PREPARE(Shard.child_spec([]), auto_shutdown=value)
