"""Giving up in the very tick of being served, thousands of times: a permit is never lost."""

from __future__ import annotations

import gc
import math
import random
from collections.abc import Callable, Iterator
from functools import partial

import pytest
import trio
import trio.testing

from runtime import CallTimeout, GenServer, Node, Pid, kill, open_node, spawn, start
from runtime.process import Process
from runtime.server_body import ServerBody
from runtime.server_loop import ServerLoop
from supervisors.limiter_requests import Permit
from supervisors.rate_limiter import RateLimiter
from supervisors.rate_limiter_ref import RateLimiterRef
from tests.soak.limiter import churn
from tests.supervisors.limiter_parts import counts, holder, in_task, settle, start_limiter


class Racer:
    """A waiter that can be made to give up, by whatever way."""

    def __init__(self, limiter: RateLimiterRef, how: str) -> None:
        self._limiter = limiter
        self._how = how
        self._scope = trio.CancelScope()
        self._pid: Pid | None = None
        self.got: Permit | None = None

    async def _run(self) -> None:
        try:
            with self._scope:
                timeout = 1.0 if self._how == "time out" else math.inf
                self.got = await self._limiter.acquire(timeout=timeout)
        except CallTimeout:
            return
        if self.got is not None:
            self._limiter.release(self.got)

    async def start(self, nursery: trio.Nursery) -> None:
        """Get in line."""
        if self._how == "kill":
            self._pid = spawn(self._run)
        else:
            nursery.start_soon(self._run)
        await settle()

    def give_up(self) -> None:
        """Now."""
        if self._pid is not None:
            kill(self._pid)
        elif self._how == "cancel":
            self._scope.cancel()
        else:
            clock = trio.lowlevel.current_clock()
            assert isinstance(clock, trio.testing.MockClock)
            clock.jump(1.0)


@pytest.mark.parametrize("how", ["cancel", "time out", "kill"])
async def test_one_that_gives_up_in_the_tick_in_which_it_is_served_has_it_or_has_it_not(
    node: Node, how: str
) -> None:
    """What it was granted it hears of, and gives back; what it was not the next one gets.

    3,000 times, at random some scheduler steps before or after.
    """
    limiter, dice = await start_limiter(1), random.Random(how)
    outcomes = {True: 0, False: 0}
    for _ in range(1000):
        permit = await limiter.acquire(timeout=0)
        racer = Racer(limiter, how)
        steps: list[Callable[[], None]] = [partial(limiter.release, permit), racer.give_up]
        dice.shuffle(steps)
        async with trio.open_nursery() as nursery:
            await racer.start(nursery)
            for step in steps:
                step()
                for _ in range(dice.randrange(5)):
                    await trio.lowlevel.checkpoint()
            await settle()
            assert await counts(limiter) == (0, 0)
        outcomes[racer.got is not None] += 1
    assert min(outcomes.values()) > 100, f"both happen: {outcomes}"
    stats = await limiter.stats()
    assert stats.granted == 1000 + outcomes[True]
    assert stats.abandoned == outcomes[False]


class Meddler(RateLimiter):
    """Cancels its clients as soon as it has served them, before they can run."""

    def __init__(self, scopes: list[trio.CancelScope]) -> None:
        super().__init__(1)
        self.scopes = scopes

    def _serve(self, now: float) -> None:
        super()._serve(now)
        for scope in self.scopes:
            scope.cancel()


async def test_a_caller_that_was_granted_one_hears_of_it_before_it_is_cancelled(
    node: Node,
) -> None:
    """It is granted while it sleeps, and cancelled before it has run again."""
    scopes: list[trio.CancelScope] = []
    limiter = RateLimiterRef(await start(Meddler.child_spec(scopes)))
    permit, got = await limiter.acquire(), list[Permit]()

    async def client() -> None:
        got.append(await limiter.acquire())
        with pytest.raises(trio.Cancelled):
            await trio.lowlevel.checkpoint()
        await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        scope = await in_task(nursery, client)
        scopes.append(scope)
        limiter.release(permit)
    assert scope.cancelled_caught
    assert len(got) == 1
    assert await counts(limiter) == (1, 0)


@pytest.mark.parametrize("seed", range(3))
async def test_random_clients_lose_and_invent_nothing(seed: int) -> None:
    async with open_node(instruments=[]):
        await churn(1700, seed)


async def test_changes_of_the_limit_amid_the_crowd_lose_nothing(node: Node) -> None:
    limiter, dice = await start_limiter(3), random.Random(5)
    inside = most = 0

    async def client() -> None:
        nonlocal inside, most
        with trio.move_on_after(dice.choice((0.25, 0.5, 100))):
            async with limiter.permit():
                inside += 1
                most = max(most, inside)
                try:
                    await trio.sleep(dice.choice((0.125, 0.25)))
                finally:
                    inside -= 1

    async with trio.open_nursery() as nursery:
        for number in range(600):
            nursery.start_soon(client)
            if number % 20 == 0:
                await limiter.resize(dice.randint(1, 6))
                await trio.sleep(dice.choice((0, 0.125, 1)))
    assert most <= 6
    assert await counts(limiter) == (0, 0)


# ------------------------------------------------------------------- nothing is kept


@pytest.fixture
def no_gc() -> Iterator[None]:
    """No collections but those the test asks for, and what they find is kept for a look."""
    gc.collect()
    gc.disable()
    yield
    gc.set_debug(0)
    gc.garbage.clear()
    gc.enable()


OURS = (Process, ServerLoop, ServerBody, GenServer, Permit)


async def test_a_limiter_that_has_ended_with_permits_and_waiters_leaves_no_cycle(
    node: Node, no_gc: None
) -> None:
    for _ in range(5):
        limiter = RateLimiterRef(await start(RateLimiter.child_spec(1, rate=1)))
        client, pid = await holder(limiter, [], "a")
        _, waiting = await holder(limiter, [], "b")
        kill(waiting)
        _, waiting = await holder(limiter, [], "c")
        kill(limiter)
        kill(pid)
        await settle()
        client.permit = None
        del limiter, client, waiting, pid
    gc.set_debug(gc.DEBUG_SAVEALL)
    gc.collect()
    gc.set_debug(0)
    assert [one for one in gc.garbage if isinstance(one, OURS)] == []
