"""The handle of a limiter: acquire, release, and the block that does both."""

from __future__ import annotations

import math
from typing import Any

import pytest
import trio

from runtime import (
    CallTimeout,
    Node,
    kill,
    named,
    start,
)
from supervisors import open_supervisor
from supervisors.rate_limiter import RateLimiter
from supervisors.rate_limiter_ref import RateLimiterRef
from tests.supervisors.limiter_parts import counts, settle, start_limiter


async def test_a_block_gives_its_permit_back_however_it_is_left(node: Node) -> None:
    limiter = await start_limiter(1)
    with pytest.raises(KeyError):
        async with limiter.permit():
            raise KeyError
    with trio.move_on_after(1):
        async with limiter.permit():
            await trio.sleep_forever()
    async with limiter.permit() as permit:
        assert permit.limiter.pid is limiter.pid
        assert await counts(limiter) == (1, 0)
    assert await counts(limiter) == (0, 0)


async def test_a_block_is_entered_once(node: Node) -> None:
    limiter = await start_limiter(1)
    block = limiter.permit()
    async with block:
        pass
    with pytest.raises(RuntimeError, match="entered before"):
        async with block:
            pytest.fail("it was entered")
    assert await counts(limiter) == (0, 0)


async def test_a_block_that_never_got_its_permit_gives_none_back(node: Node) -> None:
    limiter = await start_limiter(1)
    async with limiter.permit():
        with pytest.raises(CallTimeout):
            async with limiter.permit(timeout=1):
                pytest.fail("it was entered")
        assert await counts(limiter) == (1, 0)


async def test_a_second_release_gives_nothing_back(node: Node) -> None:
    limiter = await start_limiter(2)
    one, _ = await limiter.acquire(), await limiter.acquire()
    for _ in range(3):
        limiter.release(one)
    assert await counts(limiter) == (1, 0)
    await limiter.acquire()
    assert await limiter.try_acquire() is None


async def test_a_permit_goes_back_to_where_it_came_from_by_whatever_handle(node: Node) -> None:
    here, there = await start_limiter(1), await start_limiter(1)
    permit = await here.acquire()
    await there.acquire()
    there.release(permit)
    assert (await counts(here), await counts(there)) == ((0, 0), (1, 0))


async def test_what_is_no_permit_is_refused(node: Node) -> None:
    limiter = await start_limiter(1)
    with pytest.raises(TypeError, match="permit: got 'mine', allowed is what acquire"):
        limiter.release("mine")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def test_a_timeout_covers_the_wait_in_the_queue(node: Node) -> None:
    limiter = await start_limiter(1)
    permit = await limiter.acquire(timeout=1)
    begun = trio.current_time()
    with pytest.raises(CallTimeout, match="no reply within 2 s") as caught:
        await limiter.acquire(timeout=2)
    assert isinstance(caught.value, TimeoutError)
    assert trio.current_time() == begun + 2
    assert await counts(limiter) == (1, 0)
    limiter.release(permit)
    assert await counts(limiter) == (0, 0), "whoever timed out has eaten nothing"


async def test_a_timeout_of_nothing_takes_what_is_there_and_does_not_wait(node: Node) -> None:
    limiter = await start_limiter(1, max_queue=0)
    permit = await limiter.acquire(timeout=0)
    with pytest.raises(CallTimeout, match="no reply within 0 s"):
        await limiter.acquire(timeout=0)
    limiter.release(permit)
    async with limiter.permit(timeout=0):
        assert await counts(limiter) == (1, 0)


@pytest.mark.parametrize(
    ("timeout", "error"), [(-1, ValueError), (math.nan, ValueError), ("1", TypeError)]
)
async def test_what_is_no_timeout_is_refused_where_it_is_given(
    node: Node, timeout: Any, error: type[Exception]
) -> None:
    """Contract 9."""
    limiter = await start_limiter(1)
    with pytest.raises(error, match="timeout: got"):
        await limiter.acquire(timeout=timeout)
    with pytest.raises(error, match="timeout: got"):
        limiter.permit(timeout=timeout)
    assert (await limiter.stats()).granted == 0


async def test_whoever_only_tries_never_waits(node: Node) -> None:
    limiter = await start_limiter(1)
    permit = await limiter.try_acquire()
    assert permit is not None
    assert await limiter.try_acquire() is None
    limiter.release(permit)
    assert await limiter.try_acquire() is not None
    assert (await limiter.stats()).refused == 1


async def test_permits_of_a_limiter_that_ended_are_unknown_to_its_successor() -> None:
    async with open_supervisor([RateLimiter.child_spec(1).replace(name="limiter")]):
        limiter = RateLimiterRef("limiter")
        async with limiter.permit() as old:
            kill(limiter)
            await settle()
            new = await limiter.acquire(timeout=0)
        limiter.release(old)
        assert await counts(limiter) == (1, 0)
        limiter.release(new)
        assert await counts(limiter) == (0, 0)


async def test_a_block_that_outlives_the_whole_node_is_left_quietly() -> None:
    release, left = trio.Event(), list[bool]()

    async def outside() -> None:
        async with RateLimiterRef("limiter").permit():
            release.set()
            await trio.sleep(5)
        left.append(True)

    async with trio.open_nursery() as nursery:
        async with open_supervisor([RateLimiter.child_spec(1).replace(name="limiter")]):
            nursery.start_soon(outside)
            await release.wait()
    assert left == [True]


async def test_it_is_named_like_any_other_server(node: Node) -> None:
    await start(RateLimiter.child_spec(1).replace(name="limiter"))
    limiter = RateLimiterRef("limiter")
    assert repr(limiter) == "RateLimiterRef(named('limiter'))"
    assert limiter == RateLimiterRef(named("limiter"))
    await limiter.stop()
    assert limiter.whereis() is None
