"""What the tests of partition supervisors share: a child that knows its partition."""

from __future__ import annotations

from typing import Any

from runtime import Call, Cast, ExitReason, GenServer, Pid, handles, kill, start, trap_exits, via
from supervisors import PartitionSupervisor, PartitionSupervisorRef
from tests.supervisors.tree_parts import say, settle


class Where(Call[int]):
    """Reply with the partition's index."""


class Load(Call[int]):
    """Reply with how many ``Bump`` it had."""


class Bump(Cast):
    """One more."""


class Shard(GenServer):
    """Knows its partition, and logs its life."""

    def __init__(self, log: list[str], index: int = -1) -> None:
        self.log = log
        self.index = index
        self.load = 0

    def init(self) -> Any:
        trap_exits()
        self.log.append(f"init {self.index}")

    @handles(Where)
    def where(self, request: Where) -> int:
        return self.index

    @handles(Load)
    def tell_load(self, request: Load) -> int:
        return self.load

    @handles(Bump)
    def bump(self, message: Bump) -> None:
        self.load += 1

    def terminate(self, reason: ExitReason) -> None:
        self.log.append(f"terminate {self.index} {say(reason)}")


def with_index(args: tuple[object, ...], index: int) -> list[object]:
    """The arguments of a ``Shard``."""
    return [*args, index]


async def start_shards(
    partitions: int | None = 3, log: list[str] | None = None, **options: Any
) -> PartitionSupervisorRef:
    """Partitions of a ``Shard``, under the name ``parts``."""
    child = Shard.child_spec([] if log is None else log)
    spec = PartitionSupervisor.child_spec(
        options.pop("child", child),
        partitions=partitions,
        with_arguments=options.pop("with_arguments", with_index),
        **options,
    )
    return PartitionSupervisorRef(await start(spec.replace(name="parts")))


async def at(key: Any) -> int:
    """The partition that answers for a key."""
    return await via("parts", key).call(Where())


def pid_at(key: Any) -> Pid | None:
    """Who is in the partition of a key."""
    return via("parts", key).whereis()


async def kill_partition(index: int) -> None:
    """Kill one and see what follows."""
    kill(via("parts", index))
    await settle()


async def status(parts: PartitionSupervisorRef) -> dict[object, str]:
    """What has become of each partition."""
    return {one.id: one.status for one in reversed(await parts.which_children())}
