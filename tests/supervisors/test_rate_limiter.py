"""The limiter: how many at once, in which order, and who gives back what."""

from __future__ import annotations

import math
from typing import Any

import pytest
import trio

from runtime import (
    Call,
    CallExit,
    CallTimeout,
    Cast,
    Killed,
    MailboxLimit,
    MessageUnexpected,
    Node,
    NoProcess,
    UnhandledMessage,
    kill,
    resume,
    spawn,
    start,
    suspend,
    wait_exit,
)
from supervisors.limiter_requests import LimiterFull, LimiterStats
from supervisors.rate_limiter import RateLimiter
from supervisors.rate_limiter_ref import RateLimiterRef
from tests.conftest import Recorder
from tests.supervisors.limiter_parts import Client, counts, holder, in_task, settle, start_limiter


async def test_so_many_at_once_and_the_others_wait_their_turn(node: Node) -> None:
    limiter, log = await start_limiter(2), list[str]()
    clients = [(await holder(limiter, log, tag))[0] for tag in "abcd"]
    assert log == ["a", "b"]
    assert await counts(limiter) == (2, 2)
    clients[1].done.set()
    await settle()
    assert log == ["a", "b", "c"]
    clients[0].done.set()
    await settle()
    assert log == ["a", "b", "c", "d"]
    assert await counts(limiter) == (2, 0)


async def test_nobody_is_passed_over_whoever_asks_how(node: Node) -> None:
    """Plain tasks and processes stand in one queue; who only tries does not get past it."""
    limiter, log = await start_limiter(1), list[str]()
    first = await limiter.acquire()
    async with trio.open_nursery() as nursery:
        for number in range(20):
            client = Client(limiter, log, str(number))
            client.done.set()
            if number % 2:
                spawn(client.run)
            else:
                nursery.start_soon(client.run)
            await settle()
        limiter.release(first)
        assert await limiter.try_acquire() is None
    await settle()
    assert log == [str(number) for number in range(20)]
    assert await counts(limiter) == (0, 0)


# ------------------------------------------------------------------- giving up


async def test_a_waiter_that_is_cancelled_leaves_the_queue(node: Node) -> None:
    limiter, log = await start_limiter(1), list[str]()
    permit = await limiter.acquire()
    async with trio.open_nursery() as nursery:
        scope = await in_task(nursery, Client(limiter, log, "a").run)
        last = Client(limiter, log, "b")
        await in_task(nursery, last.run)
        scope.cancel()
        assert await counts(limiter) == (1, 1), "at once"
        limiter.release(permit)
        await settle()
        last.done.set()
    assert log == ["b"]
    assert (await limiter.stats()).abandoned == 1


async def test_a_waiting_process_that_is_killed_leaves_the_queue(node: Node) -> None:
    limiter, log = await start_limiter(1), list[str]()
    permit = await limiter.acquire()
    _, killed = await holder(limiter, log, "a")
    await holder(limiter, log, "b")
    kill(killed)
    assert await wait_exit(killed) == Killed()
    assert await counts(limiter) == (1, 1)
    limiter.release(permit)
    await settle()
    assert log == ["b"]


@pytest.mark.parametrize("how", ["acquire", "try_acquire"])
async def test_a_request_that_is_given_up_before_it_was_read_is_granted_nothing(
    node: Node, how: str
) -> None:
    limiter = await start_limiter(1)
    await suspend(limiter)
    async with trio.open_nursery() as nursery:
        scope = await in_task(nursery, getattr(limiter, how))
        scope.cancel()
    await resume(limiter)
    stats = await limiter.stats()
    assert (stats.in_use, stats.granted, stats.abandoned) == (0, 0, 1)


# ------------------------------------------------------------------- a limited queue


async def test_a_full_queue_turns_callers_away_at_once(node: Node) -> None:
    limiter = await start_limiter(1, max_queue=2)
    await limiter.acquire()
    async with trio.open_nursery() as nursery:
        for _ in range(2):
            await in_task(nursery, limiter.acquire)
        begun = trio.current_time()
        with pytest.raises(LimiterFull, match="2 are waiting for a permit") as caught:
            await limiter.acquire()
        assert (caught.value.limit, caught.value.queued) == (1, 2)
        assert trio.current_time() == begun
        assert (await limiter.stats()).refused == 1
        nursery.cancel_scope.cancel()


async def test_a_waiter_that_gave_up_frees_its_place_in_the_same_step(node: Node) -> None:
    """Before anybody else has run, the one who gave up included."""
    limiter = await start_limiter(1, max_queue=1)
    permit = await limiter.acquire()
    async with trio.open_nursery() as nursery:
        for _ in range(20):
            scope = await in_task(nursery, limiter.acquire)
            with pytest.raises(LimiterFull):
                await limiter.acquire()
            scope.cancel()
            with trio.move_on_after(1) as patience:
                await limiter.acquire()
            assert patience.cancelled_caught, "it waited"
    limiter.release(permit)
    assert await counts(limiter) == (0, 0)


async def test_a_waiter_that_times_out_frees_its_place_in_the_same_step(node: Node) -> None:
    """The second asks in the very instant in which the first gives up, and before that one runs."""
    limiter = await start_limiter(1, max_queue=1)
    await limiter.acquire()

    async def second() -> None:
        await trio.sleep(1)
        await trio.lowlevel.checkpoint()  # what is due at this instant has happened
        with pytest.raises(CallTimeout):
            await limiter.acquire(timeout=1)

    async def first() -> None:
        with pytest.raises(CallTimeout):
            await limiter.acquire(timeout=1)

    for _ in range(20):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(first)
            nursery.start_soon(second)
    assert (await limiter.stats()).refused == 0


async def test_a_queue_of_none_at_all(node: Node) -> None:
    limiter = await start_limiter(1, max_queue=0)
    permit = await limiter.acquire()
    with pytest.raises(LimiterFull, match="0 are waiting"):
        await limiter.acquire()
    limiter.release(permit)
    await limiter.acquire()


async def test_a_limited_mailbox_loses_neither_releases_nor_those_who_give_up(node: Node) -> None:
    """Only requests count."""
    spec = RateLimiter.child_spec(2).replace(mailbox=MailboxLimit(1, policy="drop_newest"))
    limiter = RateLimiterRef(await start(spec))
    permits = [await limiter.acquire() for _ in range(2)]
    async with trio.open_nursery() as nursery:
        waiter = await in_task(nursery, limiter.acquire)
        await suspend(limiter)
        nursery.start_soon(limiter.stats)
        await settle()
        for permit in permits:
            limiter.release(permit)
        waiter.cancel()
        await settle()
        await resume(limiter)
    assert await counts(limiter) == (0, 0)


# ------------------------------------------------------------------- the limiter ends


async def test_those_who_wait_hear_of_the_limiters_end(node: Node) -> None:
    """Oracle 13, its last part."""
    limiter = await start_limiter(1)
    await limiter.acquire()
    heard = list[object]()

    async def client() -> None:
        with pytest.raises(CallExit) as caught:
            await limiter.acquire()
        heard.append(caught.value.reason)

    async with trio.open_nursery() as nursery:
        for _ in range(3):
            await in_task(nursery, client)
        kill(limiter)
    assert heard == [Killed()] * 3
    with pytest.raises(CallExit) as caught:
        await limiter.acquire()
    assert caught.value.reason == NoProcess()
    with pytest.raises(CallExit):
        await limiter.acquire(timeout=0)


# ------------------------------------------------------------------- options and numbers


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({}, ValueError, "limit: got None and rate too, allowed is one of them or both"),
        ({"limit": 0}, ValueError, "limit: got 0, allowed is an int of 1 or more"),
        ({"limit": -1}, ValueError, "limit: got -1"),
        ({"limit": True}, TypeError, "limit: got True"),
        ({"limit": 2.0}, TypeError, r"limit: got 2\.0"),
        ({"rate": 0}, ValueError, "rate: got 0"),
        ({"rate": math.nan}, ValueError, "rate: got nan"),
        ({"rate": 5, "per": 0.0}, ValueError, r"per: got 0\.0"),
        ({"rate": 5, "burst": 0}, ValueError, "burst: got 0"),
        ({"limit": 1, "burst": 2}, ValueError, "burst: got 2 without a rate"),
        ({"limit": 1, "max_queue": -1}, ValueError, "max_queue: got -1"),
        ({"limit": 1, "max_queue": math.inf}, TypeError, "max_queue: got inf"),
        ({"limit": 1, "idle_stop": -1}, ValueError, "idle_stop: got -1"),
        ({"limit": 1, "idle_stop": 0}, ValueError, "idle_stop: got 0, allowed is .* above 0"),
        ({"limit": 1, "idle_stop": "1"}, TypeError, "idle_stop: got '1'"),
    ],
)
def test_bad_options_are_refused_at_once_and_when_the_spec_is_made(
    options: dict[str, Any], error: type[Exception], message: str
) -> None:
    """Contract 9."""
    with pytest.raises(error, match=message):
        RateLimiter(**options)
    with pytest.raises(error, match=message):
        RateLimiter.child_spec(**options)


class Uploads(RateLimiter):
    """A limiter whose options are its own."""

    def __init__(self) -> None:
        super().__init__(3)


async def test_a_subclass_may_bring_its_options(node: Node) -> None:
    limiter = RateLimiterRef(await start(Uploads.child_spec()))
    assert (await limiter.stats()).limit == 3


async def test_the_numbers(node: Node) -> None:
    limiter = await start_limiter(1, max_queue=1)
    assert await limiter.stats() == LimiterStats(
        limit=1, rate=None, per=None, burst=None, in_use=0, queued=0, granted=0, refused=0,
        abandoned=0, reclaimed=0, longest_wait=0.0, total_wait=0.0,
    )  # fmt: skip
    for seconds in (3, 5):
        permit = await limiter.acquire()
        async with trio.open_nursery() as nursery:

            async def waiting() -> None:
                limiter.release(await limiter.acquire())

            await in_task(nursery, waiting)
            with pytest.raises(LimiterFull):
                await limiter.acquire()
            await trio.sleep(seconds)
            limiter.release(permit)
    stats = await limiter.stats()
    assert (stats.granted, stats.refused, stats.longest_wait, stats.total_wait) == (4, 2, 5, 8)


class Ask(Call[int]):
    """Nothing a limiter knows."""


class Say(Cast):
    """Nor this."""


async def test_what_it_does_not_know_is_refused_or_reported_and_the_permits_stay_out(
    node: Node, events: Recorder
) -> None:
    limiter = RateLimiterRef(await RateLimiter.start(1))
    permit = await limiter.acquire()
    with pytest.raises(UnhandledMessage, match="does not handle the call Ask"):
        await limiter.call(Ask())
    limiter.cast(Say())
    assert await limiter.try_acquire() is None
    assert [event.message for event in events.of(MessageUnexpected)] == ["Say()"]
    limiter.release(permit)
    await limiter.stop()
