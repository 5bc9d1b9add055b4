"""The handle of a pool: getting a worker, for a block or by hand, in time or not at all."""

from __future__ import annotations

import math
from typing import Any

import pytest
import trio

from runtime import (
    CallExit,
    CallTimeout,
    Node,
    NoProcess,
    Ref,
    StartFailed,
    kill,
    named,
    open_node,
    wait_exit,
)
from runtime.introspection import resume, suspend
from supervisors import open_supervisor
from supervisors.pool import Pool
from supervisors.pool_ref import PoolRef
from supervisors.pool_requests import PoolFull, PoolStatus
from tests.supervisors.pool_parts import Fleet, Work, in_task, number, settle, start_pool

IDLE = PoolStatus("ready", 1, 0, 0, 0)


async def test_a_block_holds_a_worker_and_gives_it_back(node: Node) -> None:
    pool = await start_pool(Fleet(), size=1)
    async with pool.checkout() as worker:
        assert isinstance(worker, Ref)
        assert await worker.call(Work(1.0)) == 0
        assert await pool.status() == PoolStatus("full", 0, 0, 1, 0)
    assert await pool.status() == IDLE


async def test_the_timeout_is_the_time_to_get_a_worker_not_to_use_it(node: Node) -> None:
    """PL-14, PL-27."""
    pool = await start_pool(Fleet(), size=1)
    async with pool.checkout(timeout=0.02):
        await trio.sleep(60.0)
    assert trio.current_time() == 60.0


async def test_without_a_worker_in_time_the_block_does_not_run(node: Node) -> None:
    """PL-06, PL-15, PL-26, PL-28."""
    pool = await start_pool(Fleet(), size=1)
    async with pool.checkout():
        with pytest.raises(CallTimeout, match=r"no reply within 0\.02 s"):
            async with pool.checkout(timeout=0.02):
                pytest.fail("it has none")
        assert trio.current_time() == 0.02
        with pytest.raises(CallTimeout):
            await pool.checkout_worker()
        assert trio.current_time() == 5.02
        assert await pool.status() == PoolStatus("full", 0, 0, 1, 0)
    assert await pool.status() == IDLE


async def test_a_timeout_of_nothing_takes_an_idle_worker_or_none(node: Node) -> None:
    pool = await start_pool(Fleet(), size=1, max_overflow=1)
    async with pool.checkout(timeout=0):
        with pytest.raises(CallTimeout, match="no reply within 0 s"):
            await pool.checkout_worker(timeout=0)
        with pytest.raises(PoolFull):
            await pool.checkout_worker(timeout=0, block=False)
        assert (await pool.status()).overflow == 0, "nothing was started"
        async with pool.checkout(block=False):
            assert (await pool.status()).overflow == 1


async def test_without_block_one_hears_at_once_that_there_is_none(node: Node) -> None:
    """PL-03: differs: an exception where poolboy returns ``full``."""
    pool = await start_pool(Fleet(), size=1)
    async with pool.checkout(block=False):
        with pytest.raises(PoolFull, match="1 is as many as there may be, and 0 callers wait"):
            async with pool.checkout(block=False):
                pytest.fail("it has none")
        assert trio.current_time() == 0.0
    assert await pool.status() == IDLE


@pytest.mark.parametrize("how", ["return", "raise", "cancel"])
async def test_leaving_the_block_gives_the_worker_back_however_it_is_left(
    node: Node, how: str
) -> None:
    """PL-13; differs from PL-24: who raises in a block has not died."""
    fleet = Fleet()
    pool = await start_pool(fleet, size=1)
    with trio.CancelScope() as scope:
        try:
            async with pool.checkout():
                if how == "raise":
                    raise ValueError("oops")
                if how == "cancel":
                    scope.cancel()
                    await trio.sleep_forever()
        except ValueError:
            pass
    assert await pool.status() == IDLE
    assert fleet.made == 1


async def test_a_transaction_returns_what_the_function_returns(node: Node) -> None:
    """PL-13."""
    pool = await start_pool(Fleet(), size=1)

    async def ask(worker: Ref, seconds: float, *, plus: int) -> int:
        return await worker.call(Work(seconds)) + plus

    assert await pool.transaction(ask, 1.0, plus=7) == 7
    assert await pool.transaction(lambda worker: worker.call(Work(1.0))) == 0
    assert await pool.status() == IDLE


async def test_a_transaction_raises_what_the_function_raises_and_gives_the_worker_back(
    node: Node,
) -> None:
    """PL-13."""
    pool = await start_pool(Fleet(), size=1)

    async def fail(worker: Ref) -> None:
        await number(worker)
        raise ValueError("oops")

    with pytest.raises(ValueError, match="oops"):
        await pool.transaction(fail)
    assert await pool.status() == IDLE
    async with pool.checkout():
        with pytest.raises(CallTimeout):
            await pool.transaction(fail)
        assert trio.current_time() == 5.0


async def test_a_second_checkin_does_nothing_whoever_holds_the_worker_by_then(
    node: Node,
) -> None:
    """PL-17; differs: poolboy would take it from its next holder."""
    pool = await start_pool(Fleet(), size=1)
    first = await pool.checkout_worker()
    pool.checkin(first)
    second = await pool.checkout_worker()
    assert first.pid == second.pid
    pool.checkin(first)
    assert await pool.status() == PoolStatus("full", 0, 0, 1, 0)
    pool.checkin(second)
    pool.checkin(second)
    assert await pool.status() == IDLE


async def test_a_checkin_by_another_pools_handle_goes_to_where_the_worker_came_from(
    node: Node,
) -> None:
    """PL-17."""
    pool, other = await start_pool(Fleet(), size=1), await start_pool(Fleet(), size=1)
    worker = await pool.checkout_worker()
    other.checkin(worker)
    assert (await pool.status(), await other.status()) == (IDLE, IDLE)


async def test_a_checkin_of_a_pool_that_has_ended_does_nothing(node: Node) -> None:
    """PL-17."""
    pool = await start_pool(Fleet(), size=1)
    async with pool.checkout() as worker:
        await pool.stop()
    pool.checkin(worker)
    with pytest.raises(CallExit):
        await number(worker)


async def test_a_checkin_never_waits_also_in_a_cancelled_scope(node: Node) -> None:
    pool = await start_pool(Fleet(), size=2)
    worker = await pool.checkout_worker()
    with trio.CancelScope() as scope:
        async with pool.checkout():
            scope.cancel()
        pool.checkin(worker)
        await trio.lowlevel.checkpoint()
    assert scope.cancelled_caught
    assert (await pool.status()).idle == 2


async def test_without_a_pool_there_is_no_worker(node: Node) -> None:
    """PL-38."""
    with pytest.raises(CallExit) as info:
        async with PoolRef("db").checkout():
            pytest.fail("there is none")
    assert info.value.reason == NoProcess()
    pool = await start_pool(Fleet(), size=1)
    await pool.stop()
    for late in (pool.checkout_worker, pool.status, pool.which_children, pool.count_children):
        with pytest.raises(CallExit):
            await late()


async def test_cancelling_leaves_the_queue(node: Node) -> None:
    pool = await start_pool(Fleet(), size=1)
    held = await pool.checkout_worker()
    async with trio.open_nursery() as nursery:
        scope = await in_task(nursery, pool.checkout_worker)
        assert (await pool.status()).waiting == 1
        scope.cancel()
        await settle()
        assert (await pool.status()).waiting == 0
    pool.checkin(held)
    assert await pool.status() == IDLE


async def test_who_gave_up_before_the_pool_looked_has_no_place_in_the_queue(
    node: Node,
) -> None:
    """PL-28."""
    pool = await start_pool(Fleet(), size=1, max_queue=1)
    held = await pool.checkout_worker()
    await suspend(pool)
    async with trio.open_nursery() as nursery:
        scope = await in_task(nursery, pool.checkout_worker)
        scope.cancel()
        await settle()
        got = trio.Event()

        async def wait() -> None:
            async with pool.checkout():
                got.set()

        await in_task(nursery, wait)
        await resume(pool)
        await settle()
        pool.checkin(held)
    assert got.is_set()


async def test_nor_takes_the_start_that_was_for_it_from_one_who_asks_without_block(
    node: Node,
) -> None:
    """PL-03: there is a worker to be had."""

    async def begin(number: int) -> None:
        await trio.sleep(1.0)

    pool = await start_pool(Fleet(begin), size=0, max_overflow=1)
    async with trio.open_nursery() as nursery:
        scope = await in_task(nursery, pool.checkout_worker)
        await suspend(pool)

        async def wait() -> None:
            async with pool.checkout(block=False) as worker:
                assert (trio.current_time(), await number(worker)) == (1.0, 0)

        await in_task(nursery, wait)
        scope.cancel()
        await settle()
        await resume(pool)


async def test_who_was_cancelled_before_it_asked_does_not_ask(node: Node) -> None:
    pool = await start_pool(Fleet(), size=1)
    with trio.CancelScope() as scope:
        scope.cancel()
        async with pool.checkout():
            pytest.fail("it has none")
    assert await pool.status() == IDLE


async def test_a_worker_that_is_not_to_be_had_is_the_error_of_who_it_was_made_for(
    node: Node,
) -> None:
    async def begin(number: int) -> None:
        if number == 1:
            raise OSError("too many connections")

    pool = await start_pool(Fleet(begin), size=1, max_overflow=1)
    async with pool.checkout():
        with pytest.raises(StartFailed, match="Conn did not start") as info:
            await pool.checkout_worker()
        assert isinstance(info.value.__cause__, OSError)
        async with pool.checkout() as worker:
            assert await number(worker) == 2, "its slot is free again"


@pytest.mark.parametrize(
    ("options", "kind", "text"),
    [
        ({"timeout": -1}, ValueError, "timeout: got -1"),
        ({"timeout": "1"}, TypeError, "timeout: got '1'"),
        ({"timeout": True}, TypeError, "timeout: got True"),
        ({"timeout": math.nan}, ValueError, "timeout: got nan"),
        ({"block": 1}, TypeError, "block: got 1, allowed are True and False"),
    ],
)
async def test_a_bad_argument_is_refused_at_the_call(
    options: dict[str, Any], kind: type[Exception], text: str
) -> None:
    pool = PoolRef(named("db"))
    with pytest.raises(kind, match=text):
        pool.checkout(**options)
    with pytest.raises(kind, match=text):
        await pool.checkout_worker(**options)


async def test_what_is_no_worker_or_no_function_is_refused(node: Node) -> None:
    """PL-17: differs: poolboy ignores the check-in of what it never gave out."""
    pool = await start_pool(Fleet(), size=1)
    wrong: Any = pool
    with pytest.raises(TypeError, match=r"worker: got PoolRef.* allowed is what checkout_worker"):
        pool.checkin(wrong)
    wrong = 7
    with pytest.raises(TypeError, match="fn: got 7, allowed is an async function"):
        await pool.transaction(wrong)
    assert await pool.status() == IDLE


async def test_a_block_is_entered_once(node: Node) -> None:
    pool = await start_pool(Fleet(), size=1)
    block = pool.checkout()
    async with block:
        pass
    with pytest.raises(RuntimeError, match="for one block"):
        await block.__aenter__()
    assert await pool.status() == IDLE


async def test_a_block_that_is_left_after_the_node_is_gone_raises_nothing() -> None:
    fleet, closed = Fleet(), trio.Event()
    left: list[str] = []

    async def in_a_block(pool: PoolRef) -> None:
        async with pool.checkout():
            await closed.wait()
        left.append("block")

    async def by_hand(pool: PoolRef) -> None:
        worker = await pool.checkout_worker()
        await closed.wait()
        pool.checkin(worker)
        left.append("hand")

    async with trio.open_nursery() as nursery:
        async with open_node():
            pool = await start_pool(fleet, size=2)
            nursery.start_soon(in_a_block, pool)
            nursery.start_soon(by_hand, pool)
            await settle()
        assert fleet.up == set()
        closed.set()
    assert sorted(left) == ["block", "hand"]


async def test_a_handle_by_name_follows_restarts(node: Node) -> None:
    fleet = Fleet()
    async with open_supervisor([Pool.child_spec(fleet.spec, size=1).replace(name="db")]):
        pool = PoolRef("db")
        async with pool.checkout() as worker:
            kill(pool)
            await wait_exit(worker)
            await settle()
        assert await pool.transaction(number) == 1
        assert await pool.status() == IDLE


async def test_a_worker_that_was_checked_in_cannot_be_used_any_more(node: Node) -> None:
    """It may be somebody else's by then."""
    pool = await start_pool(Fleet(), size=1)
    async with pool.checkout() as worker:
        pass
    with pytest.raises(CallExit) as caught:
        await worker.stop()
    assert isinstance(caught.value.reason, NoProcess)
    assert await pool.status() == IDLE
