"""The handle of a pool, with what it can be asked as methods."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Concatenate, ParamSpec, TypeVar

from trio.lowlevel import enable_ki_protection

from runtime import CallTimeout, Handle, Ref
from runtime.current import current_process
from runtime.outcomes import check_seconds
from runtime.timeouts import DEFAULT_TIMEOUT
from supervisors.children import ChildCounts, ChildInfo
from supervisors.pool_requests import (
    Checkout,
    CheckoutBlock,
    GetPoolStatus,
    GiveUp,
    PoolFull,
    PoolStatus,
    PoolWorker,
    Waiter,
)
from supervisors.pool_slots import Patience
from supervisors.requests import CountChildren, WhichChildren

R = TypeVar("R")
P = ParamSpec("P")


class PoolRef(Handle):
    """A ``Ref`` that leads to a ``Pool``: ``PoolRef("db")``.

    Its methods raise ``CallExit`` if the pool ends meanwhile or is not there. ``status`` and the
    two about children are calls without a time limit.
    """

    __slots__ = ()

    def checkout(
        self, *, timeout: float = DEFAULT_TIMEOUT, block: bool = True
    ) -> AbstractAsyncContextManager[PoolWorker]:
        """Hold a worker for the length of a block: ``async with pool.checkout() as worker:``.

        ``worker`` is a ``Ref`` to that incarnation. Entering is ``checkout_worker``, with its
        errors; ``timeout`` is the time to get a worker, not to use it. Leaving checks it in, by
        whatever way, without waiting. But a process that was told to end while it holds a worker
        dies holding it, and what then becomes of the worker is the pool's ``on_holder_death``.
        Each use wants its own. OTP: ``poolboy:transaction``.
        """
        _check(timeout, block)
        return CheckoutBlock(partial(self.checkout_worker, timeout=timeout, block=block))

    @enable_ki_protection
    async def checkout_worker(
        self, *, timeout: float = DEFAULT_TIMEOUT, block: bool = True
    ) -> PoolWorker:
        """Wait for a worker, first come first served. Give it back with ``checkin``.

        For where a block does not fit. The process this is called in holds the worker, and by
        dying leaves it to the pool; a plain Trio task must check it in. OTP: ``poolboy:checkout``.

        ``CallTimeout`` after ``timeout`` seconds; with 0 unless a worker is idle. ``PoolFull`` at
        once if ``max_queue`` callers wait already, or without ``block`` if no worker is idle and
        none can be made. ``StartFailed`` or ``Ignored`` if one was made for this caller and did
        not start. Cancelling leaves the queue. Whoever gives up has no worker.
        """
        _check(timeout, block)
        patience: Patience = "none" if timeout == 0 else "queue" if block else "start"
        request = Checkout(Waiter(current_process(), patience))
        pool, worker = self.find(), None
        try:
            worker = await self.call(request, timeout=timeout or math.inf)
            return worker
        except PoolFull:
            if block and timeout == 0:
                raise CallTimeout(timeout, self, request) from None
            raise
        finally:
            if worker is None and pool is not None:
                pool.post(GiveUp(request.waiter))

    def checkin(self, worker: PoolWorker) -> None:
        """Give a worker back to the pool it came from; never blocks. OTP: ``poolboy:checkin``.

        A second check-in does nothing, whoever holds the worker by then; nor does one of a worker
        or a pool that has ended.
        """
        if not isinstance(worker, PoolWorker):
            raise TypeError(f"worker: got {worker!r}, allowed is what checkout_worker() returned")
        worker._lease.check_in()

    async def transaction(
        self, fn: Callable[Concatenate[Ref, P], Awaitable[R]], /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """``await fn(worker, *args, **kwargs)`` inside ``checkout()``. OTP: ``transaction``.

        The worker is checked in when ``fn`` has returned and when it raises. ``fn`` is not called
        if there is no worker within 5 seconds; for another time to wait use ``checkout``.
        """
        if not callable(fn):
            raise TypeError(f"fn: got {fn!r}, allowed is an async function, not called")
        async with self.checkout() as worker:
            return await fn(worker, *args, **kwargs)

    async def status(self) -> PoolStatus:
        """How things are."""
        return await self.call(GetPoolStatus(), timeout=math.inf)

    async def which_children(self) -> list[ChildInfo]:
        """Its workers, the one made last first."""
        return await self.call(WhichChildren(), timeout=math.inf)

    async def count_children(self) -> ChildCounts:
        """Its workers in numbers."""
        return await self.call(CountChildren(), timeout=math.inf)


def _check(timeout: object, block: object) -> None:
    check_seconds("timeout", timeout)
    if not isinstance(block, bool):
        raise TypeError(f"block: got {block!r}, allowed are True and False")
