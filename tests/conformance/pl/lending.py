"""Rows of PL that poolboy shows: who gets a worker, who waits, what is given back."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from runtime import CallExit, CallTimeout, NoProcess, Ref, is_alive, kill, ref, self_
from supervisors import PoolFull, PoolStatus
from tests.conformance.scenarios import row
from tests.supervisors.pool_parts import (
    Fleet,
    Work,
    end,
    holder,
    in_task,
    number,
    say_status,
    settle,
    start_pool,
)
from tests.support import in_process

IDLE = PoolStatus("ready", 1, 0, 0, 0)


@row("PL-01")
async def its_workers_are_made_before_the_start_returns() -> None:
    async def begin(number: int) -> None:
        await trio.sleep(1.0)

    fleet = Fleet(begin)
    await start_pool(fleet, size=2, max_overflow=1)
    assert fleet.log == ["worker 0 started", "worker 1 started"]


@row("PL-02")
async def one_more_is_made_on_demand() -> None:
    fleet = Fleet()
    pool = await start_pool(fleet, size=2, max_overflow=1)
    seen = []
    for _ in range(3):
        await pool.checkout_worker()
        seen.append(((await pool.status()).state, fleet.made))
    assert seen == [("ready", 2), ("overflow", 2), ("full", 3)]


@row("PL-03")
async def a_full_pool_says_so() -> None:
    """differs: by an exception."""
    pool = await start_pool(Fleet(), size=1)
    await pool.checkout_worker()
    with pytest.raises(PoolFull):
        await pool.checkout_worker(block=False)
    assert trio.current_time() == 0


@row("PL-04")
async def whichever_comes_back_first_is_one_too_many() -> None:
    fleet = Fleet()
    pool = await start_pool(fleet, size=1, max_overflow=1)
    core, more = await pool.checkout_worker(), await pool.checkout_worker()
    pool.checkin(core)
    await settle()
    assert fleet.up == {1}
    pool.checkin(more)
    await settle()
    assert fleet.up == {1}
    assert await pool.status() == IDLE


@row("PL-05", "PL-29")
async def who_asked_first_is_served_first() -> None:
    pool, log = await start_pool(Fleet(), size=1), list[str]()
    held = await pool.checkout_worker()
    those = [(await holder(pool, log, tag))[0] for tag in "abc"]
    pool.checkin(held)
    for served, one in enumerate(those, 1):
        await settle()
        assert log == [f"{tag} got 0" for tag in "abc"[:served]]
        one.done.set()


@row("PL-06")
async def who_waited_too_long_is_passed_over() -> None:
    pool, log = await start_pool(Fleet(), size=1), list[str]()
    held = await pool.checkout_worker()
    with pytest.raises(CallTimeout):
        await pool.checkout_worker(timeout=0.04)
    await holder(pool, log, "next")
    pool.checkin(held)
    await settle()
    assert log == ["next got 0"]


@row("PL-07")
async def a_worker_that_comes_with_the_timeout_is_not_lost() -> None:
    for early in (-1, 0, 1):
        pool = await start_pool(Fleet(), size=1)
        held = await pool.checkout_worker()
        async with trio.open_nursery() as nursery:

            async def ask() -> None:
                with trio.move_on_after(1.0):
                    pool.checkin(await pool.checkout_worker())  # noqa: B023

            await in_task(nursery, ask)
            await trio.sleep(1.0 + early * 0.001)
            pool.checkin(held)
        await settle()
        assert await pool.status() == IDLE


@row("PL-08")
async def who_died_waiting_is_passed_over() -> None:
    pool, log = await start_pool(Fleet(), size=1), list[str]()
    held = await pool.checkout_worker()
    _, pid = await holder(pool, log, "dead")
    await holder(pool, log, "next")
    kill(pid)
    await settle()
    pool.checkin(held)
    await settle()
    assert log == ["next got 0"]


@row("PL-09")
async def the_worker_of_a_holder_that_died() -> None:
    """differs: it is replaced, unless ``on_holder_death="return"`` asks for poolboy's way."""
    for options, got in (({}, 1), ({"on_holder_death": "return"}, 0)):
        fleet = Fleet()
        how: dict[str, Any] = dict(options)
        pool = await start_pool(fleet, size=1, **how)
        _, pid = await holder(pool, [], "owner")
        log: list[str] = []
        await holder(pool, log, "next")
        kill(pid)
        await settle()
        assert log == [f"next got {got}"]
        assert fleet.up == {got}


@row("PL-10")
async def a_worker_that_dies_is_replaced() -> None:
    fleet = Fleet()
    pool = await start_pool(fleet, size=1)
    worker = await pool.checkout_worker()
    await end(worker)
    assert fleet.up == {1}
    assert await pool.status() == IDLE


@row("PL-11")
async def one_that_dies_in_overflow_is_not() -> None:
    fleet = Fleet()
    pool = await start_pool(fleet, size=1, max_overflow=1)
    worker = await pool.checkout_worker()
    await pool.checkout_worker()
    assert (await pool.status()).overflow == 1
    await end(worker)
    assert fleet.up == {1}
    assert (await pool.status()).overflow == 0


@row("PL-12")
async def who_waits_gets_the_fresh_one() -> None:
    fleet = Fleet()
    pool = await start_pool(fleet, size=1)
    worker = await pool.checkout_worker()
    log: list[str] = []
    await holder(pool, log, "next")
    await end(worker)
    assert log == ["next got 1"]


@row("PL-13")
async def a_transaction_gives_its_worker_back_in_both_cases() -> None:
    pool = await start_pool(Fleet(), size=1)
    assert await pool.transaction(number) == 0
    assert await pool.status() == IDLE

    async def fail(worker: Ref) -> None:
        raise ValueError("oops")

    with pytest.raises(ValueError, match="oops"):
        await pool.transaction(fail)
    assert await pool.status() == IDLE


@row("PL-14", "PL-27")
async def the_timeout_is_for_getting_one_not_for_using_it() -> None:
    pool = await start_pool(Fleet(), size=1)
    async with pool.checkout(timeout=0.02) as worker:
        assert await worker.call(Work(0.06)) == 0
    assert trio.current_time() == 0.06


@row("PL-15")
async def without_a_worker_in_time_the_body_does_not_run() -> None:
    pool = await start_pool(Fleet(), size=1)
    await pool.checkout_worker()
    before = await pool.status()
    with pytest.raises(CallTimeout):
        async with pool.checkout(timeout=0.02):
            pytest.fail("it has none")
    assert await pool.status() == before


@row("PL-16")
async def the_last_one_back_or_the_first() -> None:
    for strategy, order in (("lifo", [2, 2, 2, 2]), ("fifo", [0, 1, 2, 0])):
        pool = await start_pool(Fleet(), size=3, strategy=strategy)
        assert [await pool.transaction(number) for _ in order] == order


@row("PL-17")
async def what_is_given_back_twice_late_or_by_mistake() -> None:
    """differs: what is no worker is a ``TypeError``."""
    pool = await start_pool(Fleet(), size=1)
    worker = await pool.checkout_worker()
    pool.checkin(worker)
    pool.checkin(worker)
    assert await pool.status() == IDLE
    worker = await pool.checkout_worker()
    await end(worker)
    pool.checkin(worker)
    assert await pool.status() == IDLE

    async def foreign() -> None:
        wrong: Any = ref(self_())
        with pytest.raises(TypeError, match=r"^worker: got "):
            pool.checkin(wrong)

    await in_process(foreign)
    assert await pool.status() == IDLE


@row("PL-18")
async def one_owner_may_hold_two() -> None:
    pool = await start_pool(Fleet(), size=2)

    async def owner() -> None:
        first, second = await pool.checkout_worker(), await pool.checkout_worker()
        assert {await number(first), await number(second)} == {0, 1}
        with pytest.raises(CallTimeout):
            await pool.checkout_worker()

    await in_process(owner)


@row("PL-19")
async def without_a_size_each_is_made_on_demand_and_ended() -> None:
    fleet = Fleet()
    pool = await start_pool(fleet, size=0, max_overflow=1)
    assert fleet.made == 0
    for expected in range(2):
        async with pool.checkout() as worker:
            assert await number(worker) == expected
        await settle()
        assert not is_alive(worker)


@row("PL-20")
async def a_slow_worker_holds_up_who_it_is_for() -> None:
    """differs: and nobody else."""

    async def begin(number: int) -> None:
        await trio.sleep(10.0 if number else 0.0)

    pool = await start_pool(Fleet(begin), size=1, max_overflow=1)
    held = await pool.checkout_worker()
    async with trio.open_nursery() as nursery:
        scope = await in_task(nursery, lambda: pool.checkout_worker(timeout=20.0))
        scope.cancel()
        pool.checkin(held)
        async with pool.checkout(timeout=0) as worker:
            assert await number(worker) == 0
    assert trio.current_time() == 0


@row("PL-21")
async def how_it_stands() -> None:
    pool = await start_pool(Fleet(), size=1, max_overflow=1)
    said = [await say_status(pool)]
    for _ in range(2):
        await pool.checkout_worker()
        said.append(await say_status(pool))
    assert said == [
        "ready available=1 overflow=0 checked_out=0",
        "overflow available=0 overflow=0 checked_out=1",
        "full available=0 overflow=1 checked_out=2",
    ]


@row("PL-38")
async def a_pool_that_stops_ends_its_workers() -> None:
    fleet = Fleet()
    pool = await start_pool(fleet, size=2)
    await pool.stop()
    assert fleet.up == set()
    assert sorted(fleet.log[2:]) == ["worker 0 terminated shutdown", "worker 1 terminated shutdown"]
    with pytest.raises(CallExit) as info:
        await pool.checkout_worker()
    assert info.value.reason == NoProcess()
