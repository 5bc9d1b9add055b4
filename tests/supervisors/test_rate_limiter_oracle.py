"""The scenario of oracle 13, a token bucket with a queue, against what Elixir printed for it."""

from __future__ import annotations

import trio

from runtime import CallExit, CallTimeout, Node, kill, spawn
from supervisors.rate_limiter_ref import RateLimiterRef
from tests.supervisors.limiter_parts import counts, settle, start_limiter


class Clients:
    """Processes that acquire under a name and say what became of it."""

    def __init__(self, limiter: RateLimiterRef) -> None:
        self._limiter = limiter
        self.log: list[str] = []

    async def one(self, who: str, timeout: float) -> None:
        """A client's life."""
        try:
            await self._limiter.acquire(timeout=timeout)
            self.log.append(f"client {who} ok granted")
        except CallTimeout:
            self.log.append(f"client {who} exit timeout")
        except CallExit as exc:
            self.log.append(f"client {who} exit {type(exc.reason).__name__.lower()}")

    def report(self) -> list[str]:
        """What they said since the last look, sorted as there."""
        lines, self.log = sorted(self.log), []
        return lines


async def test_oracle_13_rate_limiter(node: Node) -> None:
    """Differs: the token that d was granted after it gave up goes to e here; nothing is wasted.

    There tokens come by hand, here with time; capped at 2 in both.
    """
    limiter = await start_limiter(rate=1, per=100.0, burst=2)
    clients = Clients(limiter)

    async def acquire(who: str, timeout: float = 1000.0) -> object:
        pid = spawn(clients.one, who, timeout)
        await settle()
        return pid

    async def refill() -> None:
        """One token."""
        await trio.sleep(100)
        await settle()

    await acquire("a")
    await acquire("b")
    assert clients.report() == ["client a ok granted", "client b ok granted"]
    c = spawn(clients.one, "c", 1000.0)
    await settle()
    await acquire("d", 60.0)
    for who in "efg":
        await acquire(who)
    assert (await counts(limiter))[1] == 5
    kill(c)
    await settle()
    assert (await counts(limiter))[1] == 4
    await trio.sleep(60)
    await settle()
    assert (await counts(limiter))[1] == 3, "there it is 4: d stays in the queue"
    assert clients.report() == ["client d exit timeout"]
    await refill()
    assert clients.report() == ["client e ok granted"], "there it was wasted on d"
    await refill()
    assert clients.report() == ["client f ok granted"]
    assert (await counts(limiter))[1] == 1
    await refill()
    assert clients.report() == ["client g ok granted"]
    assert (await counts(limiter))[1] == 0
    await trio.sleep(10_000)
    assert await limiter.try_acquire() is not None
    assert await limiter.try_acquire() is not None
    assert await limiter.try_acquire() is None, "capped at 2"
    await acquire("x")
    await acquire("y")
    kill(limiter)
    await settle()
    assert clients.report() == ["client x exit killed", "client y exit killed"]
