"""What the tests of pools are built from: workers that are numbered and write down their lives."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import trio
from trio.testing import wait_all_tasks_blocked

from runtime import (
    Call,
    Cast,
    ChildSpec,
    ExitReason,
    GenServer,
    Pid,
    Ref,
    Stop,
    handles,
    spawn,
    start,
    trap_exits,
    wait_exit,
)
from supervisors.pool import Pool
from supervisors.pool_ref import PoolRef
from tests.supervisors.tree_parts import say

settle = wait_all_tasks_blocked
"""Let everything happen that can happen without the clock moving."""


class Number(Call[int]):
    """The worker replies with its number."""


class Work(Call[int]):
    """The worker takes so long, then replies with its number."""

    seconds: float


class End(Cast):
    """The worker stops itself with this reason."""

    reason: Any


class Fleet:
    """Numbers the workers in the order they are made, from 0, and keeps what they write down.

    ``begin`` is what their ``init`` does with the number; ``nap`` seconds pass in ``terminate``.
    """

    def __init__(
        self, begin: Callable[[int], Awaitable[object]] | None = None, *, nap: float = 0.0
    ) -> None:
        self.begin = begin
        self.nap = nap
        self.made = 0
        self.log: list[str] = []
        self.up: set[int] = set()

    @property
    def spec(self) -> ChildSpec:
        """Of one worker."""
        return Conn.child_spec(self)

    def drain(self) -> list[str]:
        """What was written down since the last look."""
        lines = list(self.log)
        self.log.clear()
        return lines


class Conn(GenServer):
    """A worker of a ``Fleet``."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.number = -1

    async def init(self) -> Any:
        self.number, self.fleet.made = self.fleet.made, self.fleet.made + 1
        result = None
        if self.fleet.begin is not None:
            result = await self.fleet.begin(self.number)
        self.fleet.log.append(f"worker {self.number} started")
        self.fleet.up.add(self.number)
        return result

    @handles(Number)
    def say_number(self, request: Number) -> int:
        return self.number

    @handles(Work)
    async def work(self, request: Work) -> int:
        await trio.sleep(request.seconds)
        return self.number

    @handles(End)
    def end(self, message: End) -> Stop:
        return Stop(message.reason)

    async def terminate(self, reason: ExitReason) -> None:
        self.fleet.log.append(f"worker {self.number} terminated {say(reason)}")
        await trio.sleep(self.fleet.nap)
        self.fleet.up.discard(self.number)


async def start_pool(fleet: Fleet, **options: Any) -> PoolRef:
    """A pool in the node's root."""
    return PoolRef(await start(Pool.child_spec(fleet.spec, **options)))


async def number(worker: Ref) -> int:
    """Which worker it is."""
    return await worker.call(Number())


async def say_status(pool: PoolRef) -> str:
    """As the traces of poolboy write it."""
    status = await pool.status()
    return (
        f"{status.state} available={status.idle} overflow={status.overflow} "
        f"checked_out={status.checked_out}"
    )


class Holder:
    """Checks a worker out and holds it until it is told to go on; a process or a plain task."""

    def __init__(self, pool: PoolRef, log: list[str], tag: str, **how: Any) -> None:
        self._pool = pool
        self._log = log
        self._tag = tag
        self._how = how
        self.worker: Ref | None = None
        self.done = trio.Event()

    async def run(self) -> None:
        """Its life."""
        async with self._pool.checkout(**self._how) as self.worker:
            self._log.append(f"{self._tag} got {await number(self.worker)}")
            await self.done.wait()


async def holder(pool: PoolRef, log: list[str], tag: str, **how: Any) -> tuple[Holder, Pid]:
    """A holder as a process, which has asked by now."""
    held = Holder(pool, log, tag, **how)
    pid = spawn(held.run)
    await settle()
    return held, pid


async def in_task(nursery: trio.Nursery, fn: Callable[[], Awaitable[object]]) -> trio.CancelScope:
    """Run ``fn`` in a task of its own, which has got as far as it can; what cancels it."""
    scope = trio.CancelScope()

    async def run() -> None:
        with scope:
            await fn()

    nursery.start_soon(run)
    await settle()
    return scope


def trapping(fn: Callable[[], Awaitable[object]]) -> Callable[[], Awaitable[None]]:
    """``fn`` in a process that traps exits."""

    async def run() -> None:
        trap_exits()
        await fn()

    return run


async def end(worker: Ref, reason: ExitReason = "boom") -> None:
    """Let a worker stop itself and see what follows, as far as no clock is involved."""
    worker.cast(End(reason))
    await wait_exit(worker)
    await settle()
