"""What the tests of limiters are built from."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from typing import Any, TypeAlias

import trio
from trio.testing import wait_all_tasks_blocked

from runtime import Pid, Ref, ref, spawn, start
from runtime.via import via
from supervisors.keyed_rate_limiter import KeyedRateLimiter, KeyedRateLimiterRef
from supervisors.limiter_requests import Permit
from supervisors.rate_limiter import RateLimiter
from supervisors.rate_limiter_ref import RateLimiterRef

settle = wait_all_tasks_blocked
"""Let everything happen that can happen without the clock moving."""


async def start_limiter(*args: Any, **options: Any) -> RateLimiterRef:
    """A limiter in the node's root."""
    return RateLimiterRef(await start(RateLimiter.child_spec(*args, **options)))


async def counts(limiter: RateLimiterRef) -> tuple[int, int]:
    """How many are in use and how many wait."""
    stats = await limiter.stats()
    return stats.in_use, stats.queued


class Client:
    """A process that acquires a permit and holds it until it is told to go on."""

    def __init__(self, limiter: RateLimiterRef, log: list[str], tag: str, **how: Any) -> None:
        self._limiter = limiter
        self._log = log
        self._tag = tag
        self._how = how
        self.permit: Permit | None = None
        self.done = trio.Event()

    async def run(self) -> None:
        """Its life."""
        async with self._limiter.permit(**self._how) as self.permit:
            self._log.append(self._tag)
            await self.done.wait()


async def holder(limiter: RateLimiterRef, log: list[str], tag: str) -> tuple[Client, Pid]:
    """A client as a process, which has asked by now."""
    client = Client(limiter, log, tag)
    pid = spawn(client.run)
    await settle()
    return client, pid


async def in_task(nursery: trio.Nursery, fn: Callable[[], Awaitable[object]]) -> trio.CancelScope:
    """Run ``fn`` in a task of its own, which has got as far as it can; what cancels it."""
    scope = trio.CancelScope()

    async def run() -> None:
        with scope:
            await fn()

    nursery.start_soon(run)
    await settle()
    return scope


# ------------------------------------------------------------------- by key

Hosts: TypeAlias = KeyedRateLimiterRef[Hashable]


async def start_hosts(*args: Any, **options: Any) -> Hosts:
    """A keyed limiter in the node's root, by its name."""
    await start(KeyedRateLimiter.child_spec(*args, **options).replace(name="hosts"))
    return KeyedRateLimiterRef("hosts")


def limiter_of(key: Hashable) -> Ref:
    """The limiter a key has now."""
    limiter = via("hosts", key).whereis()
    assert limiter is not None
    return ref(limiter)


async def in_use(hosts: Hosts, key: Hashable) -> int:
    stats = await hosts.stats(key)
    assert stats is not None
    return stats.in_use
