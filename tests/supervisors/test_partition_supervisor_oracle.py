"""A whole scenario against what Elixir printed for it, line by line."""

from __future__ import annotations

from typing import Any

import pytest

from runtime import (
    AlreadyStarted,
    Call,
    CallExit,
    Cast,
    GenServer,
    Node,
    ProcessNotFound,
    Shutdown,
    StartError,
    StartFailed,
    Stop,
    Via,
    handles,
    is_alive,
    kill,
    start,
    via,
)
from supervisors import (
    DynamicSupervisor,
    DynamicSupervisorRef,
    FailedToStartChild,
    GaveUp,
    PartitionSupervisor,
    PartitionSupervisorRef,
)
from tests.conftest import Recorder
from tests.supervisors.tree_parts import settle, worker
from tests.support import end_of


class Get(Call[tuple[int, int]]):
    """Reply with the partition and its load."""


class Add(Cast):
    """One more."""


class Part(GenServer):
    """Holds the partition and its load."""

    def __init__(self, index: int = -1, *, fails: bool = False) -> None:
        self.index = index
        self.load = 0
        self.fails = fails

    def init(self) -> Any:
        return Stop("nope") if self.fails else None

    @handles(Get)
    def get(self, request: Get) -> tuple[int, int]:
        return self.index, self.load

    @handles(Add)
    def add(self, message: Add) -> None:
        self.load += 1


def at(key: Any) -> Via:
    return via("parts", key)


async def loads() -> str:
    return str([(await at(index).call(Get()))[1] for index in range(4)]).replace(" ", "")


async def test_oracle_14_partition(node: Node, events: Recorder) -> None:
    """differs: errors are exceptions, whereis of nobody is None, a name is not required."""
    out: list[str] = []
    spec = PartitionSupervisor.child_spec(
        Part, with_arguments=lambda args, index: [index], partitions=4
    ).replace(name="parts")
    sup = PartitionSupervisorRef((await start(spec)).pid)
    parts = PartitionSupervisorRef("parts")
    out.append(f"partitions {parts.partitions()}")
    for key in (0, 1, 2, 3, 4, 5, 7, -1, -2, -4, -5, 1000):
        index, _ = await at(key).call(Get())
        out.append(f"key {key} -> {index}")
    terms = ["alice", ("user", 1), "atom", (1, 2), 1.5]
    stable = all(at(term).pid is at(term).pid for term in terms)
    in_range = all([(await at(term).call(Get()))[0] in range(4) for term in terms])
    out.append(f"terms stable {stable} in range {in_range}")
    for key in range(10):
        at(key).cast(Add())
    out.append(f"load {await loads()}")
    ids = sorted(str(one.id) for one in await parts.which_children())
    counted = await parts.count_children()
    out.append(
        f"ids [{','.join(ids)}] specs={counted.specs} active={counted.active} "
        f"sups={counted.supervisors} workers={counted.workers}"
    )
    out.append("-- kill partition 2: only it is reset")
    old = [at(index).pid for index in range(4)]
    kill(old[2])
    await settle()
    replaced = [at(index).pid is not old[index] for index in range(4)]
    out.append(f"replaced {str(replaced).replace(' ', '')} load {await loads()}")
    out.append("-- errors")
    with pytest.raises(ProcessNotFound):
        PartitionSupervisorRef("nope").partitions()
    out.append("unknown partitions/1: ProcessNotFound")
    with pytest.raises(CallExit) as noproc:
        await via("nope", 1).call(Get())
    out.append(f"call to unknown: {noproc.value.reason!r}")
    via("nope", 1).cast(Add())
    out.append("cast to unknown: ok")
    wrong: Any = PartitionSupervisor.child_spec
    with pytest.raises(TypeError):
        wrong(partitions=2)
    with pytest.raises(ValueError, match="partitions: got 0"):
        wrong(Part, partitions=0)
    out.append("no_child, zero: raise error")
    with pytest.raises(AlreadyStarted) as taken:
        await start(PartitionSupervisor.child_spec(Part).replace(name="parts"))
    out.append(f"name taken already_started same {taken.value.pid is sup.pid}")
    with pytest.raises(StartFailed) as failed:
        await start(PartitionSupervisor.child_spec(Part.child_spec(fails=True), partitions=2))
    assert failed.value.reason == Shutdown(FailedToStartChild(0, "nope"))
    out.append(f"partition start failure {isinstance(failed.value, StartError)}")
    out.append("-- dynamic supervisors behind partitions")
    await start(PartitionSupervisor.child_spec(DynamicSupervisor, partitions=2).replace(name="dyn"))
    for key in range(5):
        await DynamicSupervisorRef(via("dyn", key)).start_child(Part, key)
    active = [
        (index, (await DynamicSupervisorRef(via("dyn", index)).count_children()).active)
        for index in range(2)
    ]
    out.append(f"per partition {active}")
    out.append("-- stop is synchronous; reverse order")
    logged = PartitionSupervisorRef(
        await start(
            PartitionSupervisor.child_spec(
                worker(out, "w"),
                with_arguments=lambda args, index: [out, f"{{w,{index}}}"],
                partitions=3,
            )
        )
    )
    await logged.stop()
    out.append(f"stop ok alive {is_alive(logged)}")
    out.append("-- three more crashes: four inside the window, which ends the whole thing")
    for index in range(3):
        kill(at(index))
        await settle()
    reason = end_of(events, sup.pid)
    assert isinstance(reason, Shutdown)
    assert isinstance(reason.detail, GaveUp)
    out.append(f"alive {is_alive(sup)} exit shutdown")
    assert out == [line.strip() for line in EXPECTED.strip().splitlines()]


EXPECTED = """
    partitions 4
    key 0 -> 0
    key 1 -> 1
    key 2 -> 2
    key 3 -> 3
    key 4 -> 0
    key 5 -> 1
    key 7 -> 3
    key -1 -> 1
    key -2 -> 2
    key -4 -> 0
    key -5 -> 1
    key 1000 -> 0
    terms stable True in range True
    load [3,3,2,2]
    ids [0,1,2,3] specs=4 active=4 sups=0 workers=4
    -- kill partition 2: only it is reset
    replaced [False,False,True,False] load [3,3,0,2]
    -- errors
    unknown partitions/1: ProcessNotFound
    call to unknown: NoProcess()
    cast to unknown: ok
    no_child, zero: raise error
    name taken already_started same True
    partition start failure True
    -- dynamic supervisors behind partitions
    per partition [(0, 3), (1, 2)]
    -- stop is synchronous; reverse order
    init {w,0}
    init {w,1}
    init {w,2}
    terminate {w,2} shutdown
    terminate {w,1} shutdown
    terminate {w,0} shutdown
    stop ok alive False
    -- three more crashes: four inside the window, which ends the whole thing
    alive False exit shutdown
"""
