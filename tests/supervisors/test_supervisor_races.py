"""Things that happen in the same tick. Trio's order within a tick is seeded, so each run is one
race, and the same one every time.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
import trio
from trio._core import _run as trio_run

from runtime import (
    ChildSpec,
    Exit,
    GenServer,
    Node,
    NoProcess,
    Shutdown,
    is_alive,
    kill,
    monitor,
    named,
    open_node,
    processes,
    receive,
    self_,
    spawn,
    wait_exit,
    whereis,
)
from runtime.current import current_table, find_process
from supervisors import Strategy, Supervisor, SupervisorRef
from tests.supervisors.tree_parts import (
    begin_after,
    crash,
    kids,
    pid_of,
    settle,
    start_supervisor,
    worker,
    workers,
)
from tests.support import Do, Scripted

STRATEGIES: list[Strategy] = ["one_for_one", "one_for_all", "rest_for_one"]


class Witness(GenServer):
    """Notes an incarnation beside itself, and a name that it has not got."""

    def __init__(self, tag: str, alive: dict[str, int], bad: list[str]) -> None:
        self.tag = tag
        self.alive = alive
        self.bad = bad

    async def init(self) -> None:
        self.alive[self.tag] = self.alive.get(self.tag, 0) + 1
        if self.alive[self.tag] > 1:
            self.bad.append(f"{self.tag} overlaps its predecessor")
        await self.enter(_Counted(self.alive, self.tag))
        if whereis(self.tag) is not self_():
            self.bad.append(f"{self.tag} has not its name")
        await trio.lowlevel.checkpoint()

    async def terminate(self, reason: object) -> None:
        await trio.lowlevel.checkpoint()


class _Counted(AbstractContextManager[None]):
    """Open for as long as the incarnation lives."""

    def __init__(self, alive: dict[str, int], tag: str) -> None:
        self.alive = alive
        self.tag = tag

    def __exit__(self, *details: object) -> None:
        self.alive[self.tag] -= 1


def witnesses(bad: list[str]) -> list[ChildSpec]:
    alive: dict[str, int] = {}
    return [Witness.child_spec(tag, alive, bad).replace(name=tag) for tag in "abcd"]


async def nothing() -> None:
    """A process that only uses up a pid."""


@pytest.mark.parametrize("end", ["kill", "stop"])
@pytest.mark.parametrize("seed", range(60))
async def test_a_supervisor_that_is_ending_starts_nothing(seed: int, end: str) -> None:
    """Races of crashes against the end of the supervisor. Pids are numbers in the order of
    starts, so a process that was started after the supervisor was told to end leaves a gap.
    """
    trio_run._r.seed(seed)
    dice = random.Random(seed)
    bad: list[str] = []
    async with open_node(instruments=[]):
        strategy = dice.choice(STRATEGIES)
        sup = await start_supervisor(witnesses(bad), strategy=strategy, max_restarts=1000)
        root = find_process(sup)
        assert root is not None
        for _ in range(dice.randrange(1, 6)):
            victim = whereis(dice.choice("abcd"))
            if victim is not None:
                kill(victim)
            for _ in range(dice.randrange(0, 4)):
                await trio.lowlevel.checkpoint()
        if end == "kill":
            kill(sup)
        else:
            root.signal(current_table().owner, Shutdown())  # as the node and open_supervisor do
        before = spawn(nothing)
        await wait_exit(sup)
        after = spawn(nothing)
        assert after.number - before.number == 1
        assert set(processes()) <= {before, after}
    assert bad == []


@pytest.mark.parametrize("seed", range(20))
async def test_a_supervisor_killed_in_the_tick_in_which_its_wait_is_over_starts_nothing(
    seed: int,
) -> None:
    """Between the end of the last group member and the restart, somebody kills the supervisor."""
    trio_run._r.seed(seed)
    log: list[str] = []
    late: list[str] = []
    async with open_node(instruments=[]):
        sup = await start_supervisor(
            [worker(log, "a"), worker(log, "b", nap=1).replace(name="b")], strategy="one_for_all"
        )

        async def assassin() -> None:
            monitor(named("b"))
            await receive()
            spawned = len(processes())
            kill(sup)
            await wait_exit(sup)
            if spawned == 2:  # only the supervisor and the assassin
                late.extend(line for line in log[4:] if line.startswith("init"))

        killer = spawn(assassin)
        await settle()
        await crash(sup, "a")
        await wait_exit(killer)
    assert late == []


@pytest.mark.parametrize("seed", range(20))
async def test_a_start_cancelled_in_the_tick_in_which_the_child_is_up_leaves_nothing(
    seed: int,
) -> None:
    """Contract 6: whoever hears first, the requester of its cancellation or the supervisor."""
    trio_run._r.seed(seed)
    log: list[str] = []
    async with open_node(instruments=[]):
        sup = await start_supervisor([], max_restarts=0)
        with trio.CancelScope() as scope:

            async def begin() -> None:
                await trio.sleep(1)
                scope.cancel()

            await sup.start_child(worker(log, "a", begin=begin))
        assert scope.cancelled_caught
        await trio.sleep(1)
        assert await kids(sup) == ""
        assert log.count("init a") == 1
        assert len(processes()) == 1


@pytest.mark.parametrize("seed", range(20))
async def test_a_start_whose_time_is_over_as_the_child_gets_up_is_one_or_the_other(
    seed: int,
) -> None:
    """Either the requester has its child, or there is none."""
    trio_run._r.seed(seed)
    async with open_node(instruments=[]):
        sup = await start_supervisor([])
        got: list[object] = []
        with trio.move_on_after(1):
            got.append(await sup.start_child(worker([], "a", begin=begin_after(1))))
        await trio.sleep(1)
        assert await kids(sup) == ("a=up" if got else "")


@pytest.mark.parametrize("seconds", [0, 1, 5])
async def test_a_cancelled_start_leaves_nothing(node: Node, seconds: float) -> None:
    """Before it began, at its first step, in a slow init."""
    log: list[str] = []
    sup = await start_supervisor(workers(log, "a"))
    with trio.move_on_after(seconds) as patience:
        await sup.start_child(worker(log, "b", begin=begin_after(60)).replace(name="b"))
    assert patience.cancelled_caught
    await settle()
    assert await kids(sup) == "a=up"
    assert whereis("b") is None
    assert "terminate b killed" not in log


async def test_a_start_cancelled_in_the_queue_never_begins(node: Node) -> None:
    """The supervisor is busy with another start when the requester gives up."""
    log: list[str] = []
    sup = await start_supervisor([])
    async with trio.open_nursery() as nursery:
        nursery.start_soon(sup.start_child, worker(log, "slow", begin=begin_after(10)))
        await trio.sleep(1)
        with trio.move_on_after(1):
            await sup.start_child(worker(log, "b"))
    await settle()
    assert log == ["init slow"]
    assert await kids(sup) == "slow=up"


@pytest.mark.parametrize("request_name", ["terminate_child", "restart_child"])
async def test_other_requests_that_are_cancelled_are_done_all_the_same(
    node: Node, request_name: str
) -> None:
    """Cancelling gives up only the wait."""
    log: list[str] = []
    sup = await start_supervisor([worker(log, "a", nap=3, begin=begin_after(3))])
    if request_name == "restart_child":
        await sup.terminate_child("a")
    with trio.move_on_after(1) as patience:
        await getattr(sup, request_name)("a")
    assert patience.cancelled_caught
    expected = "a=undefined" if request_name == "terminate_child" else "a=up"
    assert await kids(sup) == expected


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("strategy", STRATEGIES)
async def test_many_kills_at_once_leave_a_whole_tree(seed: int, strategy: Strategy) -> None:
    """All children die in one tick, again and again."""
    trio_run._r.seed(seed)
    dice = random.Random(seed)
    bad: list[str] = []
    async with open_node(instruments=[]):
        sup = await start_supervisor(witnesses(bad), strategy=strategy, max_restarts=10_000)
        for _ in range(10):
            for tag in dice.sample("abcd", dice.randrange(1, 5)):
                victim = whereis(tag)
                if victim is not None:
                    kill(victim)
            for _ in range(dice.randrange(0, 8)):
                await trio.lowlevel.checkpoint()
        await settle()
        assert await kids(sup) == "d=up c=up b=up a=up"
        assert len(processes()) == 5
    assert bad == []


async def test_each_end_of_a_child_is_seen_once(node: Node) -> None:
    """A link, a monitor and the supervisor's own wait all hear of the same death."""
    sup = await start_supervisor(workers([], "a"), max_restarts=1)
    pid = await pid_of(sup, "a")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait_exit, pid)
        nursery.start_soon(wait_exit, pid)
        kill(pid)
    await settle()
    assert is_alive(sup)
    assert await wait_exit(pid) == NoProcess()


async def test_a_child_that_kills_its_own_supervisor_ends_with_it(node: Node) -> None:
    log: list[Any] = []
    sup = await start_supervisor([Scripted.child_spec(log).replace(name="a")])
    named("a").cast(Do(_kills(sup)))
    await settle()
    assert not is_alive(sup)
    assert [kind for kind, *_ in log] == ["terminate"]


def _kills(sup: SupervisorRef) -> Callable[[object], None]:
    return lambda _: kill(sup)


async def test_an_exit_message_of_a_former_child_is_nothing(node: Node) -> None:
    """Its row has another process by now."""
    sup = await start_supervisor(workers([], "a"), max_restarts=1)
    first = await pid_of(sup, "a")
    kill(first)
    await settle()
    second = await pid_of(sup, "a")
    sup.send(Exit(first, Shutdown()))
    await settle()
    assert await pid_of(sup, "a") is second


async def test_the_supervisor_of_a_supervisor_is_not_fooled_by_grandchildren(node: Node) -> None:
    inner = Supervisor.child_spec([worker([], "a").replace(name="a")])
    outer = await start_supervisor([inner], max_restarts=0)
    kill(named("a"))
    await settle()
    assert is_alive(outer)
