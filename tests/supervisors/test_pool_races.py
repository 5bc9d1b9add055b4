"""Giving up in the very tick of being served, thousands of times: a worker is never lost."""

from __future__ import annotations

import gc
import random
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import trio
import trio.testing

from runtime import CallTimeout, Node, Pid, Ref, exit, kill, spawn, start
from runtime.server_body import ServerBody
from supervisors.pool import Pool
from supervisors.pool_ref import PoolRef
from supervisors.pool_requests import PoolStatus, PoolWorker
from tests.supervisors.pool_parts import Fleet, in_task, number, settle, start_pool

IDLE = PoolStatus("ready", 1, 0, 0, 0)


class Racer:
    """A waiter that can be made to give up, by whatever way; it holds a worker for no time."""

    def __init__(self, pool: PoolRef, how: str, *, block: bool) -> None:
        self._pool = pool
        self._how = how
        self._block = block
        self._scope = trio.CancelScope()
        self._pid: Pid | None = None
        self.got = False

    async def _run(self) -> None:
        timeout = 1.0 if self._how == "time out" else 1e6
        try:
            with self._scope:
                if self._block:
                    async with self._pool.checkout(timeout=timeout):
                        self.got = True
                else:
                    worker = await self._pool.checkout_worker(timeout=timeout)
                    self.got = True
                    self._pool.checkin(worker)
        except CallTimeout:
            pass

    async def start(self, nursery: trio.Nursery) -> None:
        """Get in line."""
        if self._how == "kill":
            self._pid = spawn(self._run)
        else:
            nursery.start_soon(self._run)
        await settle()

    def give_up(self) -> None:
        """Now."""
        if self._pid is not None:
            kill(self._pid)
        elif self._how == "cancel":
            self._scope.cancel()
        else:
            clock = trio.lowlevel.current_clock()
            assert isinstance(clock, trio.testing.MockClock)
            clock.jump(1.0)


@pytest.mark.parametrize("block", [True, False])
@pytest.mark.parametrize("how", ["cancel", "time out", "kill"])
async def test_one_that_gives_up_in_the_tick_of_a_checkin_has_the_worker_or_has_it_not(
    node: Node, how: str, block: bool
) -> None:
    """PL-07, trap 1: 6,000 times, at random some scheduler steps before or after."""
    fleet = Fleet()
    pool, dice = await start_pool(fleet, size=1), random.Random(how)
    outcomes = {True: 0, False: 0}
    for _ in range(1000):
        held = await pool.checkout_worker(timeout=0)
        racer = Racer(pool, how, block=block)
        steps: list[Callable[[], None]] = [partial(pool.checkin, held), racer.give_up]
        dice.shuffle(steps)
        async with trio.open_nursery() as nursery:
            await racer.start(nursery)
            for step in steps:
                step()
                for _ in range(dice.randrange(5)):
                    await trio.lowlevel.checkpoint()
            await settle()
            assert await pool.status() == IDLE
        outcomes[racer.got] += 1
    assert min(outcomes.values()) > 100, f"both happen: {outcomes}"
    assert len(fleet.up) == 1


class Meddler(Pool):
    """Cancels its clients as soon as it has served them, before they can run."""

    def __init__(self, fleet: Fleet, scopes: list[trio.CancelScope]) -> None:
        super().__init__(fleet.spec, size=1)
        self.scopes = scopes

    def _go_on(self) -> None:
        super()._go_on()
        for scope in self.scopes:
            scope.cancel()


async def test_a_caller_that_was_lent_a_worker_hears_of_it_before_it_is_cancelled(
    node: Node,
) -> None:
    """It is served while it sleeps, and cancelled before it has run again."""
    scopes: list[trio.CancelScope] = []
    pool = PoolRef(await start(Meddler.child_spec(Fleet(), scopes)))
    held, got = await pool.checkout_worker(), list[PoolWorker]()

    async def by_hand() -> None:
        got.append(await pool.checkout_worker())
        with pytest.raises(trio.Cancelled):
            await trio.lowlevel.checkpoint()
        pool.checkin(got[-1])
        await trio.lowlevel.checkpoint()

    async def in_a_block() -> None:
        async with pool.checkout() as worker:
            got.append(worker)
            await trio.lowlevel.checkpoint()

    for client in (by_hand, in_a_block):
        async with trio.open_nursery() as nursery:
            scopes.append(await in_task(nursery, client))
            pool.checkin(held)
            await settle()
        scopes.clear()
        assert await pool.status() == IDLE
        held = await pool.checkout_worker()
    assert len(got) == 2


@pytest.mark.parametrize("seed", range(5))
async def test_whatever_happens_to_worker_holder_and_waiter_in_one_tick_nothing_is_lost(
    node: Node, seed: int
) -> None:
    """The worker crashes, its holder dies or gives it back, the waiter is cancelled or dies."""
    fleet, dice = Fleet(), random.Random(seed)
    pool = await start_pool(fleet, size=1, max_restarts=10**6)
    for _ in range(200):
        workers: list[Ref] = []

        async def hold(workers: list[Ref] = workers) -> None:
            async with pool.checkout() as worker:
                workers.append(worker)
                await trio.sleep_forever()

        async def wait() -> None:
            async with pool.checkout():
                pass

        async with trio.open_nursery() as nursery:
            holder = spawn(hold)
            await settle()
            waiter = spawn(wait)
            scope = await in_task(nursery, wait)
            steps: list[partial[Any]] = [
                partial(kill, holder),
                partial(exit, workers[0], "boom"),
                partial(kill, waiter),
                partial(scope.cancel),
                partial(pool.checkin, workers[0]),  # type: ignore[arg-type]
            ]
            for step in dice.sample(steps, dice.randrange(1, 6)):
                step()
                for _ in range(dice.randrange(4)):
                    await trio.lowlevel.checkpoint()
            kill(holder)
            await settle()
        assert await pool.status() == IDLE
        assert await pool.transaction(number) in fleet.up
        assert len(fleet.up) == 1


async def test_waiters_that_gave_up_are_not_remembered(node: Node) -> None:
    """A pool that is stuck, with clients that try again and again."""
    pool = await start_pool(Fleet(), size=1)
    held = await pool.checkout_worker()
    for _ in range(500):
        with pytest.raises(CallTimeout):
            await pool.checkout_worker(timeout=0.1)
    await settle()
    process = pool.find()
    assert process is not None
    assert isinstance(process.body, ServerBody)
    server = process.body.server
    assert isinstance(server, Pool)
    assert server._waiting == {}
    assert server._slots.waiting == 0
    pool.checkin(held)


async def test_a_checkout_leaves_no_garbage_that_needs_the_collector(node: Node) -> None:
    pool = await start_pool(Fleet(), size=1)
    await pool.transaction(number)
    gc.collect()
    gc.disable()
    try:
        for _ in range(10):
            async with pool.checkout():
                pass
        await settle()
        assert not [one for one in gc.get_objects() if type(one) is PoolWorker]
    finally:
        gc.enable()
