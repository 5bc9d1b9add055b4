"""Which partition a key leads to, and what happens when nobody is there."""

from __future__ import annotations

import enum
import uuid
from collections.abc import Hashable
from typing import Any

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from runtime import (
    CallExit,
    Node,
    NoProcess,
    ProcessNotFound,
    is_alive,
    kill,
    ref,
    resume,
    self_,
    spawn,
    start,
    suspend,
    via,
)
from runtime.current import current_table
from runtime.keys import stable_hash
from runtime.spawning import spawn_process
from supervisors import (
    Backoff,
    DynamicSupervisor,
    DynamicSupervisorRef,
    PartitionSupervisor,
    PartitionSupervisorRef,
)
from tests.supervisors.partition_parts import (
    Bump,
    Shard,
    Where,
    at,
    kill_partition,
    pid_at,
    start_shards,
)
from tests.supervisors.tree_parts import Ping, begin_after, settle, worker
from tests.support import in_process


class Colour(enum.Enum):
    RED = 1


class Level(enum.IntEnum):
    LOW = 4
    HIGH = 5


TERMS: list[Hashable] = [
    "alice",
    "",
    ("user", 1),
    ("user", (1, 2.5)),
    1.5,
    b"raw",
    None,
    True,
    False,
    Colour.RED,
    uuid.UUID(int=7),
]


async def test_an_integer_leads_to_the_remainder_of_its_absolute_value(node: Node) -> None:
    """PAR-005, and the trap: -1 % 3 is 2 in Python."""
    parts = await start_shards(3)
    keys = [0, 1, 2, 3, 4, 5, -1, -4, 10**30, Level.LOW, Level.HIGH]
    expected = [0, 1, 2, 0, 1, 2, 1, 1, 1, 1, 2]
    assert [await at(key) for key in keys] == expected
    assert [parts.partition_of(key) for key in keys] == expected


async def test_any_other_key_leads_by_its_stable_hash(node: Node) -> None:
    """PAR-006, and the trap of Python's salted hash."""
    parts = await start_shards(7)
    for key in TERMS:
        assert await at(key) == await at(key) == stable_hash(key) % 7 == parts.partition_of(key)


async def test_the_partitions_of_some_keys_are_known_for_ever(node: Node) -> None:
    """They are the same in every run and on every machine."""
    parts = await start_shards(1000)
    found = [parts.partition_of(key) for key in ("alice", ("user", 1), 1.5, True, b"raw")]
    assert found == [465, 399, 153, 368, 397]


async def test_a_bool_is_no_integer(node: Node) -> None:
    parts = await start_shards(1000)
    assert parts.partition_of(True) == stable_hash(True) % 1000 != 1


@given(keys=st.lists(st.integers() | st.text() | st.binary(), max_size=50), n=st.integers(1, 9))
def test_every_key_leads_to_one_partition_in_range(keys: list[Any], n: int) -> None:
    """PAR-006. Of the decision itself, without a process."""
    server = PartitionSupervisor(Shard.child_spec([]), partitions=n)
    for key in keys:
        index = server.index_of(key)
        assert index in range(n)
        assert index == server.index_of(key)


@pytest.mark.parametrize("key", [object(), frozenset({1}), 1j, Shard])
async def test_a_key_without_a_stable_hash_is_refused(node: Node, key: Hashable) -> None:
    parts = await start_shards(3)
    with pytest.raises(TypeError, match="key: got"):
        parts.partition_of(key)
    with pytest.raises(TypeError, match="key: got"):
        await via("parts", key).call(Where())


async def test_a_process_may_be_a_key(node: Node) -> None:
    """PAR-019: the usual way to spread load."""
    parts = await start_shards(3)

    async def mine() -> tuple[int, int]:
        return await at(self_()), parts.partition_of(self_())

    one, two = await in_process(mine)
    assert one == two


# ---------------------------------------------------------------------- nobody there


async def test_a_call_by_way_of_nobody_ends_at_once(node: Node) -> None:
    """PAR-011. differs: whereis is None."""
    with pytest.raises(CallExit) as caught:
        await via("nobody", 1).call(Where())
    assert caught.value.reason == NoProcess()
    assert via("nobody", 1).whereis() is None
    for ask in (
        lambda: PartitionSupervisorRef("nobody").partitions(),
        lambda: PartitionSupervisorRef("nobody").partition_of(1),
        lambda: via("nobody", 1).send("x"),
        lambda: via("nobody", 1).pid,
    ):
        with pytest.raises(ProcessNotFound):
            ask()


async def test_a_partition_that_is_being_restarted_is_like_a_name_nobody_holds(
    node: Node,
) -> None:
    """And is found again when it is up, without looking anything up anew."""
    await start_shards(2, backoff=Backoff(initial=10, jitter=0))
    first = via("parts", 1)
    before = first.pid
    await kill_partition(1)
    assert first.whereis() is None
    with pytest.raises(CallExit) as caught:
        await first.call(Where())
    assert caught.value.reason == NoProcess()
    first.cast(Bump())
    with pytest.raises(ProcessNotFound):
        first.send("x")
    assert await at(0) == 0
    await trio.sleep(10)
    await settle()
    assert first.pid is not before
    assert await first.call(Where()) == 1


async def test_a_partition_that_has_just_died_is_nobody_already(node: Node) -> None:
    """Before its supervisor has heard of it."""
    parts = await start_shards(2)
    await suspend(parts)
    before = pid_at(1)
    await kill_partition(1)
    assert before is not None
    assert pid_at(1) is None
    await resume(parts)
    await settle()
    assert pid_at(1) not in (None, before)


async def test_a_partition_is_found_while_it_starts(node: Node) -> None:
    """As a name is: the call waits for its init."""
    child = worker([], "a", begin=begin_after(3))
    async with trio.open_nursery() as nursery:

        async def begin() -> None:
            await start_shards(2, child=child, with_arguments=None)

        nursery.start_soon(begin)
        await settle()
        assert pid_at(0) is not None
        assert pid_at(1) is None, "its turn comes later"
        assert await via("parts", 0).call(Ping()) == "a"
        assert trio.current_time() >= 3


async def test_before_its_first_step_nobody_is_there(node: Node) -> None:
    spec = PartitionSupervisor.child_spec(Shard.child_spec([]), partitions=2)
    parts = PartitionSupervisorRef("parts")
    spawn_process(current_table(), spec.make_body(), label="parts", name="parts")
    assert is_alive(parts)
    assert pid_at(0) is None
    with pytest.raises(ProcessNotFound):
        parts.partitions()
    await settle()
    assert parts.partitions() == 2


async def test_a_handle_of_something_else_says_so(node: Node) -> None:
    other = await start(Shard.child_spec([], 1))
    plain = ref(spawn(trio.sleep_forever))
    await settle()
    for target in (other, plain):
        wrong = PartitionSupervisorRef(target)
        with pytest.raises(TypeError, match=r"target: .* allowed is a running PartitionSuperv"):
            wrong.partitions()
        with pytest.raises(TypeError, match=r"target: .* allowed is a running PartitionSuperv"):
            wrong.partition_of(1)


# ---------------------------------------------------------------------- no name for others


# ---------------------------------------------------------------------- what partitions are for


async def test_dynamic_supervisors_behind_keys(node: Node) -> None:
    """PAR-007, PAR-019: every child is there exactly once."""
    spec = PartitionSupervisor.child_spec(DynamicSupervisor, partitions=3)
    parts = PartitionSupervisorRef(await start(spec.replace(name="dyn")))
    log: list[str] = []
    for key in range(100):
        child = await DynamicSupervisorRef(via("dyn", f"room {key}")).start_child(
            worker(log, str(key))
        )
        assert await child.call(Ping()) == str(key)
    assert len(log) == 100
    ids: list[object] = []
    for index in range(3):
        there = await DynamicSupervisorRef(via("dyn", index)).which_children()
        assert there
        ids += [one.id for one in there]
    assert sorted(map(str, ids)) == sorted(map(str, range(100)))
    assert (await parts.count_children()).supervisors == 3


async def test_a_handle_by_key_stays_with_its_partition_over_restarts(node: Node) -> None:
    await start(PartitionSupervisor.child_spec(DynamicSupervisor, partitions=2).replace(name="dyn"))
    one, two = (DynamicSupervisorRef(via("dyn", key)) for key in (0, 1))
    await one.start_child(worker([], "a"))
    await two.start_child(worker([], "b"))
    kill(one)
    await settle()
    assert await one.which_children() == []
    assert [row.id for row in await two.which_children()] == ["b"]


def test_equal_handles_are_equal() -> None:
    assert PartitionSupervisorRef("parts") == PartitionSupervisorRef("parts")
    assert repr(PartitionSupervisorRef("parts")) == "PartitionSupervisorRef(named('parts'))"
