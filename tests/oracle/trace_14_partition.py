"""14_partition.exs: which partition a key leads to, restarts, errors, one limit for all."""

from __future__ import annotations

from collections.abc import Awaitable, Hashable
from functools import partial
from typing import Any

from runtime import (
    Agent,
    AgentRef,
    Call,
    Cast,
    ChildSpec,
    ProcessExit,
    is_alive,
    kill,
    start_link,
    via,
)
from supervisors import (
    DynamicSupervisor,
    DynamicSupervisorRef,
    PartitionSupervisor,
    PartitionSupervisorRef,
)
from tests.oracle.rendering import say
from tests.oracle.trace import (
    Trace,
    answer,
    answered,
    attempt,
    counts,
    exits_of,
    flush,
    refusal,
    settle,
)
from tests.oracle.worker import Worker


class Ask(Call[object]):
    """To nobody."""


class Tell(Cast):
    """Likewise."""


Part = tuple[int, int]
"""The state of a partition: its index, and how often it was used."""


def at(key: Hashable) -> AgentRef[Part]:
    return AgentRef(via("parts", key))


def same(part: Part) -> Part:
    return part


def used(part: Part) -> Part:
    return part[0], part[1] + 1


async def load() -> str:
    return say([(await at(i).get(same))[1] for i in range(4)])


def leave() -> int:
    raise ProcessExit("nope")


async def scenario(trace: Trace) -> None:
    out = trace.out
    spec = PartitionSupervisor.child_spec(
        Agent.child_spec(lambda: None),
        with_arguments=lambda _args, i: [lambda: (i, 0)],
        partitions=4,
    )
    s = PartitionSupervisorRef(await start_link(spec.replace(name="parts")))
    parts = PartitionSupervisorRef("parts")
    out(f"partitions {say(parts.partitions())}")
    for key in (0, 1, 2, 3, 4, 5, 7, -1, -2, -4, -5, 1000):
        out(f"key {key} -> {say((await at(key).get(same))[0])}")
    terms: list[Hashable] = ["alice", ("user", 1), "atom", (1, 2), 1.5]
    stable = all(at(term).whereis() is at(term).whereis() for term in terms)
    in_range = all([(await at(term).get(same))[0] in range(4) for term in terms])
    out(f"terms stable {say(stable)} in range {say(in_range)}")
    for key in range(10):
        await at(key).update(used)
    out(f"load {await load()}")
    ids = sorted(one.id for one in await parts.which_children() if isinstance(one.id, int))
    out(f"ids {say(ids)} {counts(await parts.count_children())}")
    out("-- kill partition 2: only it is reset")
    old = [at(i).pid for i in range(4)]
    kill(old[2])
    await settle()
    replaced = [at(i).pid is not old[i] for i in range(4)]
    out(f"replaced {say(replaced)} load {await load()}")
    await errors(trace, s)
    out("-- dynamic supervisors behind partitions")
    spec = PartitionSupervisor.child_spec(DynamicSupervisor, partitions=2)
    dyn = PartitionSupervisorRef(await start_link(spec.replace(name="dyn")))
    for key in range(5):
        await DynamicSupervisorRef(via("dyn", key)).start_child(Agent, partial(int, key))
    active = [
        (one.id, (await DynamicSupervisorRef(one.pid).count_children()).active)
        for one in reversed(await dyn.which_children())
        if one.pid is not None
    ]
    out(f"per partition {say(active)}")
    out("-- stop is synchronous; reverse order")
    spec = PartitionSupervisor.child_spec(
        Worker.child_spec(trace, "w"),
        with_arguments=lambda _args, i: [trace, ("w", i)],
        partitions=3,
    )
    w = PartitionSupervisorRef(await start_link(spec.replace(name="logged")))
    stopped = await answer(PartitionSupervisorRef("logged").stop())
    out(f"stop {say(stopped)} alive {say(is_alive(w))}")
    out(
        "-- three more crashes: with the earlier one that is four inside the window, "
        "which ends the whole thing"
    )
    for i in range(3):
        kill(at(i))
        await settle(30)
    out(f"alive {say(is_alive(s))} exit {say(exits_of(s, await flush()))}")


def begin(args: list[ChildSpec], name: str | None, partitions: int | None) -> Awaitable[object]:
    make: Any = PartitionSupervisor.child_spec  # one of these calls no type checker lets pass
    return answer(start_link(make(*args, partitions=partitions).replace(name=name)))


async def errors(trace: Trace, s: PartitionSupervisorRef) -> None:
    out = trace.out
    out("-- errors")
    nope = PartitionSupervisorRef("nope")
    out(f"unknown partitions/1: {await attempt(nope.partitions)}")
    out(f"call to unknown: {await attempt(lambda: via('nope', 1).call(Ask()))}")
    out(f"cast to unknown: {say(answered(lambda: via('nope', 1).cast(Tell())))}")
    agent = Agent.child_spec(lambda: 0)
    for label, args, name, partitions in (
        ("no_name", [agent], None, None),
        ("no_child", [], "x", None),
        ("zero", [agent], "x", 0),
    ):
        result = await attempt(partial(begin, args, name, partitions))
        out(f"{label}: {result.split('(')[0]}")
    taken = PartitionSupervisor.child_spec(agent).replace(name="parts")
    q = refusal(await answer(start_link(taken)), "already_started")
    out(f"name taken already_started same {say(q is s.pid)}")
    bad = PartitionSupervisor.child_spec(Agent.child_spec(leave), partitions=2)
    out(f"partition start failure {say(await answer(start_link(bad.replace(name='bad'))))}")
    await flush(0)
