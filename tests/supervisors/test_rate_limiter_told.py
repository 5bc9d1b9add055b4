"""What a limiter tells of the permits it gives."""

from __future__ import annotations

import trio

from runtime import Node, PermitsGranted, named, start
from supervisors import KeyedRateLimiter, KeyedRateLimiterRef, RateLimiter, RateLimiterRef
from tests.runtime.telling import heard
from tests.supervisors.limiter_parts import settle, start_limiter


async def test_every_permit_is_told_with_the_wait_for_it(node: Node) -> None:
    spec = RateLimiter.child_spec(1).replace(name="api")
    limiter = RateLimiterRef(await start(spec))
    with heard(PermitsGranted) as told:
        permit = await limiter.acquire()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(limiter.acquire)
            await settle()
            assert await limiter.try_acquire() is None
            await trio.sleep(3)
            limiter.release(permit)
        await limiter.resize(2)
        await limiter.try_acquire()
    assert told == [PermitsGranted(named("api").pid, "api", 1, wait) for wait in (0.0, 3.0, 0.0)]


async def test_what_nobody_wants_to_hear_is_not_told_and_a_later_listener_hears_the_next(
    node: Node,
) -> None:
    limiter = await start_limiter(rate=1)
    await limiter.acquire()
    with heard(PermitsGranted) as told:
        await limiter.acquire()
    await limiter.acquire()
    assert told == [PermitsGranted(limiter.pid, None, 1, 1.0)]


async def test_limiters_by_key_have_no_name(node: Node) -> None:
    """Keys are as many as there are hosts: nothing to tell figures apart by."""
    await start(KeyedRateLimiter.child_spec(1).replace(name="hosts"))
    hosts: KeyedRateLimiterRef[str] = KeyedRateLimiterRef("hosts")
    with heard(PermitsGranted) as told:
        permit = await hosts.acquire("example.org")
    assert told == [PermitsGranted(permit.limiter.pid, None, 1, 0.0)]
