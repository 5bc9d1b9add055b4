"""A pool that ends: its workers, its holders, those who wait."""

from __future__ import annotations

import gc
import math

import pytest
import trio

from runtime import (
    BudgetExceeded,
    CallCycle,
    CallExit,
    Cast,
    Exit,
    GenServer,
    Killed,
    Node,
    Normal,
    Shutdown,
    exit,
    handles,
    is_alive,
    kill,
    open_node,
    start,
    trap_exits,
    wait_exit,
)
from supervisors import Supervisor, SupervisorRef
from supervisors.pool import Pool
from supervisors.pool_ref import PoolRef
from tests.conftest import Recorder
from tests.supervisors.pool_parts import Fleet, in_task, number, settle, start_pool


async def test_idle_and_lent_workers_stop_with_their_pool_all_at_once(node: Node) -> None:
    """PL-38."""
    fleet = Fleet(nap=2.0)
    pool = await start_pool(fleet, size=3)
    async with pool.checkout() as worker:
        await pool.stop()
        assert trio.current_time() == 2.0
        with pytest.raises(CallExit):
            await number(worker)
    assert fleet.up == set()
    assert sorted(fleet.log[3:]) == [f"worker {one} terminated shutdown" for one in range(3)]


async def test_each_worker_has_its_own_budget(node: Node, events: Recorder) -> None:
    fleet = Fleet(nap=9.0)
    pool = PoolRef(await start(Pool.child_spec(fleet.spec.replace(shutdown=1.0), size=2)))
    await pool.stop()
    assert trio.current_time() == 1.0
    assert [event.seconds for event in events.of(BudgetExceeded)] == [1.0, 1.0]


async def test_a_pool_that_is_killed_takes_its_workers_with_it(node: Node) -> None:
    fleet = Fleet()
    pool = await start_pool(fleet, size=2)
    kill(pool)
    assert await wait_exit(pool) == Killed()
    assert fleet.up == set()
    assert set(fleet.log[2:]) == {"worker 0 terminated killed", "worker 1 terminated killed"}


@pytest.mark.parametrize("how", ["stop", "kill", "supervisor"])
async def test_who_waits_hears_of_the_end_before_the_workers_have_stopped(
    node: Node, how: str
) -> None:
    fleet = Fleet(nap=3.0)
    spec = Pool.child_spec(fleet.spec, size=1).replace(name="db", id="db")
    tree = SupervisorRef(await start(Supervisor.child_spec([spec])))
    pool = PoolRef("db")
    await pool.checkout_worker()
    heard: list[tuple[float, object]] = []

    async def wait() -> None:
        with pytest.raises(CallExit) as info:
            await pool.checkout_worker(timeout=math.inf)
        heard.append((trio.current_time(), info.value.reason))
        assert info.value.__cause__ is None

    async with trio.open_nursery() as nursery:
        await in_task(nursery, wait)
        if how == "stop":
            exit(pool, "ignored, from a stranger")
            nursery.start_soon(pool.stop)
        elif how == "kill":
            kill(pool)
        else:
            nursery.start_soon(tree.terminate_child, "db")
    reason = {"stop": Normal(), "kill": Killed(), "supervisor": Shutdown()}[how]
    assert heard == [(0.0, reason)]
    await tree.stop()


class Oops(Cast):
    """Handled by nobody well."""


class Broken(Pool):
    """A pool with a mistake of its own."""

    @handles(Oops)
    def oops(self, message: Oops) -> None:
        raise ValueError("a mistake")


async def test_who_waits_hears_of_a_crash_with_its_cause(node: Node) -> None:
    fleet = Fleet()
    pool = PoolRef(await start(Broken.child_spec(fleet.spec, size=1)))
    await pool.checkout_worker()
    async with trio.open_nursery() as nursery:

        async def wait() -> None:
            with pytest.raises(CallExit, match="Checkout to ") as info:
                await pool.checkout_worker()
            assert isinstance(info.value.__cause__, ValueError)

        await in_task(nursery, wait)
        pool.cast(Oops())
    await wait_exit(pool)
    assert fleet.up == set()


class Greedy(GenServer):
    """A worker that wants another worker of its own pool, without a time limit."""

    def __init__(self, heard: list[str]) -> None:
        self.heard = heard

    async def init(self) -> None:
        trap_exits()

    async def handle_info(self, message: object) -> None:
        if isinstance(message, Exit):
            return
        try:
            await PoolRef("db").checkout_worker(timeout=math.inf)
        except (CallExit, CallCycle) as exc:
            self.heard.append(type(exc).__name__)


async def test_a_worker_that_waits_for_its_own_pool_does_not_hold_up_its_end(node: Node) -> None:
    """One that traps exits, so that nothing interrupts it."""
    heard: list[str] = []
    spec = Greedy.child_spec(heard).replace(shutdown=math.inf)
    pool = PoolRef(await start(Pool.child_spec(spec, size=1).replace(name="db")))
    worker = await pool.checkout_worker()
    worker.send("go")
    await settle()
    await pool.stop()
    assert trio.current_time() == 0.0
    assert heard == ["CallExit"]


async def test_a_pool_that_ends_while_a_worker_starts_ends_that_too(node: Node) -> None:
    async def begin(number: int) -> None:
        await trio.sleep(9.0 * (number > 0))

    fleet = Fleet(begin)
    pool = await start_pool(fleet, size=1, max_overflow=1)
    await pool.checkout_worker()
    async with trio.open_nursery() as nursery:

        async def wait() -> None:
            with pytest.raises(CallExit):
                await pool.checkout_worker(timeout=99.0)

        await in_task(nursery, wait)
        await pool.stop()
    assert trio.current_time() == 0.0
    assert fleet.up == set()


async def test_workers_being_stopped_are_waited_for_by_the_end_of_the_pool(node: Node) -> None:
    fleet = Fleet(nap=2.0)
    pool = await start_pool(fleet, size=0, max_overflow=1)
    async with pool.checkout() as worker:
        pass
    await settle()
    await trio.sleep(1.0)
    await pool.stop()
    assert trio.current_time() == 2.0
    assert not is_alive(worker)


async def test_nothing_is_left_when_the_node_ends() -> None:
    fleet = Fleet()
    async with open_node():
        pool = await start_pool(fleet, size=2, max_overflow=1)
        for _ in range(3):
            await pool.checkout_worker()
    assert fleet.up == set()
    assert fleet.made == 3


async def test_a_pool_that_has_ended_is_in_no_reference_cycle(node: Node) -> None:
    """4.16: what it held goes with it, not when the garbage collector comes round."""
    gc.collect()
    gc.disable()
    try:
        pool = await start_pool(Fleet(), size=1)
        await pool.stop()
        del pool
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        assert [one for one in gc.garbage if isinstance(one, Pool)] == []
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
