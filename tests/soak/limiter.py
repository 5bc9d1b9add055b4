"""A limiter under clients that come, wait, give up, hold, die and leave, for as long as asked."""

from __future__ import annotations

import gc
import random
from typing import Literal, TypeAlias

import trio

from runtime import CallTimeout, Crashed, kill, spawn, start, wait_exit
from supervisors.limiter_requests import LimiterStats, Permit
from supervisors.rate_limiter import RateLimiter
from supervisors.rate_limiter_ref import RateLimiterRef

LIMIT = 7
AT_ONCE = 40
MOST_KEPT = 3000  # whatever the count: caches, timers that were called off

Fate: TypeAlias = Literal["leave", "cancel", "kill", "time out", "forget", "try"]
FATES: tuple[Fate, ...] = ("leave", "leave", "cancel", "kill", "time out", "forget", "try")


class Crowd:
    """Clients on one limiter, each with a fate of its own, and what they have seen."""

    def __init__(self, limiter: RateLimiterRef, seed: int) -> None:
        self._limiter = limiter
        self._random = random.Random(seed)
        self.inside = 0
        self.granted = 0
        self._asked = 0
        self._in_order: dict[int, int] = {}  # when asked, by the number of the permit
        self._seen, self._last = 0, 0  # permits up to this number, the last of which was asked for

    async def one(self) -> None:
        """A client's life, from the outside: a plain task, or a process that is waited for."""
        fate = self._random.choice(FATES)
        as_process = fate in ("kill", "forget") or self._random.random() < 0.5
        if not as_process:
            with trio.move_on_after(self._when() if fate == "cancel" else 1e6):
                await self._visit(fate)
            return
        pid = spawn(self._visit, fate)
        if fate in ("kill", "cancel"):
            await self._wait(self._when())
            kill(pid)
        reason = await wait_exit(pid)
        if isinstance(reason, Crashed):  # a client has seen what must not be
            raise reason.exception

    def _when(self) -> float:
        """Seconds on a coarse grid, so that many things happen in the same step; often none."""
        return self._random.choice((0, 0, 0, 0.125, 0.25, 0.5))

    async def _wait(self, seconds: float) -> None:
        if seconds:
            await trio.sleep(seconds)
        else:
            for _ in range(self._random.randrange(6)):
                await trio.lowlevel.checkpoint()

    async def _visit(self, fate: Fate) -> None:
        """Acquire, hold, and give back, or not."""
        self._asked += 1
        asked = self._asked
        permit = await self._ask(fate)
        if permit is None:
            return
        self.granted += 1
        self._in_order[permit.number] = asked
        self._check_order()
        self.inside += 1
        assert self.inside <= LIMIT, f"{self.inside} are inside"
        try:
            await self._wait(self._when())
        finally:
            self.inside -= 1
            if fate != "forget":
                for _ in range(self._random.choice((1, 1, 2))):
                    self._limiter.release(permit)

    def _check_order(self) -> None:
        """Clients wake in any order, but permits are numbered as they are given."""
        while (asked := self._in_order.pop(self._seen + 1, None)) is not None:
            assert asked > self._last, "somebody was passed over"
            self._seen, self._last = self._seen + 1, asked

    async def _ask(self, fate: Fate) -> Permit | None:
        if fate == "try":
            return await self._limiter.try_acquire()
        try:
            timeout = self._when() + 0.125 if fate == "time out" else 1e6
            return await self._limiter.acquire(timeout=timeout)
        except CallTimeout:
            return None


async def churn(count: int, seed: int) -> None:
    """Let clients come until ``count`` permits were given.

    Raises if a permit was lost or invented, if somebody was passed over, or if anything is kept.
    Needs an open node without instruments that keep what they are told; meant for virtual time.
    """
    before = _objects()
    limiter = RateLimiterRef(await start(RateLimiter.child_spec(LIMIT)))
    crowd = Crowd(limiter, seed)

    async def come_again() -> None:
        while crowd.granted < count:
            await crowd.one()

    async with trio.open_nursery() as nursery:
        for _ in range(AT_ONCE):
            nursery.start_soon(come_again)
    stats = await limiter.stats()
    _check(stats, crowd)
    kept = _objects() - before
    assert kept < MOST_KEPT, f"{kept} objects were kept"
    permits = [await limiter.acquire(timeout=0) for _ in range(LIMIT)]
    assert await limiter.try_acquire() is None, "there is one too many"
    for permit in permits:
        limiter.release(permit)
    await limiter.stop()


def _objects() -> int:
    gc.collect()
    return len(gc.get_objects())


def _check(stats: LimiterStats, crowd: Crowd) -> None:
    assert (stats.in_use, stats.queued, crowd.inside) == (0, 0, 0), f"something is left: {stats}"
    assert stats.granted == crowd.granted, "a permit was given to nobody"
    assert min(stats.abandoned, stats.refused, stats.reclaimed) > 0, f"nothing happened: {stats}"
