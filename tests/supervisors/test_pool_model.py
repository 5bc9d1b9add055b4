"""Everything at once, at random: never two holders, never too many, all come back."""

from __future__ import annotations

import random
from functools import partial

import pytest
import trio

from runtime import (
    CallError,
    CallTimeout,
    Killed,
    Node,
    NoProcess,
    Normal,
    Pid,
    Ref,
    StartError,
    exit,
    kill,
    processes,
    ref,
    spawn,
    wait_exit,
)
from supervisors.pool_ref import PoolRef
from supervisors.pool_requests import PoolFull, PoolStatus
from tests.supervisors.pool_parts import Fleet, Work, number, settle, start_pool

SIZE, OVERFLOW = 3, 2


class World:
    """A pool, clients that use it as they like, and accidents."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.held: dict[Pid, str] = {}
        self.shared: list[str] = []
        self.lent = self.refused = self.most = 0
        self.pids: list[Pid] = []
        self.scopes: list[trio.CancelScope] = []
        self.fleet = Fleet(self.begin, nap=0.05)  # those that stop have their slots too

    async def begin(self, number: int) -> None:
        """Starts take their time, and some fail."""
        self.most = max(self.most, sum("Conn" in repr(pid) for pid in processes()))
        if number >= SIZE:
            await trio.sleep(self.dice.choice([0.0, 0.1, 1.0]))
            if self.dice.random() < 0.1:
                raise OSError("away")

    async def client(self, pool: PoolRef, tag: str) -> None:
        """Wants a worker now and then."""
        for _ in range(5):
            await trio.sleep(self.dice.uniform(0.0, 0.5))
            timeout = self.dice.choice([0.0, 0.2, 1.0, 5.0])
            try:
                async with pool.checkout(timeout=timeout, block=self.dice.random() < 0.8) as worker:
                    await self.use(worker, tag)
            except (CallTimeout, PoolFull, StartError):
                self.refused += 1
            except (CallError, ValueError):
                pass

    async def use(self, worker: Ref, tag: str) -> None:
        """Nobody else may have it meanwhile."""
        if worker.pid in self.held:
            self.shared.append(f"{tag} and {self.held[worker.pid]}")
        self.held[worker.pid] = tag
        self.lent += 1
        try:
            await trio.sleep(self.dice.choice([0.0, 0.3, 1.0]))
            match self.dice.randrange(6):
                case 0:
                    raise ValueError("oops")
                case 1:
                    exit(worker, "boom")
                case 2:
                    await worker.call(Work(0.5))
                case _:
                    await number(worker)
        finally:
            self.held.pop(worker.pid, None)

    async def run(self, pool: PoolRef, tag: str) -> None:
        """A client that is a plain task and can be cancelled."""
        with trio.CancelScope() as scope:
            self.scopes.append(scope)
            await self.client(pool, tag)

    async def accidents(self, pool: PoolRef) -> None:
        """Workers are killed, clients are killed and cancelled."""
        for _ in range(60):
            await trio.sleep(self.dice.uniform(0.0, 0.3))
            match self.dice.randrange(4):
                case 0:
                    self.dice.choice(self.scopes).cancel()
                case 1:
                    kill(self.dice.choice(self.pids))
                case 2:
                    workers = [one.pid for one in await pool.which_children() if one.pid]
                    if workers:
                        exit(self.dice.choice(workers), "accident")
                case _:
                    pass


@pytest.mark.parametrize("policy", ["replace", "return"])
@pytest.mark.parametrize("seed", range(8))
async def test_never_two_holders_never_too_many_and_all_come_back(
    node: Node, seed: int, policy: str
) -> None:
    world = World(seed)
    pool = await start_pool(
        world.fleet,
        size=SIZE,
        max_overflow=OVERFLOW,
        strategy=world.dice.choice(["lifo", "fifo"]),
        max_queue=world.dice.choice([None, 1, 4]),
        on_holder_death=policy,
        max_restarts=10**6,
    )
    async with trio.open_nursery() as nursery:
        for at in range(8):
            world.pids.append(spawn(partial(world.client, pool, f"process {at}")))
            nursery.start_soon(world.run, pool, f"task {at}")
        await trio.lowlevel.checkpoint()
        await settle()
        nursery.start_soon(world.accidents, pool)
    ends = [await wait_exit(pid) for pid in world.pids]
    assert all(isinstance(end, Normal | Killed | NoProcess) for end in ends), ends
    await trio.sleep(20.0)
    assert world.lent > 10
    assert world.refused > 0
    assert world.most <= SIZE + OVERFLOW
    assert (world.held, world.shared) == ({}, [])
    assert await pool.status() == PoolStatus("ready", SIZE, 0, 0, 0)
    children = await pool.which_children()
    assert [one.status for one in children] == ["running"] * SIZE
    assert len({await number(ref(one.pid)) for one in children if one.pid}) == SIZE
