"""What travels between a pool, its workers, and those who want one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Literal, TypeAlias

import msgspec
from trio.lowlevel import enable_ki_protection

from runtime import Handle, Ref
from runtime.messages import HandleCall, SystemCast
from runtime.process import Process
from supervisors.children import Child
from supervisors.pool_slots import Patience, PoolState

HolderDeath: TypeAlias = Literal["replace", "return"]
"""What becomes of a worker whose holder dies: stopped and replaced, or lent to the next."""


class PoolFull(Exception):
    """There is no worker to be had, and the caller may not wait for one; it was told so at once.

    ``limit`` is how many workers there may be, ``waiting`` how many callers are in the queue.
    """

    def __init__(self, limit: int, waiting: int) -> None:
        super().__init__(
            f"no worker is free, {limit} is as many as there may be, and {waiting} callers wait"
        )
        self.limit = limit
        self.waiting = waiting


class PoolStatus(msgspec.Struct, frozen=True):
    """A pool in numbers. OTP: ``poolboy:status``.

    - ``state``: ``ready`` if a worker is idle, ``overflow`` if none is but one can be made,
      ``full`` if neither.
    - ``idle``: workers that can be lent at once.
    - ``overflow``: workers beyond ``size``; those being stopped are not counted.
    - ``checked_out``: workers that are lent.
    - ``waiting``: callers in the queue.
    """

    state: PoolState
    idle: int
    overflow: int
    checked_out: int
    waiting: int


class Waiter:
    """One caller who wants a worker; made by the caller, so that it can be named when giving up."""

    __slots__ = ("holder", "patience")

    def __init__(self, holder: Process | None, patience: Patience) -> None:
        self.holder = holder
        self.patience: Patience = patience


class Lease:
    """One worker, lent once, to one holder; equal only to itself."""

    __slots__ = ("_holder", "_pool", "over")

    def __init__(self, pool: Process, holder: Process | None) -> None:
        self._pool = pool
        self._holder = holder
        self.over = False

    def check_in(self) -> None:
        """Give the worker back; never blocks. Nothing happens if the lease is over."""
        self.over = True
        self._pool.post(CheckIn(self))

    def holder_dies(self, exc: BaseException | None) -> bool:
        """Whether the process that holds it is about to end, in the middle of using it.

        ``exc`` is what it leaves its block with.
        """
        holder = self._holder
        if holder is None or holder.status == "ended":
            return False
        return holder.exiting is not None or (holder.ending and exc is not None)


class PoolWorker(Handle):
    """A worker that was checked out: a ``Ref`` to that incarnation, until it is checked in."""

    __slots__ = ("_lease",)

    def __init__(self, target: Ref, lease: Lease) -> None:
        super().__init__(target)
        self._lease = lease

    def find(self) -> Process | None:
        """The worker, while it is lent; afterwards it is somebody else's."""
        return None if self._lease.over else super().find()


class CheckoutBlock(AbstractAsyncContextManager[PoolWorker]):
    """A worker for the length of an ``async with`` block; entered once."""

    __slots__ = ("_acquire", "_worker")

    def __init__(self, acquire: Callable[[], Awaitable[PoolWorker]]) -> None:
        self._acquire: Callable[[], Awaitable[PoolWorker]] | None = acquire
        self._worker: PoolWorker | None = None

    @enable_ki_protection
    async def __aenter__(self) -> PoolWorker:
        """Wait for the worker."""
        acquire, self._acquire = self._acquire, None
        if acquire is None:
            raise RuntimeError("checkout(...) is for one block, and this one was entered before")
        self._worker = worker = await acquire()
        return worker

    @enable_ki_protection
    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        exc: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Check it in; but if the process dies holding it, that is what the pool hears."""
        worker, self._worker = self._worker, None
        if worker is not None and not worker._lease.holder_dies(exc):
            worker._lease.check_in()


class Checkout(HandleCall[PoolWorker], frozen=True):
    """Give me a worker, as soon as there is one and it is my turn."""

    waiter: Waiter


class GetPoolStatus(HandleCall[PoolStatus], frozen=True):
    """Say how things are."""


class CheckIn(SystemCast, frozen=True):
    """A worker is no longer used."""

    lease: Lease


class GiveUp(SystemCast, frozen=True):
    """A caller no longer waits."""

    waiter: Waiter


class WorkerUp(SystemCast, frozen=True):
    """A worker to its pool: its ``init`` is done."""

    worker: Child
