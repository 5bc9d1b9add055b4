"""Whoever holds a permit and dies gives it back."""

from __future__ import annotations

import pytest
import trio

from runtime import (
    Down,
    Killed,
    MonitorRef,
    Node,
    exit,
    kill,
    spawn,
    wait_exit,
)
from supervisors.limiter_requests import Permit
from supervisors.rate_limiter_ref import RateLimiterRef
from tests.supervisors.limiter_parts import Client, counts, holder, settle, start_limiter


class Greedy:
    """A process that acquires so many and releases none."""

    def __init__(self, limiter: RateLimiterRef, count: int) -> None:
        self._limiter = limiter
        self._count = count
        self.permits: list[Permit] = []
        self.crash = trio.Event()

    async def run(self) -> None:
        """Its life."""
        for _ in range(self._count):
            self.permits.append(await self._limiter.acquire())
        await self.crash.wait()
        raise RuntimeError("it had too much")


@pytest.mark.parametrize("how", ["kill", "crash", "signal"])
async def test_a_process_that_dies_gives_back_all_it_holds(node: Node, how: str) -> None:
    limiter, log = await start_limiter(3), list[str]()
    greedy = Greedy(limiter, 2)
    pid = spawn(greedy.run)
    _, _ = await holder(limiter, log, "a")
    await holder(limiter, log, "b")
    await holder(limiter, log, "c")
    assert (log, await counts(limiter)) == (["a"], (3, 2))
    match how:
        case "kill":
            kill(pid)
        case "signal":
            exit(pid, "enough")
        case _:
            greedy.crash.set()
    await settle()
    assert (sorted(log), await counts(limiter)) == (["a", "b", "c"], (3, 0))
    assert (await limiter.stats()).reclaimed == 2


async def test_what_a_process_released_before_it_died_comes_back_once(node: Node) -> None:
    limiter = await start_limiter(3)
    greedy = Greedy(limiter, 3)
    pid = spawn(greedy.run)
    await settle()
    for permit in greedy.permits[:2]:
        limiter.release(permit)
    assert await counts(limiter) == (1, 0)
    kill(pid)
    limiter.release(greedy.permits[2])
    await settle()
    stats = await limiter.stats()
    assert (stats.in_use, stats.reclaimed) == (0, 0), "the release came first"
    for permit in greedy.permits:
        limiter.release(permit)
    assert await counts(limiter) == (0, 0)


async def test_a_release_that_comes_after_its_holders_death_does_nothing(node: Node) -> None:
    limiter = await start_limiter(1)
    greedy = Greedy(limiter, 1)
    pid = spawn(greedy.run)
    await settle()
    kill(pid)
    await settle()
    other = await limiter.acquire(timeout=0)
    limiter.release(greedy.permits[0])
    assert await counts(limiter) == (1, 0)
    limiter.release(other)


async def test_a_process_may_come_back_for_more(node: Node) -> None:
    """It is watched from its first permit to its last, however often."""
    limiter = await start_limiter(1)

    async def body() -> None:
        for _ in range(3):
            async with limiter.permit():
                await trio.sleep(1)
        await limiter.acquire()

    assert await wait_exit(spawn(body)) is not None
    await settle()
    stats = await limiter.stats()
    assert (stats.granted, stats.in_use, stats.reclaimed) == (4, 0, 1)


async def test_a_process_that_has_given_all_back_is_not_watched_any_more(node: Node) -> None:
    limiter = await start_limiter(2)
    greedy = Greedy(limiter, 2)
    spawn(greedy.run)
    await settle()
    server = limiter.find()
    assert server is not None
    for left, permit in ((1, greedy.permits[0]), (0, greedy.permits[1])):
        limiter.release(permit)
        await settle()
        assert len(server.links.watching()) == left


async def test_a_helper_task_of_a_process_holds_it_for_the_process(node: Node) -> None:
    limiter = await start_limiter(1)

    async def body() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(limiter.acquire)
        await trio.sleep(1)

    pid = spawn(body)
    await settle()
    assert await counts(limiter) == (1, 0)
    await wait_exit(pid)
    assert await counts(limiter) == (0, 0)


async def test_a_task_that_outlives_the_process_it_was_started_from_gets_no_hold(
    node: Node,
) -> None:
    """The process it would be given back by is dead already when the permit is given."""
    limiter, got = await start_limiter(1), list[Permit]()
    blocker = await limiter.acquire()

    async def late() -> None:
        got.append(await limiter.acquire())

    async with trio.open_nursery() as nursery:

        async def body() -> None:
            nursery.start_soon(late)
            await trio.sleep(1)

        await wait_exit(spawn(body))
        assert await counts(limiter) == (1, 1)
        limiter.release(blocker)
    await settle()
    stats = await limiter.stats()
    assert (stats.in_use, stats.granted, stats.reclaimed) == (0, 2, 1)
    limiter.release(got[0])
    assert await counts(limiter) == (0, 0)


async def test_the_end_of_a_stranger_changes_nothing(node: Node) -> None:
    """A forged, or late, ``Down`` of the same process."""
    limiter = await start_limiter(1)
    greedy = Greedy(limiter, 1)
    pid = spawn(greedy.run)
    await settle()
    for message in (Down(MonitorRef(), pid, Killed()), Down(MonitorRef(), None, Killed())):
        limiter.send(message)
    assert await counts(limiter) == (1, 0)


async def test_a_permit_is_there_for_whoever_hears_of_the_holders_death(node: Node) -> None:
    """A supervisor that starts a successor, say."""
    limiter = await start_limiter(1)
    for _ in range(20):
        pid = spawn(Greedy(limiter, 1).run)
        await settle()
        kill(pid)
        await wait_exit(pid)
        limiter.release(await limiter.acquire(timeout=0))


@pytest.mark.parametrize("steps", range(12))
async def test_a_client_killed_at_any_step_leaves_nothing_behind(node: Node, steps: int) -> None:
    limiter, log = await start_limiter(1), list[str]()
    client = Client(limiter, log, "a")
    client.done.set()
    for busy in (False, True):
        permit = await limiter.acquire() if busy else None
        pid = spawn(client.run)
        for _ in range(steps):
            await trio.lowlevel.checkpoint()
        kill(pid)
        await settle()
        assert (await counts(limiter))[1] == 0
        if permit is not None:
            limiter.release(permit)
        assert await counts(limiter) == (0, 0)
