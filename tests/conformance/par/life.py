"""Rows of PAR about restarts, the end, and another number of partitions."""

from __future__ import annotations

import pytest

from runtime import Normal, Pid, Shutdown, is_alive, via, wait_exit, whereis
from supervisors import ChildCounts, GaveUp
from tests.conformance.scenarios import row
from tests.conftest import Recorder
from tests.supervisors.partition_parts import (
    Where,
    at,
    kill_partition,
    pid_at,
    start_shards,
    status,
)
from tests.supervisors.tree_parts import drain
from tests.support import end_of


def partitions_now() -> list[Pid | None]:
    """Who is in each of three."""
    return [pid_at(index) for index in range(3)]


async def replaced_by_a_kill_of_1() -> list[bool]:
    """Which of three partitions are others after one was killed; each still has its index."""
    before = partitions_now()
    await kill_partition(1)
    after = partitions_now()
    assert [await at(index) for index in range(3)] == [0, 1, 2]
    return [new is not old for new, old in zip(after, before, strict=True)]


@row("PAR-008")
async def a_killed_partition_is_replaced_under_its_index() -> None:
    await start_shards(3)
    assert await replaced_by_a_kill_of_1() == [False, True, False]


@row("PAR-009")
async def with_one_for_all_they_are_replaced_together() -> None:
    await start_shards(3, strategy="one_for_all")
    assert await replaced_by_a_kill_of_1() == [True, True, True]


@row("PAR-010")
async def the_crashes_of_all_partitions_count_together(events: Recorder) -> None:
    """differs: the reason is a Shutdown with the history as its detail."""
    log: list[str] = []
    pid = (await start_shards(4, log)).pid
    for index in range(3):
        await kill_partition(index)
    assert is_alive(pid)
    drain(log)
    await kill_partition(3)
    await wait_exit(pid)
    reason = end_of(events, pid)
    assert isinstance(reason, Shutdown)
    assert isinstance(reason.detail, GaveUp)
    assert len(reason.detail.history) == 4
    assert log == [f"terminate {index} shutdown" for index in (2, 1, 0)]


@row("PAR-017")
async def a_stop_returns_when_all_have_ended_the_last_first(events: Recorder) -> None:
    log: list[str] = []
    parts = await start_shards(3, log)
    pid, partitions = parts.pid, partitions_now()
    drain(log)
    await parts.stop()
    assert log == [f"terminate {index} shutdown" for index in (2, 1, 0)]
    assert [one is not None and is_alive(one) for one in (pid, *partitions)] == [False] * 4
    assert whereis("parts") is None
    assert end_of(events, pid) == Normal()


@row("PAR-022")
async def fewer_partitions_end_the_surplus_and_route_anew() -> None:
    log: list[str] = []
    parts = await start_shards(4, log)
    drain(log)
    assert await parts.resize(2) == 4
    assert sorted(log) == ["terminate 2 shutdown", "terminate 3 shutdown"]
    assert parts.partitions() == 2
    assert await parts.count_children() == ChildCounts(4, 2, 0, 4)
    assert await status(parts) == {0: "running", 1: "running", 2: "stopped", 3: "stopped"}
    assert [await at(key) for key in (0, 1, 2, 3, 4, -3)] == [0, 1, 0, 1, 0, 1]


@row("PAR-023")
async def with_no_partitions_keys_lead_nowhere_until_there_are_some() -> None:
    parts = await start_shards(2)
    assert await parts.resize(0) == 2
    with pytest.raises(ValueError, match=r"leads nowhere: .* was resized to 0 partitions"):
        via("parts", 0).whereis()
    with pytest.raises(ValueError, match=r"leads nowhere: .* was resized to 0 partitions"):
        await via("parts", 0).call(Where())
    assert await parts.resize(2) == 0
    assert [await at(key) for key in (0, 1, 2)] == [0, 1, 0]


@row("PAR-024")
async def more_partitions_than_at_the_start_are_refused() -> None:
    parts = await start_shards(3)
    await parts.resize(1)
    with pytest.raises(ValueError, match=r"^partitions: got 4, allowed are 0 to 3, as at the sta"):
        await parts.resize(4)
    assert parts.partitions() == 1
    assert await parts.count_children() == ChildCounts(3, 1, 0, 3)
