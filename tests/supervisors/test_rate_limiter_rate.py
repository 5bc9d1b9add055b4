"""The limiter: how many in which time, changes while it runs, and ending when nobody needs it."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import pytest
import trio

from runtime import (
    Call,
    CallExit,
    CallTimeout,
    Cast,
    ExitReason,
    Node,
    NoProcess,
    Normal,
    UnhandledMessage,
    resume,
    suspend,
    wait_exit,
)
from runtime.current import current_table
from supervisors.rate_limiter_ref import RateLimiterRef
from tests.supervisors.limiter_parts import counts, in_task, settle, start_limiter


async def times(limiter: RateLimiterRef, count: int) -> list[float]:
    """When so many callers that ask at once are served, from now on, in the order of asking."""
    begun, served = trio.current_time(), dict[int, float]()

    async def client(number: int) -> None:
        await limiter.acquire()
        served[number] = trio.current_time() - begun

    async with trio.open_nursery() as nursery:
        for number in range(count):
            await in_task(nursery, partial(client, number))
    assert list(served) == sorted(served)
    return list(served.values())


async def test_a_burst_at_once_and_then_one_per_interval(node: Node) -> None:
    limiter = await start_limiter(rate=4, per=2.0, burst=3)
    assert await times(limiter, 6) == [0, 0, 0, 0.5, 1.0, 1.5]
    await trio.sleep(1.0)
    assert await times(limiter, 4) == [0, 0, 0.5, 1.0]
    await trio.sleep(1000)
    assert await times(limiter, 4) == [0, 0, 0, 0.5]


async def test_a_token_that_came_in_quiet_is_there_before_any_timer(node: Node) -> None:
    limiter = await start_limiter(rate=1)
    assert await limiter.try_acquire() is not None
    assert await limiter.try_acquire() is None
    await trio.sleep(1)
    assert await limiter.try_acquire() is not None


async def test_a_waiter_comes_before_one_who_asks_in_the_very_step_of_the_token(
    node: Node,
) -> None:
    limiter = await start_limiter(rate=1)
    for _ in range(20):
        log = list[str]()

        async def first(log: list[str] = log) -> None:
            await limiter.acquire()
            log.append("first")

        async def second(log: list[str] = log) -> None:
            await trio.sleep(1)
            assert await limiter.try_acquire() is None
            await limiter.acquire()
            log.append("second")

        await limiter.acquire()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(first)
            await settle()
            nursery.start_soon(second)
        assert log == ["first", "second"]
        await trio.sleep(1)


async def test_one_that_gave_up_does_not_take_the_token_of_the_next(node: Node) -> None:
    """Differs from oracle 13, where the token goes to the one who has left."""
    limiter = await start_limiter(rate=1)
    await limiter.acquire()
    begun = trio.current_time()
    async with trio.open_nursery() as nursery:
        gone = await in_task(nursery, limiter.acquire)
        stays = trio.Event()

        async def client() -> None:
            await limiter.acquire()
            assert trio.current_time() == begun + 1
            stays.set()

        await in_task(nursery, client)
        gone.cancel()
        await stays.wait()


async def test_without_a_limit_there_is_nothing_to_give_back(node: Node) -> None:
    limiter = await start_limiter(rate=10)
    permits = [await limiter.acquire() for _ in range(10)]
    for permit in permits:
        limiter.release(permit)
    stats = await limiter.stats()
    assert (stats.in_use, stats.granted) == (0, 10)
    assert await limiter.try_acquire() is None


async def test_with_both_neither_is_exceeded(node: Node) -> None:
    limiter = await start_limiter(2, rate=1, burst=10)
    begun, running, most, ends = trio.current_time(), 0, 0, list[float]()

    async def client() -> None:
        nonlocal running, most
        async with limiter.permit():
            running += 1
            most = max(most, running)
            await trio.sleep(0.25)
            running -= 1
        ends.append(trio.current_time() - begun)

    async with trio.open_nursery() as nursery:
        for _ in range(14):
            nursery.start_soon(client)
    assert most == 2
    assert ends[:10] == [0.25 * (1 + number // 2) for number in range(10)]
    assert ends[10:] == [1.5, 2.25, 3.25, 4.25]


async def test_while_nobody_can_be_served_no_timer_runs(node: Node) -> None:
    """With all permits in use a token changes nothing, so it waits for the release."""
    limiter = await start_limiter(1, rate=1)
    permit = await limiter.acquire()
    async with trio.open_nursery() as nursery:
        await in_task(nursery, limiter.acquire)
        await trio.sleep(100)
        begun = trio.current_time()
        limiter.release(permit)
        await settle()
        assert await counts(limiter) == (1, 0)
    assert trio.current_time() == begun


# ------------------------------------------------------------------- changes while it runs


async def test_more_room_serves_those_who_wait_at_once(node: Node) -> None:
    limiter = await start_limiter(1)
    await limiter.acquire()
    async with trio.open_nursery() as nursery:
        for _ in range(3):
            await in_task(nursery, limiter.acquire)
        await limiter.resize(3)
        assert await counts(limiter) == (3, 1)
        await limiter.resize(4)


async def test_less_room_takes_nothing_away_but_gives_nothing(node: Node) -> None:
    limiter = await start_limiter(3)
    permits = [await limiter.acquire() for _ in range(3)]
    await limiter.resize(1)
    for permit in permits[:2]:
        limiter.release(permit)
        assert await limiter.try_acquire() is None
    limiter.release(permits[2])
    assert await limiter.try_acquire() is not None
    assert (await limiter.stats()).limit == 1


async def test_no_limit_any_more_serves_all(node: Node) -> None:
    limiter = await start_limiter(1, rate=100)
    permit = await limiter.acquire()
    async with trio.open_nursery() as nursery:
        for _ in range(5):
            await in_task(nursery, limiter.acquire)
        await limiter.resize(None)
    assert await counts(limiter) == (1, 0), "what was given with a limit is still to come back"
    limiter.release(permit)
    await limiter.resize(1)
    assert await counts(limiter) == (0, 0)


async def test_a_new_rate_is_for_those_who_wait_too(node: Node) -> None:
    limiter = await start_limiter(rate=1, per=3600.0)
    await limiter.acquire()
    served: list[float] = []

    async def client() -> None:
        await limiter.acquire()
        served.append(trio.current_time() - begun)

    async with trio.open_nursery() as nursery:
        for _ in range(3):
            await in_task(nursery, client)
        await trio.sleep(1800)
        begun = trio.current_time()
        await limiter.set_rate(1, per=2.0)
        await trio.sleep(1)
        await limiter.set_rate(4, burst=1)
    assert served == [1.0, 1.25, 1.5]
    stats = await limiter.stats()
    assert (stats.rate, stats.per, stats.burst) == (4, 1.0, 1)


def timers() -> int:
    """How many deadlines are to come in this node, beside the one for all usual time-outs."""
    table = current_table()
    usual, heap = table.timeouts._next, table.deadlines._heap
    return sum(one.callback is not None and (at, number) != usual for at, number, one in heap)


async def test_however_often_the_rate_changes_one_timer_runs(node: Node) -> None:
    limiter = await start_limiter(rate=1)
    await limiter.acquire()
    async with trio.open_nursery() as nursery:
        await in_task(nursery, limiter.acquire)
        for _ in range(5):
            await limiter.set_rate(1)
        assert timers() == 1
    assert timers() == 0


async def test_a_timer_that_is_overtaken_by_a_change_is_none(node: Node) -> None:
    """Its message is in the mailbox already, behind the change that called it off."""
    limiter = await start_limiter(rate=1, per=4.0)
    await limiter.acquire()
    begun = trio.current_time()
    async with trio.open_nursery() as nursery:
        for _ in range(3):
            await in_task(nursery, limiter.acquire)
        for _ in range(3):
            await suspend(limiter)
            nursery.start_soon(partial(limiter.set_rate, 1, per=4.0))
            await trio.sleep(4)
            await resume(limiter)
            await settle()
            assert timers() <= 1
    assert trio.current_time() == begun + 12


async def test_no_rate_any_more_serves_all_there_is_room_for(node: Node) -> None:
    limiter = await start_limiter(3, rate=1, per=100.0)
    await limiter.acquire()
    async with trio.open_nursery() as nursery:
        for _ in range(2):
            await in_task(nursery, limiter.acquire)
        await limiter.set_rate(None)
    stats = await limiter.stats()
    assert (stats.in_use, stats.rate, stats.per, stats.burst) == (3, None, None, None)


async def test_a_change_that_would_leave_no_limit_at_all_is_refused(node: Node) -> None:
    by_limit, by_rate = await start_limiter(1), await start_limiter(rate=1)
    with pytest.raises(ValueError, match="allowed is one of them or both"):
        await by_limit.resize(None)
    with pytest.raises(ValueError, match="allowed is one of them or both"):
        await by_rate.set_rate(None)
    assert (await by_limit.stats()).limit == 1
    assert (await by_rate.stats()).rate == 1


@pytest.mark.parametrize("limit", [0, -1, True, 1.5, math.nan])
async def test_what_is_no_limit_is_refused(node: Node, limit: Any) -> None:
    """Contract 9."""
    limiter = await start_limiter(1)
    with pytest.raises((ValueError, TypeError), match="limit: got"):
        await limiter.resize(limit)


@pytest.mark.parametrize(
    ("rate", "options"), [(0, {}), (True, {}), (1, {"per": 0}), (1, {"burst": 0})]
)
async def test_what_is_no_rate_is_refused(node: Node, rate: Any, options: dict[str, Any]) -> None:
    """Contract 9."""
    limiter = await start_limiter(1)
    with pytest.raises((ValueError, TypeError), match=": got"):
        await limiter.set_rate(rate, **options)


# ------------------------------------------------------------------- ending when idle


async def ended_after(limiter: RateLimiterRef) -> float:
    """How long from now until it has ended by itself."""
    begun = trio.current_time()
    assert await wait_exit(limiter) == Normal()
    return trio.current_time() - begun


async def test_it_ends_when_nobody_has_needed_it_for_so_long(node: Node) -> None:
    limiter = await start_limiter(1, idle_stop=10.0)
    await trio.sleep(9)
    permit = await limiter.acquire()
    await trio.sleep(100)
    limiter.release(permit)
    await trio.sleep(9)
    await limiter.stats()
    assert await ended_after(limiter) == 10


async def test_it_does_not_end_while_somebody_waits(node: Node) -> None:
    limiter = await start_limiter(rate=1, per=100.0, idle_stop=1.0)
    permit = await limiter.acquire()
    assert await times(limiter, 2) == [100, 200]
    limiter.release(permit)
    assert await ended_after(limiter) == 100, "when the bucket is full again"


async def test_it_ends_though_the_last_who_waited_gave_up(node: Node) -> None:
    limiter = await start_limiter(1, idle_stop=1.0)
    permit = await limiter.acquire()
    with pytest.raises(CallTimeout):
        await limiter.acquire(timeout=5)
    limiter.release(permit)
    assert await ended_after(limiter) == 1


async def test_an_idle_end_never_lets_more_through_than_the_rate(node: Node) -> None:
    """A successor starts with a full bucket, so its predecessor stays until its own is full."""
    limiter = await start_limiter(rate=2, per=60.0, burst=2, idle_stop=1.0)
    await limiter.acquire()
    await trio.sleep(29)
    await limiter.acquire()
    await trio.sleep(30)
    assert limiter.whereis() is not None
    await trio.sleep(2)
    assert limiter.whereis() is None


class Ask(Call[int]):
    """Nothing a limiter knows."""


class Say(Cast):
    """Nor this."""


@pytest.mark.parametrize("how", ["call", "cast", "send"])
async def test_a_message_it_does_not_know_is_no_reason_to_stay(node: Node, how: str) -> None:
    limiter = await start_limiter(1, idle_stop=10.0)
    await trio.sleep(5)
    match how:
        case "call":
            with pytest.raises(UnhandledMessage):
                await limiter.call(Ask())
        case "cast":
            limiter.cast(Say())
        case _:
            limiter.send("a stray message")
    assert await ended_after(limiter) == (10 if how == "call" else 5)  # a request it was, refused


async def test_one_who_asks_in_the_step_of_its_end_is_served_or_told(node: Node) -> None:
    async def ask(limiter: RateLimiterRef) -> ExitReason:
        try:
            permit = await limiter.acquire()
        except CallExit as exc:
            return exc.reason
        assert await counts(limiter) == (1, 0)
        limiter.release(permit)
        return await wait_exit(limiter)

    for _ in range(40):
        limiter = await start_limiter(1, idle_stop=1.0)
        await trio.sleep(1)
        assert await ask(limiter) in (Normal(), NoProcess())
        assert limiter.whereis() is None


async def test_without_the_option_it_stays(node: Node) -> None:
    limiter = await start_limiter(1)
    limiter.release(await limiter.acquire())
    await trio.sleep(80_000)
    assert limiter.whereis() is not None


async def test_the_timer_of_a_waiter_that_gave_up_does_not_keep_it(node: Node) -> None:
    limiter = await start_limiter(rate=1, idle_stop=0.75)
    await limiter.acquire()
    with pytest.raises(CallTimeout):
        await limiter.acquire(timeout=0.5)
    await wait_exit(limiter)
    assert trio.current_time() == 1.25
