"""What the checkers know about children on demand, and about partitions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_type

from runtime import ChildSpec, GenServer, Pid, Ref, child_spec, named, via
from supervisors import (
    Backoff,
    ChildCounts,
    ChildInfo,
    DynamicSupervisor,
    DynamicSupervisorRef,
    PartitionSupervisor,
    PartitionSupervisorRef,
    Supervisor,
    run,
)


class Counter(GenServer):
    def __init__(self, start: int = 0) -> None:
        self.count = start


async def worker() -> None: ...


async def needs_an_argument(number: int) -> None: ...


def blocking() -> None: ...


class Connections(DynamicSupervisor):
    """With options of its own."""

    def __init__(self, most: int) -> None:
        super().__init__(max_children=most, max_restarts=10)


class WrongConnections(DynamicSupervisor):
    """With an option that does not exist."""

    def __init__(self) -> None:
        super().__init__(children=[])  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def a_dynamic_supervisor_is_a_child() -> None:
    assert_type(DynamicSupervisor.child_spec(), ChildSpec)
    assert_type(Connections.child_spec(5), ChildSpec)
    DynamicSupervisor.child_spec(max_children=5, max_seconds=2, backoff=Backoff())
    DynamicSupervisor.child_spec(max_children=None, extra_arguments=["a", 1])
    run([DynamicSupervisor, Connections.child_spec(5), Supervisor.child_spec([DynamicSupervisor])])
    DynamicSupervisor.child_spec(max_children="5")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    DynamicSupervisor.child_spec(max_children=0.5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    DynamicSupervisor.child_spec(extra_arguments=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    DynamicSupervisor.child_spec(backoff=2.0)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    DynamicSupervisor.child_spec(auto_shutdown="never")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Connections.child_spec()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Connections.child_spec(max_children=5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def a_handle_is_made_of_an_address(pid: Pid, ref: Ref) -> None:
    for target in ("dyn", pid, ref, named("dyn"), via("parts", 7)):
        assert_type(DynamicSupervisorRef(target), DynamicSupervisorRef)
    PartitionSupervisorRef(via("names", "parts"))
    DynamicSupervisorRef(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    DynamicSupervisorRef()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    PartitionSupervisorRef(None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def children_come_and_go(sup: DynamicSupervisorRef, pid: Pid) -> None:
    assert_type(await sup.start_child(Counter), Ref)
    assert_type(await sup.start_child(Counter.child_spec(5)), Ref)
    assert_type(await sup.start_child(Counter, 5), Ref)
    assert_type(await sup.start_child(worker), Ref)
    assert_type(await sup.start_child(needs_an_argument, 5), Ref)
    assert_type(await sup.start_child(child_spec(worker).replace(name=via("names", 7))), Ref)
    assert_type(await sup.which_children(), list[ChildInfo])
    assert_type(await sup.count_children(), ChildCounts)
    await sup.terminate_child(pid)
    await sup.terminate_child(via("names", 7))
    await sup.start_child(5)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    await sup.start_child(None)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    await sup.start_child()  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    await sup.terminate_child("counter")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await sup.terminate_child()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await sup.delete_child(pid)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    sup.count_children()  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]


def arguments(args: tuple[object, ...], index: int) -> Iterable[object]:
    return [*args, index]


def wrong_arguments(index: int) -> list[object]:
    return [index]


async def async_arguments(args: tuple[object, ...], index: int) -> list[object]:
    return [*args, index]


class Shards(PartitionSupervisor):
    """Computes its options."""

    def __init__(self, shards: int) -> None:
        super().__init__(Counter, partitions=shards, with_arguments=arguments)


def a_partition_supervisor_is_a_child() -> None:
    assert_type(PartitionSupervisor.child_spec(Counter), ChildSpec)
    assert_type(Shards.child_spec(3), ChildSpec)
    PartitionSupervisor.child_spec(worker, partitions=3, strategy="one_for_all", max_restarts=5)
    PartitionSupervisor.child_spec(Counter.child_spec(5), with_arguments=arguments)
    PartitionSupervisor.child_spec(Counter, with_arguments=lambda args, index: (index,))
    run([PartitionSupervisor.child_spec(DynamicSupervisor), Shards.child_spec(3)])
    PartitionSupervisor.child_spec()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    PartitionSupervisor.child_spec([Counter])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    PartitionSupervisor.child_spec(blocking)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    PartitionSupervisor.child_spec(Counter, partitions=2.5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    PartitionSupervisor.child_spec(Counter, strategy="one")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    PartitionSupervisor.child_spec(Counter, with_arguments=wrong_arguments)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    PartitionSupervisor.child_spec(Counter, with_arguments=async_arguments)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    PartitionSupervisor.child_spec(Counter, auto_shutdown="never")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


async def partitions_can_be_asked(parts: PartitionSupervisorRef) -> None:
    assert_type(parts.partitions(), int)
    assert_type(parts.partition_of(("any", "key")), int)
    assert_type(await parts.resize(3), int)
    assert_type(await parts.which_children(), list[ChildInfo])
    assert_type(await parts.count_children(), ChildCounts)
    parts.partition_of(["x"])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    parts.partition_of()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await parts.resize("3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await parts.partitions()  # type: ignore[misc]  # pyright: ignore[reportGeneralTypeIssues]
    parts.resize(3)  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]
    await parts.start_child(Counter)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
