"""Another number of partitions while they run."""

from __future__ import annotations

import math
from typing import Any

import pytest
import trio

from runtime import (
    CallCycle,
    CallExit,
    Ignore,
    Killed,
    Node,
    NoProcess,
    StartFailed,
    Stop,
    UnhandledMessage,
    is_alive,
    kill,
    resume,
    suspend,
    via,
    wait_exit,
)
from supervisors import (
    Backoff,
    ChildCounts,
    PartitionSupervisor,
    PartitionSupervisorRef,
    SupervisorRef,
)
from tests.supervisors.partition_parts import (
    Shard,
    Where,
    at,
    kill_partition,
    pid_at,
    start_shards,
    status,
)
from tests.supervisors.tree_parts import (
    Worker,
    begin_after,
    drain,
    settle,
    start_supervisor,
    worker,
)


async def test_fewer_partitions_stop_the_surplus_in_reverse_and_route_anew(node: Node) -> None:
    """PAR-022."""
    log: list[str] = []
    parts = await start_shards(5, log)
    drain(log)
    assert await parts.resize(2) == 5
    assert log == [f"terminate {index} shutdown" for index in (4, 3, 2)]
    assert parts.partitions() == 2
    assert await parts.count_children() == ChildCounts(5, 2, 0, 5)
    assert [await at(key) for key in (0, 1, 2, 3, 4)] == [0, 1, 0, 1, 0]
    assert await status(parts) == {
        0: "running",
        1: "running",
        2: "stopped",
        3: "stopped",
        4: "stopped",
    }


async def test_as_many_as_there_are_change_nothing(node: Node) -> None:
    log: list[str] = []
    parts = await start_shards(3, log)
    drain(log)
    assert await parts.resize(3) == 3
    assert log == []


async def test_back_to_more_they_are_started_again_before_keys_lead_there(node: Node) -> None:
    """PAR-023."""
    log: list[str] = []
    parts = await start_shards(4, log)
    await parts.resize(1)
    drain(log)
    assert await parts.resize(3) == 1
    assert log == ["init 1", "init 2"]
    assert [await at(key) for key in (0, 1, 2, 3)] == [0, 1, 2, 0]
    assert await parts.count_children() == ChildCounts(4, 3, 0, 4)
    assert await parts.resize(4) == 3


async def test_with_no_partition_at_all_routing_says_so(node: Node) -> None:
    """PAR-023."""
    parts = await start_shards(2)
    assert await parts.resize(0) == 2
    for key in (0, "x"):
        with pytest.raises(ValueError, match=r"key .* leads nowhere: .* was resized to 0"):
            await via("parts", key).call(Where())
        with pytest.raises(ValueError, match=r"leads nowhere"):
            via("parts", key).whereis()
        with pytest.raises(ValueError, match=r"leads nowhere"):
            parts.partition_of(key)
    assert parts.partitions() == 0
    assert await parts.resize(2) == 0
    assert await at(1) == 1


@pytest.mark.parametrize(
    ("junk", "error"), [(-1, ValueError), (True, TypeError), (2.0, TypeError), ("2", TypeError)]
)
async def test_what_is_no_number_of_partitions_is_refused_in_the_caller(
    node: Node, junk: Any, error: type[Exception]
) -> None:
    with pytest.raises(error, match=r"partitions: got .*, allowed is an int of 0 or more"):
        await PartitionSupervisorRef("nobody").resize(junk)


async def test_nobody_cannot_be_resized(node: Node) -> None:
    with pytest.raises(CallExit) as caught:
        await PartitionSupervisorRef("nobody").resize(1)
    assert caught.value.reason == NoProcess()


async def test_keys_lead_elsewhere_while_the_surplus_stops(node: Node) -> None:
    log: list[str] = []
    child = Worker.child_spec(log, "a", nap=3)
    parts = await start_shards(2, child=child, with_arguments=None)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(parts.resize, 1)
        await settle()
        assert parts.partitions() == 1
        assert pid_at(1) is pid_at(0)


async def test_keys_stay_while_more_partitions_start(node: Node) -> None:
    log: list[str] = []
    child = worker(log, "a", begin=begin_after(3))
    parts = await start_shards(2, child=child, with_arguments=None)
    await parts.resize(1)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(parts.resize, 2)
        await settle()
        assert parts.partitions() == 1
        assert pid_at(1) is pid_at(0)
    assert parts.partitions() == 2
    assert pid_at(1) is not pid_at(0)


async def test_one_that_does_not_start_again_leaves_all_as_it_was(node: Node) -> None:
    log: list[str] = []
    failing = False

    class Third(Shard):
        def init(self) -> Any:
            return Stop("nope") if failing and self.index == 2 else super().init()

    parts = await start_shards(4, child=Third.child_spec(log))
    await parts.resize(1)
    drain(log)
    failing = True
    with pytest.raises(StartFailed) as caught:
        await parts.resize(4)
    assert caught.value.reason == "nope"
    assert log == ["init 1", "terminate 1 shutdown"]
    assert parts.partitions() == 1
    assert await status(parts) == {0: "running", 1: "stopped", 2: "stopped", 3: "stopped"}
    failing = False
    assert await parts.resize(4) == 1
    assert await at(3) == 3


async def test_one_that_is_not_needed_any_more_is_nobody(node: Node) -> None:
    needed = True

    class Second(Shard):
        def init(self) -> Any:
            return super().init() if needed or self.index != 1 else Ignore()

    parts = await start_shards(2, child=Second.child_spec([]))
    await parts.resize(1)
    needed = False
    assert await parts.resize(2) == 1
    assert parts.partitions() == 2
    assert pid_at(1) is None


async def test_a_stopped_partition_stays_so_when_a_sibling_restarts_the_others(
    node: Node,
) -> None:
    """The strategy starts those again that keys lead to."""
    log: list[str] = []
    parts = await start_shards(3, log, strategy="one_for_all")
    await parts.resize(2)
    drain(log)
    await kill_partition(0)
    assert log == ["terminate 1 shutdown", "init 0", "init 1"]
    assert await status(parts) == {0: "running", 1: "running", 2: "stopped"}


async def test_a_partition_that_waits_for_its_restart_is_stopped_like_the_others(
    node: Node,
) -> None:
    log: list[str] = []
    parts = await start_shards(2, log, backoff=Backoff(initial=10))
    await kill_partition(1)
    await parts.resize(1)
    assert await status(parts) == {0: "running", 1: "stopped"}
    await trio.sleep(100)
    assert log == ["init 0", "init 1"]
    await parts.resize(2)
    assert await at(1) == 1


async def test_temporary_partitions_that_have_ended_can_be_had_again(node: Node) -> None:
    log: list[str] = []
    child = Shard.child_spec(log).replace(restart="temporary")
    parts = await start_shards(3, child=child)
    await kill_partition(2)
    assert pid_at(2) is None
    await parts.resize(1)
    assert await parts.resize(3) == 1
    assert [await at(index) for index in range(3)] == [0, 1, 2]


async def test_a_partition_started_by_hand_is_stopped_by_the_next_resize(node: Node) -> None:
    parts = await start_shards(3)
    await parts.resize(1)
    by_hand = SupervisorRef("parts")
    child = await by_hand.restart_child(2)
    await parts.resize(2)
    assert not is_alive(child)
    assert await status(parts) == {0: "running", 1: "running", 2: "stopped"}


async def test_a_partition_may_be_taken_out_and_put_back_by_hand(node: Node) -> None:
    await start_shards(2)
    by_hand = SupervisorRef("parts")
    await by_hand.terminate_child(1)
    assert pid_at(1) is None
    await by_hand.restart_child(1)
    assert await at(1) == 1


async def test_there_are_no_children_but_partitions(node: Node) -> None:
    parts = await start_shards(2)
    by_hand = SupervisorRef("parts")
    for ask in (by_hand.start_child(worker([], "a")), by_hand.delete_child(1)):
        with pytest.raises(UnhandledMessage, match=r"its children are its partitions, resize"):
            await ask
    assert await parts.count_children() == ChildCounts(2, 2, 0, 2)


async def test_it_begins_with_the_first_number_after_its_own_restart(node: Node) -> None:
    spec = PartitionSupervisor.child_spec(Shard.child_spec([]), partitions=3)
    await start_supervisor([spec.replace(name="parts")])
    parts = PartitionSupervisorRef("parts")
    await parts.resize(1)
    kill(parts)
    await settle()
    assert parts.partitions() == 3


async def test_cancelling_gives_up_the_wait_and_it_is_resized_all_the_same(node: Node) -> None:
    child = Worker.child_spec([], "a", nap=3)
    parts = await start_shards(3, child=child, with_arguments=None)
    with trio.move_on_after(1) as patience:
        await parts.resize(1)
    assert patience.cancelled_caught
    await trio.sleep(10)
    assert await parts.count_children() == ChildCounts(3, 1, 0, 3)


async def test_two_resizes_at_once_happen_one_after_the_other(node: Node) -> None:
    child = worker([], "a", begin=begin_after(1), nap=1)
    parts = await start_shards(4, child=child, with_arguments=None)
    seen: list[int] = []

    async def resize(partitions: int) -> None:
        seen.append(await parts.resize(partitions))

    async with trio.open_nursery() as nursery:
        for partitions in (1, 4, 2, 3):
            nursery.start_soon(resize, partitions)
    counted = await parts.count_children()
    assert counted.active == parts.partitions()
    assert sorted([*seen, parts.partitions()]) == [1, 2, 3, 4, 4]


async def test_a_partition_that_asks_to_be_resized_away_is_refused_at_once(node: Node) -> None:
    """It would wait for its own end."""
    refused: list[Exception] = []

    class Leaving(Shard):
        async def handle_info(self, message: object) -> None:
            try:
                await PartitionSupervisorRef("parts").resize(1)
            except CallCycle as exc:
                refused.append(exc)

    child = Leaving.child_spec([]).replace(shutdown=math.inf)
    parts = await start_shards(2, child=child)
    via("parts", 1).send("go")
    await settle()
    assert len(refused) == 1
    assert parts.partitions() == 1
    assert (await parts.count_children()).active == 1


@pytest.mark.parametrize("partitions", [1, 3])
async def test_it_can_be_ended_in_the_middle_of_a_resize(node: Node, partitions: int) -> None:
    child = worker([], "a", begin=begin_after(3), nap=3)
    parts = await start_shards(3, child=child, with_arguments=None)
    await parts.resize(2)
    pid, reasons = parts.pid, list[object]()

    async def resize() -> None:
        with pytest.raises(CallExit) as caught:
            await parts.resize(partitions)
        reasons.append(caught.value.reason)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(resize)
        await trio.sleep(1)
        kill(pid)
    await wait_exit(pid)
    assert reasons == [Killed()]


async def test_a_suspended_one_still_leads_to_its_partitions(node: Node) -> None:
    parts = await start_shards(2)
    await suspend(parts)
    assert parts.partitions() == 2
    assert await at(3) == 1
    await resume(parts)
