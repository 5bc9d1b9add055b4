"""The whole life of a pool against what poolboy printed for it, line by line."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from runtime import CallTimeout, Node, kill, ref, self_, spawn
from supervisors.pool_ref import PoolRef
from supervisors.pool_requests import PoolFull
from tests.supervisors.pool_parts import (
    Fleet,
    Holder,
    number,
    say_status,
    settle,
    start_pool,
)
from tests.support import in_process


class Trace:
    """The lines of all sections, and what each section works with."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.fleet = Fleet()

    async def section(self, title: str, **options: Any) -> PoolRef:
        """A new pool with workers numbered from 0."""
        self.fleet = Fleet()
        self.fleet.log = self.lines
        self.lines.append(f"## {title}")
        return await start_pool(self.fleet, **{"on_holder_death": "return", **options})

    async def status(self, pool: PoolRef) -> None:
        """A line on how things are."""
        await settle()
        self.lines.append(f"status {await say_status(pool)}")

    async def grab(self, pool: PoolRef, tag: str, timeout: float) -> Any:
        """A process that wants a worker and keeps it."""

        async def run() -> None:
            try:
                await Holder(pool, self.lines, tag, timeout=timeout).run()
            except CallTimeout:
                self.lines.append(f"{tag} got timeout")

        pid = spawn(run)
        await settle()
        return pid


async def _stop(pool: PoolRef, trace: Trace) -> None:
    """The end of a section, off the record."""
    trace.fleet.log = []
    kill(pool)
    await settle()


async def _fill_and_drain(trace: Trace) -> None:
    pool = await trace.section("fill, overflow, refuse, drain", size=2, max_overflow=1)
    await trace.status(pool)
    held = []
    for _ in range(3):
        held.append(await pool.checkout_worker())
        trace.lines.append(f"checkout {await number(held[-1])}")
        await trace.status(pool)
    with pytest.raises(PoolFull):
        await pool.checkout_worker(block=False)
    trace.lines.append("non-blocking full")
    for worker in held:
        pool.checkin(worker)
        await trace.status(pool)
    await _stop(pool, trace)


async def _waiters(trace: Trace) -> None:
    pool = await trace.section("waiters, one of which times out", size=1)
    held = await pool.checkout_worker()
    for tag, timeout in (("w1", 2.0), ("w2", 0.04), ("w3", 2.0)):
        await trace.grab(pool, tag, timeout)
    await trio.sleep(0.06)
    trace.lines.append("checkin")
    pool.checkin(held)
    await trace.status(pool)
    await _stop(pool, trace)
    pool = await trace.section("a waiter that dies", size=1)
    held = await pool.checkout_worker()
    w1 = await trace.grab(pool, "w1", 2.0)
    await trace.grab(pool, "w2", 2.0)
    kill(w1)
    await settle()
    pool.checkin(held)
    await settle()
    await _stop(pool, trace)


async def _deaths(trace: Trace) -> None:
    pool = await trace.section("an owner dies", size=1)
    owner = await trace.grab(pool, "owner", 2.0)
    await trace.grab(pool, "next", 2.0)
    kill(owner)
    await trace.status(pool)
    await _stop(pool, trace)
    pool = await trace.section("a worker dies, nobody waits", size=1)
    held = await pool.checkout_worker()
    kill(held)
    await trace.status(pool)
    pool.checkin(held)
    trace.lines.append("late checkin")
    await trace.status(pool)
    await _stop(pool, trace)
    pool = await trace.section("a worker dies in overflow", size=1, max_overflow=1)
    held, _ = await pool.checkout_worker(), await pool.checkout_worker()
    await trace.status(pool)
    kill(held)
    await trace.status(pool)
    await _stop(pool, trace)
    pool = await trace.section("a worker dies, one waits", size=1)
    held = await pool.checkout_worker()
    await trace.grab(pool, "w1", 2.0)
    kill(held)
    await trace.status(pool)
    await _stop(pool, trace)


async def _transactions(trace: Trace) -> None:
    pool = await trace.section("transactions", size=1)
    trace.lines.append(f"value {await pool.transaction(number)}")
    await trace.status(pool)

    async def fail(worker: object) -> None:
        raise ValueError("up")

    with pytest.raises(ValueError, match="up") as info:
        await pool.transaction(fail)
    await settle()
    trace.lines.append(f"raise {info.value}")
    await trace.status(pool)
    held = await pool.checkout_worker()
    with pytest.raises(CallTimeout):
        await pool.transaction(fail)
    trace.lines.append("busy timeout")
    await trace.status(pool)
    pool.checkin(held)
    async with pool.checkout(timeout=0.02):
        await trio.sleep(0.06)
        trace.lines.append("finished")
    await _stop(pool, trace)


async def _strategies_and_odd_ones(trace: Trace) -> None:
    for strategy in ("lifo", "fifo"):
        pool = await trace.section(strategy, size=3, strategy=strategy)
        for _ in range(4):
            async with pool.checkout() as worker:
                trace.lines.append(f"got {await number(worker)}")
        await _stop(pool, trace)
    pool = await trace.section("double and foreign checkin", size=1)
    held = await pool.checkout_worker()
    pool.checkin(held)
    pool.checkin(held)
    with pytest.raises(TypeError):
        pool.checkin(ref(self_()))  # type: ignore[arg-type]
    await trace.status(pool)
    await _stop(pool, trace)
    pool = await trace.section("one owner holds two", size=2)
    await pool.checkout_worker()
    await pool.checkout_worker()
    await trace.status(pool)
    await _stop(pool, trace)
    pool = await trace.section("size 0", size=0, max_overflow=1)
    await trace.status(pool)
    held = await pool.checkout_worker()
    await trace.status(pool)
    pool.checkin(held)
    await trace.status(pool)
    await _stop(pool, trace)


EXPECTED = """
## fill, overflow, refuse, drain
worker 0 started
worker 1 started
status ready available=2 overflow=0 checked_out=0
checkout 1
status ready available=1 overflow=0 checked_out=1
checkout 0
status overflow available=0 overflow=0 checked_out=2
worker 2 started
checkout 2
status full available=0 overflow=1 checked_out=3
non-blocking full
worker 1 terminated shutdown
status overflow available=0 overflow=0 checked_out=2
status ready available=1 overflow=0 checked_out=1
status ready available=2 overflow=0 checked_out=0
## waiters, one of which times out
worker 0 started
w2 got timeout
checkin
w1 got 0
status full available=0 overflow=0 checked_out=1
## a waiter that dies
worker 0 started
w2 got 0
## an owner dies
worker 0 started
owner got 0
next got 0
status full available=0 overflow=0 checked_out=1
## a worker dies, nobody waits
worker 0 started
worker 1 started
status ready available=1 overflow=0 checked_out=0
late checkin
status ready available=1 overflow=0 checked_out=0
## a worker dies in overflow
worker 0 started
worker 1 started
status full available=0 overflow=1 checked_out=2
status overflow available=0 overflow=0 checked_out=1
## a worker dies, one waits
worker 0 started
worker 1 started
w1 got 1
status full available=0 overflow=0 checked_out=1
## transactions
worker 0 started
value 0
status ready available=1 overflow=0 checked_out=0
raise up
status ready available=1 overflow=0 checked_out=0
busy timeout
status full available=0 overflow=0 checked_out=1
finished
## lifo
worker 0 started
worker 1 started
worker 2 started
got 2
got 2
got 2
got 2
## fifo
worker 0 started
worker 1 started
worker 2 started
got 0
got 1
got 2
got 0
## double and foreign checkin
worker 0 started
status ready available=1 overflow=0 checked_out=0
## one owner holds two
worker 0 started
worker 1 started
status full available=0 overflow=0 checked_out=2
## size 0
status overflow available=0 overflow=0 checked_out=0
worker 0 started
status full available=0 overflow=1 checked_out=1
worker 0 terminated shutdown
status overflow available=0 overflow=0 checked_out=0
"""


async def test_oracle_10_poolboy(node: Node) -> None:
    """PL-01 to PL-06, PL-08 to PL-19, PL-21: poolboy's lines, with ``on_holder_death="return"``.

    differs: a check-in of what never was a worker of a pool is refused by the types and with a
    TypeError, where poolboy ignores it (PL-17): in Python that is a slip of the caller.
    """
    trace = Trace()

    async def owner() -> None:
        for part in (
            _fill_and_drain,
            _waiters,
            _deaths,
            _transactions,
            _strategies_and_odd_ones,
        ):
            await part(trace)

    await in_process(owner)
    assert trace.lines == EXPECTED.strip().splitlines()
