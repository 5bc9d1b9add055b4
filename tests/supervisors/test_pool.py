"""A pool: its workers, who gets one, who waits, what is refused."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from runtime import (
    Crashed,
    GenServer,
    Ignore,
    Ignored,
    Node,
    Pid,
    Shutdown,
    StartFailed,
    UnhandledMessage,
    child_spec,
    kill,
    ref,
    start,
)
from supervisors import Backoff, ChildCounts, FailedToStartChild, SupervisorRef, open_supervisor
from supervisors.pool import Pool
from supervisors.pool_ref import PoolRef
from supervisors.pool_requests import PoolFull, PoolStatus
from tests.supervisors.pool_parts import (
    Fleet,
    Work,
    holder,
    in_task,
    number,
    settle,
    start_pool,
)


async def test_its_workers_are_up_before_the_start_returns(node: Node) -> None:
    """PL-01, PL-22."""

    async def begin(number: int) -> None:
        await trio.sleep(1.0)

    fleet = Fleet(begin)
    pool = await start_pool(fleet, size=2, max_overflow=1)
    assert trio.current_time() == 2.0, "one after the other"
    assert fleet.log == ["worker 0 started", "worker 1 started"]
    assert await pool.status() == PoolStatus("ready", 2, 0, 0, 0)
    assert await pool.count_children() == ChildCounts(2, 2, 0, 2)
    newest, oldest = await pool.which_children()
    assert [await number(ref(one.pid)) for one in (newest, oldest) if one.pid] == [1, 0]
    assert {(one.id, one.status, one.behaviour) for one in (newest, oldest)} == {
        ("Conn", "running", "Conn")
    }


async def test_five_workers_and_no_overflow_are_the_default(node: Node) -> None:
    pool = PoolRef(await start(Pool.child_spec(Fleet().spec)))
    assert await pool.status() == PoolStatus("ready", 5, 0, 0, 0)


async def test_a_worker_that_does_not_start_fails_the_start_of_the_pool_and_none_stays(
    node: Node,
) -> None:
    async def begin(number: int) -> None:
        if number == 2:
            raise OSError("no such host")

    fleet = Fleet(begin)
    with pytest.raises(StartFailed) as info:
        await start_pool(fleet, size=3)
    reason = info.value.reason
    assert isinstance(reason, Shutdown)
    assert isinstance(reason.detail, FailedToStartChild)
    assert reason.detail.child_id == "Conn"
    assert isinstance(reason.detail.reason, Crashed)
    assert fleet.up == set()
    assert sorted(fleet.log[2:]) == ["worker 0 terminated shutdown", "worker 1 terminated shutdown"]


async def test_a_worker_that_says_ignore_fails_the_start_of_the_pool(node: Node) -> None:
    async def begin(number: int) -> Ignore:
        return Ignore()

    with pytest.raises(StartFailed) as info:
        await start_pool(Fleet(begin))
    reason = info.value.reason
    assert isinstance(reason, Shutdown)
    assert isinstance(reason.detail, FailedToStartChild)
    assert isinstance(reason.detail.reason, Ignored)


async def test_a_start_that_is_cancelled_leaves_nothing(node: Node) -> None:
    """While the second worker is starting."""

    async def begin(number: int) -> None:
        await trio.sleep(1.0)

    fleet = Fleet(begin)
    with trio.move_on_after(1.5):
        await start_pool(fleet, size=3)
    assert trio.current_time() == 1.5
    assert fleet.up == set()
    assert fleet.made == 2


async def test_overflow_is_made_on_demand_and_ended_when_it_comes_back(node: Node) -> None:
    """PL-02, PL-04."""
    fleet = Fleet()
    pool = await start_pool(fleet, size=1, max_overflow=1)
    first, second = await pool.checkout_worker(), await pool.checkout_worker()
    assert await pool.status() == PoolStatus("full", 0, 1, 2, 0)
    pool.checkin(first)
    await settle()
    assert await pool.status() == PoolStatus("overflow", 0, 0, 1, 0)
    pool.checkin(second)
    assert await pool.status() == PoolStatus("ready", 1, 0, 0, 0)
    assert fleet.log[2:] == ["worker 0 terminated shutdown"], "the one that came back first"
    assert fleet.up == {1}


async def test_a_slow_overflow_worker_holds_up_nobody_but_who_it_is_for(node: Node) -> None:
    """PL-20: differs: poolboy makes it inside the pool, and every request waits."""

    async def begin(number: int) -> None:
        await trio.sleep(10.0 if number else 0.0)

    pool = await start_pool(Fleet(begin), size=1, max_overflow=1)
    held = await pool.checkout_worker()
    times: list[float] = []
    async with trio.open_nursery() as nursery:

        async def client() -> None:
            async with pool.checkout(timeout=20.0):
                times.append(trio.current_time())

        await in_task(nursery, client)
        assert await pool.status() == PoolStatus("full", 0, 1, 1, 1)
        pool.checkin(held)
        await settle()
        assert times == [0.0], "nor is anybody to wait for it when another one is free"
        async with pool.checkout(timeout=0):
            assert trio.current_time() == 0.0


async def test_a_worker_that_is_slow_to_stop_holds_up_nobody_and_keeps_its_slot(
    node: Node,
) -> None:
    fleet = Fleet(nap=3.0)
    pool = await start_pool(fleet, size=1, max_overflow=1)
    first, second = await pool.checkout_worker(), await pool.checkout_worker()
    pool.checkin(first)
    assert await pool.status() == PoolStatus("full", 0, 0, 1, 0)
    with pytest.raises(PoolFull):
        await pool.checkout_worker(block=False)
    async with pool.checkout(timeout=10.0):
        assert trio.current_time() == 3.0
        assert fleet.up == {1, 2}
    pool.checkin(second)


async def test_size_nothing_makes_every_worker_on_demand(node: Node) -> None:
    """PL-19. PL-23 differs: a worker that nobody waits for is not kept."""
    fleet = Fleet()
    pool = await start_pool(fleet, size=0, max_overflow=2)
    assert await pool.status() == PoolStatus("overflow", 0, 0, 0, 0)
    for expected in range(3):
        assert await pool.transaction(number) == expected
        await settle()
        assert fleet.up == set()


@pytest.mark.parametrize(("strategy", "order"), [("lifo", [2, 2, 2, 2]), ("fifo", [0, 1, 2, 0])])
async def test_the_strategy_says_which_idle_worker_is_next(
    node: Node, strategy: str, order: list[int]
) -> None:
    """PL-16, PL-22."""
    pool = await start_pool(Fleet(), size=3, strategy=strategy)
    assert [await pool.transaction(number) for _ in order] == order


async def test_those_who_wait_are_served_in_the_order_of_asking(node: Node) -> None:
    """PL-05, PL-29."""
    pool, log = await start_pool(Fleet(), size=1), list[str]()
    held = await pool.checkout_worker()
    those = [(await holder(pool, log, tag))[0] for tag in "abcde"]
    assert await pool.status() == PoolStatus("full", 0, 0, 1, 5)
    pool.checkin(held)
    for served, one in enumerate(those, 1):
        await settle()
        assert log == [f"{tag} got 0" for tag in "abcde"[:served]]
        one.done.set()


async def test_one_owner_may_hold_several(node: Node) -> None:
    """PL-18."""
    pool = await start_pool(Fleet(), size=2)
    async with pool.checkout() as one, pool.checkout() as other:
        assert {await number(one), await number(other)} == {0, 1}
        assert one != other


async def test_the_resource_is_used_between_client_and_worker_the_pool_only_lends(
    node: Node,
) -> None:
    """PL-33: two workers work at the same time."""
    pool = await start_pool(Fleet(), size=2)
    async with trio.open_nursery() as nursery:
        for _ in range(4):
            nursery.start_soon(pool.transaction, _work)
    assert trio.current_time() == 2.0


async def _work(worker: Any) -> None:
    await worker.call(Work(1.0))


async def test_as_many_may_wait_as_max_queue_says(node: Node) -> None:
    pool, log = await start_pool(Fleet(), size=1, max_queue=2), list[str]()
    held = await pool.checkout_worker()
    pids = [(await holder(pool, log, tag))[1] for tag in "ab"]
    with pytest.raises(PoolFull, match=r"no worker is free, 1 is as many .* and 2 callers") as info:
        await pool.checkout_worker()
    assert (info.value.limit, info.value.waiting) == (1, 2)
    kill(pids[0])
    async with trio.open_nursery() as nursery:
        await in_task(nursery, pool.checkout_worker)
        assert (await pool.status()).waiting == 2, "whoever leaves frees the place"
        nursery.cancel_scope.cancel()
    pool.checkin(held)


async def test_a_pool_is_a_child_like_any_other(node: Node) -> None:
    spec = Pool.child_spec(Fleet().spec, size=1).replace(name="db")
    async with open_supervisor([spec]) as tree:
        (child,) = await tree.which_children()
        assert (child.type, child.behaviour) == ("supervisor", "Pool")
        assert await PoolRef("db").transaction(number) == 0
    assert PoolRef("db") == PoolRef("db") != SupervisorRef("db")
    assert repr(PoolRef("db")) == "PoolRef(named('db'))"


async def test_workers_may_be_functions(node: Node) -> None:
    async def run() -> None:
        await trio.sleep_forever()

    for worker in (run, child_spec(run)):
        pool = PoolRef(await start(Pool.child_spec(worker, size=1)))
        async with pool.checkout() as held:
            assert isinstance(held.pid, Pid)


class Plain(GenServer):
    """Needs nothing."""


@pytest.mark.parametrize(
    ("options", "kind", "text"),
    [
        ({"size": -1}, ValueError, "size: got -1, allowed is an int of 0 or more"),
        ({"size": 1.0}, TypeError, "size: got 1.0"),
        ({"size": True}, TypeError, "size: got True"),
        ({"size": 0}, ValueError, "size: got 0, with max_overflow=0 allowed is 1 or more"),
        ({"max_overflow": -1}, ValueError, "max_overflow: got -1"),
        ({"max_overflow": None}, TypeError, "max_overflow: got None"),
        ({"max_queue": -1}, ValueError, "max_queue: got -1"),
        ({"max_queue": True}, TypeError, "max_queue: got True"),
        ({"strategy": "x"}, ValueError, "strategy: got 'x', allowed are 'lifo', 'fifo'"),
        ({"on_holder_death": []}, ValueError, r"on_holder_death: got \[\], allowed are 'replace'"),
        ({"max_restarts": -1}, ValueError, "max_restarts: got -1"),
        ({"max_seconds": 0}, ValueError, "max_seconds: got 0"),
        ({"backoff": 1.0}, TypeError, "backoff: got 1.0"),
        ({"workers": 3}, TypeError, "arguments of Pool: got an unexpected keyword"),
    ],
)
def test_a_bad_option_is_refused_when_the_spec_is_made(
    options: dict[str, Any], kind: type[Exception], text: str
) -> None:
    with pytest.raises(kind, match=text):
        Pool.child_spec(Plain, **options)
    if "workers" not in options:
        with pytest.raises(kind, match=text):
            Pool(Plain, **options)


def test_a_subclass_with_a_constructor_of_its_own_is_made_when_it_starts() -> None:
    made: list[int] = []

    class Ten(Pool):
        def __init__(self) -> None:
            made.append(10)
            super().__init__(Plain, size=10, backoff=Backoff())

    class Named(Pool):
        """As it is."""

    Ten.child_spec()
    assert made == []
    with pytest.raises(ValueError, match="size"):
        Named.child_spec(Plain, size=-1)


async def test_a_call_that_is_meant_for_a_worker_is_the_callers_mistake(node: Node) -> None:
    pool = await start_pool(Fleet(), size=1)
    with pytest.raises(UnhandledMessage, match="does not handle the call Work"):
        await pool.call(Work(1.0))
    assert (await pool.status()).idle == 1
