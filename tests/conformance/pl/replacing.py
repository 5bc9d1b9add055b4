"""Rows of PL that NimblePool shows: when a worker is made, kept, ended."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from runtime import CallTimeout, Pid, Ref, StartFailed, kill, ref, resume, suspend
from supervisors import PoolStatus
from tests.conformance.scenarios import row
from tests.supervisors.pool_parts import (
    Fleet,
    Work,
    end,
    holder,
    number,
    settle,
    start_pool,
)

IDLE = PoolStatus("ready", 1, 0, 0, 0)


@row("PL-22")
async def idle_workers_take_turns() -> None:
    fleet = Fleet()
    pool = await start_pool(fleet, size=2, strategy="fifo")
    assert fleet.made == 2
    assert [await pool.transaction(number) for _ in range(3)] == [0, 1, 0]


@row("PL-23")
async def a_lazy_pool_has_none_at_the_start() -> None:
    """differs: it keeps none that nobody waits for; NimblePool keeps those it has made."""
    fleet = Fleet()
    pool = await start_pool(fleet, size=0, max_overflow=2)
    assert fleet.made == 0
    async with pool.checkout():
        assert fleet.made == 1
        async with pool.checkout():
            assert fleet.made == 2
    await settle()
    assert fleet.up == set()


@row("PL-24")
async def a_worker_whose_user_raised_goes_back() -> None:
    """differs: NimblePool ends it."""
    fleet = Fleet()
    pool = await start_pool(fleet, size=1)
    with pytest.raises(ValueError, match="oops"):
        async with pool.checkout():
            raise ValueError("oops")
    await settle()
    assert fleet.log == ["worker 0 started"]
    assert await pool.status() == IDLE


@row("PL-25")
async def a_worker_whose_user_was_killed_is_ended_and_replaced() -> None:
    fleet = Fleet()
    pool = await start_pool(fleet, size=1)
    _, pid = await holder(pool, [], "client")
    kill(pid)
    await settle()
    assert fleet.log == ["worker 0 started", "worker 0 terminated shutdown", "worker 1 started"]
    assert await pool.status() == IDLE


@row("PL-26")
async def who_gives_up_waiting_takes_no_worker_along() -> None:
    pool = await start_pool(Fleet(), size=1)
    held = await pool.checkout_worker()
    with pytest.raises(CallTimeout):
        await pool.checkout_worker(timeout=0.02)
    assert (await pool.status()).waiting == 0
    pool.checkin(held)
    assert await pool.status() == IDLE


@row("PL-28")
async def a_request_that_is_too_late_is_dropped() -> None:
    pool = await start_pool(Fleet(), size=1)
    await suspend(pool)
    with pytest.raises(CallTimeout):
        await pool.checkout_worker(timeout=1.0)
    await resume(pool)
    await settle()
    assert await pool.status() == IDLE


@row("PL-33")
async def a_worker_is_used_without_the_pool() -> None:
    pool = await start_pool(Fleet(), size=2)

    async def use(worker: Ref) -> None:
        await worker.call(Work(1.0))

    async with trio.open_nursery() as nursery:
        for _ in range(2):
            nursery.start_soon(pool.transaction, use)
        await trio.sleep(0.5)
        assert (await pool.status()).checked_out == 2
        assert trio.current_time() == 0.5, "the pool answers meanwhile"
    assert trio.current_time() == 1.0


async def fails_when_begun(times: range) -> Any:
    """A pool of one, whose worker has crashed; those of these numbers do not start."""

    async def begin(number: int) -> None:
        await trio.sleep(1.0)
        if number in times:
            raise OSError("away")

    fleet = Fleet(begin)
    pool = await start_pool(fleet, size=1)
    (child,) = await pool.which_children()
    assert isinstance(child.pid, Pid)
    await end(ref(child.pid))
    return fleet, pool


@row("PL-36")
async def a_start_that_fails_later_is_tried_again_while_the_pool_answers() -> None:
    """differs: the first ones must succeed, or the pool does not start; and each try counts."""
    with pytest.raises(StartFailed):
        await start_pool(Fleet(_away), size=1)
    before = trio.current_time()
    fleet, pool = await fails_when_begun(range(1, 3))
    assert (await pool.status()).idle == 0
    assert trio.current_time() == before + 1.0, "at once"
    await trio.sleep(3.5)
    assert fleet.up == {3}
    assert await pool.status() == IDLE


async def _away(number: int) -> None:
    raise OSError("away")


@row("PL-37")
async def a_start_that_raises_does_not_block_the_pool() -> None:
    """differs: so many tries within the seconds end the pool."""
    _, pool = await fails_when_begun(range(1, 2))
    async with pool.checkout(timeout=10.0) as worker:
        assert await number(worker) == 2
    fleet, pool = await fails_when_begun(range(1, 9))
    await trio.sleep(9.0)
    assert fleet.made == 4, "the first, and three in its place"
