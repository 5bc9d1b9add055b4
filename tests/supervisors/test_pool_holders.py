"""A holder that dies: what becomes of its worker, and who is a holder that dies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import trio

from runtime import (
    CallTimeout,
    Cast,
    GenServer,
    MonitorRef,
    Node,
    Pid,
    Shutdown,
    exit,
    handles,
    kill,
    monitor,
    open_node,
    receive,
    self_,
    spawn,
    start,
    trap_exits,
    wait_exit,
)
from runtime.process import table_var
from supervisors import Supervisor, open_supervisor
from supervisors.pool import Pool
from supervisors.pool_ref import PoolRef
from supervisors.pool_requests import PoolStatus, PoolWorker
from tests.supervisors.pool_parts import (
    Fleet,
    holder,
    in_task,
    number,
    say_status,
    settle,
    start_pool,
    trapping,
)
from tests.support import in_process

IDLE = PoolStatus("ready", 1, 0, 0, 0)


def by_kill(pid: Pid) -> None:
    kill(pid)


def by_signal(pid: Pid) -> None:
    exit(pid, "enough")


def by_shutdown(pid: Pid) -> None:
    exit(pid, Shutdown())


WAYS: list[Callable[[Pid], None]] = [by_kill, by_signal, by_shutdown]


@pytest.mark.parametrize("die", WAYS)
async def test_the_worker_of_a_holder_that_dies_is_stopped_and_a_fresh_one_goes_to_the_next(
    node: Node, die: Callable[[Pid], None]
) -> None:
    """PL-25; differs from PL-09: a worker in the middle of something is not lent on."""
    fleet = Fleet()
    pool = await start_pool(fleet, size=1)
    _, pid = await holder(pool, fleet.log, "owner")
    await holder(pool, fleet.log, "next")
    die(pid)
    await settle()
    assert fleet.log == [
        "worker 0 started",
        "owner got 0",
        "worker 0 terminated shutdown",
        "worker 1 started",
        "next got 1",
    ]
    assert await say_status(pool) == "full available=0 overflow=0 checked_out=1"


@pytest.mark.parametrize("die", WAYS)
async def test_or_it_goes_to_the_next_as_it_is(node: Node, die: Callable[[Pid], None]) -> None:
    """PL-09."""
    fleet = Fleet()
    pool = await start_pool(fleet, size=1, on_holder_death="return")
    _, pid = await holder(pool, fleet.log, "owner")
    _, following = await holder(pool, fleet.log, "next")
    die(pid)
    await settle()
    assert fleet.log == ["worker 0 started", "owner got 0", "next got 0"]
    die(following)
    await settle()
    assert await pool.status() == IDLE


async def test_the_fresh_one_is_made_when_the_old_one_is_gone_within_its_budget(
    node: Node,
) -> None:
    """So there are never more than there may be."""
    fleet = Fleet(nap=2.0)
    pool = PoolRef(await start(Pool.child_spec(fleet.spec.replace(shutdown=1.0), size=1)))
    _, pid = await holder(pool, fleet.log, "owner")
    kill(pid)
    await settle()
    assert await say_status(pool) == "full available=0 overflow=0 checked_out=0"
    assert fleet.made == 1
    async with pool.checkout() as worker:
        assert trio.current_time() == 1.0
        assert await number(worker) == 1


async def test_a_worker_of_a_dead_holder_that_nobody_waits_for_is_replaced_up_to_the_size(
    node: Node,
) -> None:
    fleet = Fleet()
    pool = await start_pool(fleet, size=1, max_overflow=1)
    pids = [(await holder(pool, fleet.log, tag))[1] for tag in "ab"]
    kill(pids[0])
    await settle()
    assert fleet.up == {1}
    kill(pids[1])
    await settle()
    assert fleet.up == {2}
    assert await pool.status() == IDLE


async def test_it_is_no_restart_however_many_holders_die(node: Node) -> None:
    """The workers have done nothing wrong."""
    fleet = Fleet()
    pool = await start_pool(fleet, size=1, max_restarts=0)
    for _ in range(10):
        _, pid = await holder(pool, fleet.log, "owner")
        kill(pid)
        await settle()
    assert fleet.made == 11
    assert await pool.status() == IDLE


async def test_a_process_that_dies_holding_several_loses_them_all(node: Node) -> None:
    """PL-18."""
    fleet = Fleet()
    pool = await start_pool(fleet, size=2)

    async def run() -> None:
        await pool.checkout_worker()
        async with pool.checkout():
            await trio.sleep_forever()

    pid = spawn(run)
    await settle()
    kill(pid)
    await settle()
    assert fleet.up == {2, 3}
    assert await pool.status() == PoolStatus("ready", 2, 0, 0, 0)


async def test_a_process_that_returns_without_a_checkin_has_died_holding_it(node: Node) -> None:
    fleet = Fleet()
    pool = await start_pool(fleet, size=1)
    await wait_exit(spawn(pool.checkout_worker))
    assert (await pool.status()).checked_out == 0
    await settle()
    assert fleet.up == {1}


async def test_who_hears_of_the_death_finds_the_worker_taken_back(node: Node) -> None:
    fleet = Fleet()
    pool = await start_pool(fleet, size=1, on_holder_death="return")
    _, pid = await holder(pool, fleet.log, "owner")

    async def watcher() -> PoolStatus:
        seen: MonitorRef = monitor(pid)
        kill(pid)
        down = await receive()
        assert down.ref is seen  # type: ignore[attr-defined]
        return await pool.status()

    assert await in_process(watcher) == IDLE


async def test_a_process_that_raises_in_its_block_and_lives_has_given_it_back(
    node: Node,
) -> None:
    """PL-13."""
    fleet = Fleet()
    pool = await start_pool(fleet, size=1)

    async def run() -> None:
        for _ in range(3):
            with pytest.raises(ValueError, match="oops"):
                async with pool.checkout():
                    raise ValueError("oops")

    await in_process(run)
    assert await pool.status() == IDLE
    assert fleet.made == 1


async def test_a_plain_task_that_is_cancelled_has_given_it_back(node: Node) -> None:
    fleet = Fleet()
    pool = await start_pool(fleet, size=1)
    async with trio.open_nursery() as nursery:

        async def hold() -> None:
            async with pool.checkout():
                await trio.sleep_forever()

        await in_task(nursery, hold)
        nursery.cancel_scope.cancel()
    assert await pool.status() == IDLE
    assert fleet.made == 1


async def test_a_scope_that_is_cancelled_in_a_process_is_no_death(node: Node) -> None:
    fleet = Fleet()
    pool = await start_pool(fleet, size=1)

    async def run() -> PoolStatus:
        with trio.move_on_after(1.0):
            async with pool.checkout():
                await trio.sleep_forever()
        return await pool.status()

    assert await in_process(run) == IDLE
    assert fleet.made == 1


async def test_a_holder_that_traps_exits_is_not_dead_of_a_signal(node: Node) -> None:
    fleet = Fleet()
    pool = await start_pool(fleet, size=1)
    held = (await holder(pool, fleet.log, "x"))[0]
    held.done.set()
    await settle()

    async def hold() -> None:
        async with pool.checkout():
            await receive()

    pid = spawn(trapping(hold))
    await settle()
    exit(pid, "enough")
    await settle()
    assert await pool.status() == IDLE
    assert fleet.made == 1


class Hurt(Cast):
    """The owner raises."""


class Owner(GenServer):
    """Holds a worker for as long as it lives."""

    def __init__(self, pool: PoolRef) -> None:
        self.pool = pool

    async def init(self) -> None:
        self.worker = await self.enter(self.pool.checkout())

    @handles(Hurt)
    def hurt(self, message: Hurt) -> None:
        raise ValueError("ouch")


@pytest.mark.parametrize(
    ("how", "replaced"), [("stop", False), ("crash", True), ("kill", True), ("shutdown", True)]
)
async def test_a_server_may_hold_one_for_life_and_gives_it_back_when_it_ends_well(
    node: Node, how: str, replaced: bool
) -> None:
    fleet = Fleet()
    pool = await start_pool(fleet, size=1)
    owner = await start(Owner.child_spec(pool))
    assert (await pool.status()).checked_out == 1
    if how == "stop":
        await owner.stop()
    elif how == "crash":
        owner.cast(Hurt())
    elif how == "kill":
        kill(owner)
    else:
        exit(owner, Shutdown())
    await wait_exit(owner)
    await settle()
    assert fleet.up == {1 if replaced else 0}
    assert await pool.status() == IDLE


async def test_a_task_that_outlives_the_process_it_was_started_in_is_a_plain_task(
    node: Node,
) -> None:
    """Its process ends while it waits for a worker."""
    fleet = Fleet()
    pool = await start_pool(fleet, size=1)
    first = await pool.checkout_worker()
    got: list[PoolWorker] = []
    async with trio.open_nursery() as nursery:

        async def outlive() -> None:
            async with pool.checkout(timeout=9.0) as worker:
                got.append(worker)
                await trio.sleep(1.0)
                assert await number(worker) == 0

        async def run() -> None:
            nursery.start_soon(outlive)
            await settle()

        await wait_exit(spawn(run))
        assert (await pool.status()).waiting == 1
        pool.checkin(first)
    assert len(got) == 1
    assert await pool.status() == IDLE
    assert fleet.made == 1


async def test_a_waiter_that_dies_is_skipped(node: Node) -> None:
    """PL-08."""
    fleet = Fleet()
    pool = await start_pool(fleet, size=1)
    held = await pool.checkout_worker()
    pids = [(await holder(pool, fleet.log, tag))[1] for tag in "abc"]
    kill(pids[0])
    kill(pids[1])
    pool.checkin(held)
    await settle()
    assert fleet.log == ["worker 0 started", "c got 0"]
    assert fleet.made == 1


async def test_after_a_checkin_the_death_of_the_former_holder_means_nothing(node: Node) -> None:
    fleet = Fleet()
    pool = await start_pool(fleet, size=1)

    async def run() -> None:
        pool.checkin(await pool.checkout_worker())
        await trio.sleep_forever()

    pid = spawn(run)
    await settle()
    async with pool.checkout() as worker:
        kill(pid)
        await settle()
        assert await number(worker) == 0
    assert fleet.made == 1


async def test_a_tree_that_stops_replaces_no_worker_of_its_dying_holders_in_vain(
    node: Node,
) -> None:
    """The pool is there to the end, for the last words of those who were started after it."""
    fleet = Fleet()

    class Client(GenServer):
        async def init(self) -> None:
            self.worker = await PoolRef("db").checkout_worker()
            trap_exits()

        async def terminate(self, reason: object) -> None:
            fleet.log.append(f"client {await number(self.worker)}")
            PoolRef("db").checkin(self.worker)

    children = [Pool.child_spec(fleet.spec, size=1).replace(name="db"), Client.child_spec()]
    async with open_supervisor([Supervisor.child_spec(children)]):
        pass
    assert fleet.log == ["worker 0 started", "client 0", "worker 0 terminated shutdown"]


async def test_a_holder_leaves_nothing_behind_in_the_pool_or_in_itself() -> None:
    fleet = Fleet()
    async with open_node():
        table = table_var.get()
        pool = await start_pool(fleet, size=1)

        async def run() -> None:
            process = table.by_pid[self_()]
            for _ in range(50):
                async with pool.checkout():
                    await settle()
                    assert len(process.links.watchers()) == 1
            with pytest.raises(CallTimeout):
                async with pool.checkout(), pool.checkout(timeout=1.0):
                    pass
            await settle()
            assert process.links.watchers() == ()

        await in_process(run)
        await settle()
        server: Any = table.by_pid[pool.pid].body
        state = server.server
        assert (state._lent, state._monitors, state._waiting) == ({}, {}, {})
        assert table.by_pid[pool.pid].links.watching() == ()
