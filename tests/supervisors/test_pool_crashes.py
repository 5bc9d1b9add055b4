"""Workers that end by themselves or do not start: replaced, counted, put off, given up."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import trio

from runtime import (
    CallExit,
    ChildEnded,
    ChildStartFailed,
    Crashed,
    Ignore,
    Ignored,
    Node,
    Normal,
    Pid,
    Ref,
    Shutdown,
    StartFailed,
    exit,
    kill,
    ref,
    spawn,
    wait_exit,
)
from runtime.process import table_var
from supervisors import Backoff, GaveUp, SupervisorGaveUp, open_supervisor
from supervisors.pool import Pool
from supervisors.pool_ref import PoolRef
from supervisors.pool_requests import PoolStatus
from tests.conftest import Recorder
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
from tests.support import end_of

IDLE = PoolStatus("ready", 1, 0, 0, 0)


async def idle_worker(pool: PoolRef) -> Ref:
    """One of its workers, without checking it out."""
    pids = [one.pid for one in await pool.which_children()]
    assert isinstance(pids[-1], Pid)
    return ref(pids[-1])


@pytest.mark.parametrize("reason", ["boom", Normal(), Shutdown()])
async def test_an_idle_worker_that_ends_is_replaced_at_once(node: Node, reason: Any) -> None:
    """Whatever it ends with: a pool keeps its size."""
    fleet = Fleet()
    pool = await start_pool(fleet, size=2)
    await end(await idle_worker(pool), reason)
    assert fleet.up == {1, 2}
    assert await pool.status() == PoolStatus("ready", 2, 0, 0, 0)
    async with pool.checkout(), pool.checkout() as worker:
        assert await number(worker) in fleet.up


async def test_a_holder_hears_of_a_crash_by_its_own_calls_and_its_checkin_is_ignored(
    node: Node,
) -> None:
    """PL-10, PL-17."""
    fleet = Fleet()
    pool = await start_pool(fleet, size=1)
    async with pool.checkout() as worker:
        await end(worker)
        assert await pool.status() == IDLE
        with pytest.raises(CallExit):
            await worker.call(Work(1.0))
    assert await pool.status() == IDLE
    assert fleet.up == {1}


async def test_a_holder_that_dies_of_the_crash_of_its_worker_loses_nothing_more(
    node: Node,
) -> None:
    fleet = Fleet()
    pool = await start_pool(fleet, size=1, max_restarts=1)

    async def run() -> None:
        async with pool.checkout() as worker:
            await worker.call(Work(9.0))

    pid = spawn(run)
    await settle()
    exit(await idle_worker(pool), "boom")
    assert isinstance(await wait_exit(pid), Crashed)
    await settle()
    assert await pool.status() == IDLE
    assert fleet.made == 2


async def test_a_crash_in_overflow_that_nobody_waits_for_is_not_made_good_and_not_counted(
    node: Node, events: Recorder
) -> None:
    """PL-11."""
    fleet = Fleet()
    pool = await start_pool(fleet, size=1, max_overflow=1, max_restarts=0)
    first, second = await pool.checkout_worker(), await pool.checkout_worker()
    await end(first)
    assert await say_status(pool) == "overflow available=0 overflow=0 checked_out=1"
    assert [event.action for event in events.of(ChildEnded)] == ["leave it stopped"]
    assert fleet.up == {1}
    pool.checkin(second)
    assert await pool.status() == IDLE


async def test_a_crash_while_somebody_waits_brings_him_a_fresh_one(node: Node) -> None:
    """PL-12."""
    fleet = Fleet()
    pool = await start_pool(fleet, size=1)
    held = await pool.checkout_worker()
    for tag in "ab":
        await holder(pool, fleet.log, tag)
    await end(held)
    assert fleet.log[2:] == ["worker 1 started", "a got 1"]
    assert await say_status(pool) == "full available=0 overflow=0 checked_out=1"


async def test_one_restart_too_many_ends_the_pool_with_what_led_to_it(
    node: Node, events: Recorder
) -> None:
    fleet = Fleet()
    pool = await start_pool(fleet, size=2, max_restarts=2)
    for _ in range(3):
        await end(await idle_worker(pool))
    assert fleet.up == set()
    reason = end_of(events, pool.pid)
    assert isinstance(reason, Shutdown)
    assert isinstance(reason.detail, GaveUp)
    assert [line.split("s  ")[1] for line in reason.detail.history] == ["child 'Conn': 'boom'"] * 3


async def test_the_restarts_are_counted_within_their_seconds(node: Node) -> None:
    fleet = Fleet()
    pool = await start_pool(fleet, size=1, max_restarts=1, max_seconds=2.0)
    for _ in range(5):
        await end(await idle_worker(pool))
        await trio.sleep(2.1)
    assert await pool.status() == IDLE


async def test_who_waits_hears_that_the_pool_gave_up(node: Node) -> None:
    fleet = Fleet()
    pool = await start_pool(fleet, size=1, max_restarts=0)
    held = await pool.checkout_worker()
    async with trio.open_nursery() as nursery:

        async def wait() -> None:
            with pytest.raises(CallExit) as info:
                await pool.checkout_worker()
            assert isinstance(info.value.reason, Shutdown)
            assert isinstance(info.value.reason.detail, GaveUp)

        await in_task(nursery, wait)
        await end(held)
    with pytest.raises(CallExit):
        await pool.status()


async def test_the_supervisor_above_takes_part(node: Node) -> None:
    async def begin(number: int) -> None:
        if number:
            raise OSError("away")

    fleet = Fleet(begin)
    spec = Pool.child_spec(fleet.spec, size=1).replace(name="db")
    with pytest.raises(SupervisorGaveUp) as info:
        async with open_supervisor([spec], max_restarts=0):
            await end(await idle_worker(PoolRef("db")))
            await trio.sleep_forever()
    assert isinstance(info.value.__cause__, OSError)


async def test_a_replacement_that_does_not_start_is_tried_again_and_counted(
    node: Node, events: Recorder
) -> None:
    """PL-36, PL-37: the pool goes on answering, and those who wait go on waiting.

    differs: at the start of the pool it is the start that fails (test_pool).
    """

    async def begin(number: int) -> Any:
        if number == 1:
            raise OSError("away")
        return Ignore() if number == 2 else None

    fleet = Fleet(begin)
    pool = await start_pool(fleet, size=1)
    held = await pool.checkout_worker()
    await holder(pool, fleet.log, "next")
    await end(held)
    assert fleet.log[-2:] == ["worker 3 started", "next got 3"]
    failed = [event.reason for event in events.of(ChildStartFailed)]
    assert isinstance(failed[0], Crashed)
    assert isinstance(failed[1], Ignored)
    assert [event.restarts for event in events.of(ChildEnded)] == [1, 2, 3]


async def test_a_restart_may_be_put_off_and_who_asks_meanwhile_does_not_wait_for_it(
    node: Node,
) -> None:
    fleet = Fleet()
    backoff = Backoff(initial=2.0, jitter=0.0)
    pool = await start_pool(fleet, size=1, max_overflow=1, backoff=backoff)
    await end(await idle_worker(pool))
    assert await say_status(pool) == "overflow available=0 overflow=0 checked_out=0"
    assert [one.status for one in await pool.which_children()] == ["restarting"]
    async with pool.checkout() as worker:
        assert await number(worker) == 1
        assert trio.current_time() == 0.0
    await trio.sleep(3.0)
    assert await pool.status() == IDLE, "one is enough"
    assert fleet.up == {1}


async def test_a_restart_that_was_put_off_serves_who_waits(node: Node) -> None:
    fleet = Fleet()
    pool = await start_pool(fleet, size=1, backoff=Backoff(initial=2.0, jitter=0.0))
    await end(await idle_worker(pool))
    async with pool.checkout() as worker:
        assert trio.current_time() == 2.0
        assert await number(worker) == 1


async def test_a_worker_made_for_one_who_left_goes_to_the_next_or_is_ended(node: Node) -> None:
    async def begin(number: int) -> None:
        await trio.sleep(float(number > 0))

    fleet = Fleet(begin)
    pool = await start_pool(fleet, size=1, max_overflow=1)
    held = await pool.checkout_worker()
    with trio.move_on_after(0.5):
        await pool.checkout_worker()
    async with pool.checkout() as worker:
        assert (trio.current_time(), await number(worker)) == (1.0, 1)
    with trio.move_on_after(0.5):
        await pool.checkout_worker()
    await trio.sleep(1.0)
    assert fleet.up == {0}
    assert (await pool.status()).overflow == 0
    pool.checkin(held)


async def test_a_start_that_fails_is_the_error_of_its_caller_alone(node: Node) -> None:
    """Trap 7: and it frees the slot."""

    async def begin(number: int) -> None:
        await trio.sleep(float(number > 0))
        if number == 1:
            raise OSError("away")

    fleet = Fleet(begin)
    pool = await start_pool(fleet, size=1, max_overflow=1, max_restarts=0)
    heard: list[str] = []

    async def client(tag: str) -> None:
        try:
            async with pool.checkout() as worker:
                heard.append(f"{tag} got {await number(worker)}")
        except StartFailed as exc:
            heard.append(f"{tag}: {type(exc.__cause__).__name__}")

    async with pool.checkout(), trio.open_nursery() as nursery:
        for tag in "ab":
            await in_task(nursery, partial(client, tag))
    assert heard == ["a: OSError", "b got 2"]


async def test_a_start_that_fails_when_it_is_the_only_one_left_is_tried_again(
    node: Node,
) -> None:
    """It was made for a caller, who hears of it, and meanwhile a core worker has crashed."""

    async def begin(number: int) -> None:
        await trio.sleep(float(number == 1))
        if number == 1:
            raise OSError("away")

    fleet = Fleet(begin)
    pool = await start_pool(fleet, size=1, max_overflow=1)
    async with pool.checkout() as worker, trio.open_nursery() as nursery:

        async def client() -> None:
            with pytest.raises(StartFailed):
                await pool.checkout_worker()

        await in_task(nursery, client)
        await end(worker)
        assert fleet.up == set()
    await settle()
    assert fleet.up == {2}
    assert await pool.status() == IDLE


async def test_one_that_is_about_to_end_is_lent_to_nobody(node: Node) -> None:
    fleet = Fleet(nap=1.0)
    pool = await start_pool(fleet, size=1)
    exit(await idle_worker(pool), "boom")
    async with pool.checkout() as worker:
        assert (trio.current_time(), await number(worker)) == (1.0, 1)
        kill(worker)
    assert await pool.transaction(number) == 2


async def test_nothing_is_made_good_once_the_node_stops_for_a_fatal_exception(
    node: Node,
) -> None:
    fleet = Fleet()
    pool = await start_pool(fleet, size=2)
    _, pid = await holder(pool, fleet.log, "x")
    table_var.get().stopping = True
    await end(await idle_worker(pool))
    kill(pid)
    await settle()
    assert fleet.made == 2
    assert fleet.up == set()
