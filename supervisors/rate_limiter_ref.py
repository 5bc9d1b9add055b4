"""The handle of a limiter, with what it can be asked as methods."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from types import TracebackType

from trio.lowlevel import enable_ki_protection

from runtime import CallTimeout, Pid
from runtime.current import current_process
from runtime.handle import Handle
from runtime.outcomes import check_seconds
from supervisors.limiter_requests import (
    Acquire,
    GetStats,
    LimiterStats,
    Permit,
    Release,
    Resize,
    SetRate,
    TryAcquire,
)
from supervisors.permits import check_count, make_rate


class RateLimiterRef(Handle):
    """A ``Ref`` that leads to a ``RateLimiter``: ``RateLimiterRef("uploads")``.

    Its methods raise ``CallExit`` if the limiter ends meanwhile or is not there; ``stats``,
    ``resize`` and ``set_rate`` also ``CallTimeout`` after 5 seconds.
    """

    __slots__ = ()

    @enable_ki_protection
    async def acquire(self, *, timeout: float = math.inf) -> Permit:
        """Wait for a permit, first come first served. Give it back with ``release``.

        The process this is called in holds it, and gives it back by dying; a plain Trio task must
        release it. ``CallTimeout`` after ``timeout`` seconds in the queue; with 0 unless there is
        a permit at once. ``LimiterFull`` if ``max_queue`` callers wait already. Cancelling leaves
        the queue. Whoever gives up frees the place for another and has no permit.
        """
        check_seconds("timeout", timeout)
        request = Acquire(_here())
        if timeout > 0:
            return await self.call(request, timeout=timeout)
        permit = await self.try_acquire()
        if permit is None:
            raise CallTimeout(timeout, self, request)
        return permit

    @enable_ki_protection
    async def try_acquire(self) -> Permit | None:
        """A permit if there is one now and nobody waits for it, else ``None``; never waits for one.

        Cancelling gives up, without a permit.
        """
        return await self.call(TryAcquire(_here()), timeout=math.inf)

    def release(self, permit: Permit) -> None:
        """Give a permit back, to the limiter it came from; never blocks.

        A second release does nothing, nor does one of a permit whose limiter has ended.
        """
        release(permit)

    def permit(self, *, timeout: float = math.inf) -> AbstractAsyncContextManager[Permit]:
        """Hold a permit for the length of a block: ``async with limiter.permit(timeout=2.0):``.

        Entering is ``acquire``; leaving, by whatever way, is ``release``. Each use wants its own.
        """
        check_seconds("timeout", timeout)
        return PermitBlock(partial(self.acquire, timeout=timeout))

    async def stats(self) -> LimiterStats:
        """How things are."""
        return await self.call(GetStats())

    async def resize(self, limit: int | None) -> None:
        """Change how many may be in use at once; ``None``, no limit, only where there is a rate.

        Those who wait are served at once if there is room. With less room than is in use nothing
        is given until enough has come back. Permits given while there was no limit do not count.
        ``ValueError`` if there would be neither limit nor rate. Cancelling gives up the wait; it is
        done all the same.
        """
        if limit is not None:
            check_count("limit", limit, 1)
        await self.call(Resize(limit))

    async def set_rate(
        self, rate: float | None, *, per: float = 1.0, burst: int | None = None
    ) -> None:
        """Change the rate; ``None`` takes it away, only where there is a limit (``ValueError``).

        What is saved up stays so, up to the new ``burst``; a limiter that had no rate begins with
        a full bucket. Cancelling gives up the wait; it is done all the same.
        """
        await self.call(SetRate(make_rate(rate, per, burst)))


class PermitBlock(AbstractAsyncContextManager[Permit]):
    """A permit for the length of an ``async with`` block; entered once."""

    __slots__ = ("_acquire", "_permit")

    def __init__(self, acquire: Callable[[], Awaitable[Permit]]) -> None:
        self._acquire: Callable[[], Awaitable[Permit]] | None = acquire
        self._permit: Permit | None = None

    @enable_ki_protection
    async def __aenter__(self) -> Permit:
        """Wait for the permit."""
        acquire, self._acquire = self._acquire, None
        if acquire is None:
            raise RuntimeError("permit(...) is for one block, and this one was entered before")
        self._permit = permit = await acquire()
        return permit

    @enable_ki_protection
    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _exc: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Give it back."""
        assert self._permit is not None
        release(self._permit)


def release(permit: Permit) -> None:
    """Give a permit back to the limiter it came from; nothing happens if that has ended."""
    if not isinstance(permit, Permit):
        raise TypeError(f"permit: got {permit!r}, allowed is what acquire() returned")
    permit.limiter.cast(Release(permit))


def _here() -> Pid | None:
    """The process that will hold the permit."""
    process = current_process()
    return None if process is None else process.pid
