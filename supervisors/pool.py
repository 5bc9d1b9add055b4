"""Pool: workers that are lent to one holder at a time. OTP: ``poolboy``.

The workers are children of the pool, in its nursery. Who gets which one is ``pool_slots``.

The choice: nothing is waited for in the pool's own turn. A worker is started beside it, its slot
taken first, and stopped by a helper task, so a worker that is slow to come or to go holds up nobody
who wants another one (poolboy's would). A worker that was checked out is the reply of a call: the
latch of the call decides between the grant and the caller's giving up, so no worker is lent to
somebody who has left. And it is lent by a lease, not by its pid: a check-in that comes late or
twice never takes the worker from its next holder. The cost: the worker made for one caller may go
to another who has waited longer.

A worker whose holder died in the middle of something may be in the middle of it too, so it is
replaced; ``on_holder_death="return"`` is for workers that keep nothing between two calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

import trio

from runtime import (
    CallExit,
    ChildSpec,
    Crashed,
    Down,
    ExitReason,
    MonitorRef,
    NoReply,
    Pid,
    ReplyTo,
    Shutdown,
    Stop,
    demonitor,
    handles,
    monitor,
    ref,
)
from runtime.inspection.views import Plain
from runtime.instruments import GIVE_UP
from runtime.outcomes import CastResult, InitResult
from runtime.process import Process
from runtime.spawning import spawn_process
from runtime.starts import start_error
from runtime.stops import stop_process
from runtime.waiting import wait_started
from supervisors.backoff import Backoff, check_backoff
from supervisors.children import ChildCounts, ChildInfo, ChildSource, count
from supervisors.errors import FailedToStartChild
from supervisors.family import failure_reason
from supervisors.intensity import Intensity
from supervisors.permits import check_count
from supervisors.pool_requests import (
    CheckIn,
    Checkout,
    GetPoolStatus,
    GiveUp,
    HolderDeath,
    Lease,
    PoolFull,
    PoolStatus,
    PoolWorker,
    Waiter,
    WorkerUp,
)
from supervisors.pool_slots import Lend, PoolStrategy, Retire, Slots
from supervisors.pool_workers import Life, PoolChild, is_usable, worker_spec
from supervisors.requests import ChildDown, CountChildren, RetryRestart, WhichChildren
from supervisors.restarts import Restarts
from supervisors.shutdown import stop_all, stop_together
from supervisors.supervising import Supervising


class Pool(Supervising):
    """A supervisor that lends its workers, each to one holder at a time: ``PoolRef``.

    - ``worker``: what every worker is started from: a spec, a GenServer class or an async function.
    - ``size``: how many there are, up before the start returns. They are started one after the
      other; if one fails, so does the pool's start.
    - ``max_overflow``: how many more may be made while all are lent. While more than
      ``size`` are up, a worker that comes back and that nobody waits for is stopped.
    - ``strategy``: ``lifo`` lends the idle worker that came back last, ``fifo`` the one that has
      been idle longest.
    - ``max_queue``: how many callers may wait for a worker; one more gets ``PoolFull``. ``None`` is
      no limit. One that a worker is being started for is not counted.
    - ``on_holder_death``: a worker whose holder dies is stopped within its budget and replaced
      (``replace``), or goes to the next as it is (``return``).
    - ``max_restarts`` in ``max_seconds``, ``backoff``: as for ``Supervisor``. Every worker that
      ended by itself and is replaced counts, whatever it ended with. One beyond ``size`` is
      replaced only if somebody waits.

    Callers are served in the order of asking. It stops its workers all at once, each within its own
    budget.
    """

    def __init__(
        self,
        worker: ChildSource,
        *,
        size: int = 5,
        max_overflow: int = 0,
        strategy: PoolStrategy = "lifo",
        max_queue: int | None = None,
        on_holder_death: HolderDeath = "replace",
        max_restarts: int = 3,
        max_seconds: float = 5.0,
        backoff: Backoff | None = None,
    ) -> None:
        _check_size(size, max_overflow)
        if max_queue is not None:
            check_count("max_queue", max_queue, 0)
        _check_one_of("strategy", strategy, get_args(PoolStrategy))
        _check_one_of("on_holder_death", on_holder_death, get_args(HolderDeath))
        check_backoff(backoff)
        self.spec = worker_spec(worker)
        self._on_holder_death: HolderDeath = on_holder_death
        self._restarts = Restarts(Intensity(max_restarts, max_seconds), backoff)
        waiting: dict[Waiter, ReplyTo[PoolWorker]] = {}
        self._waiting = waiting
        self._slots: Slots[PoolChild, Waiter] = Slots(
            size,
            max_overflow,
            strategy=strategy,
            max_queue=max_queue,
            usable=is_usable,
            waits=lambda waiter: not waiting[waiter].answered,  # not of self: no cycle
        )
        self._rows: dict[PoolChild, None] = {}  # in the order they were made
        self._lent: dict[Lease, PoolChild] = {}
        self._monitors: dict[MonitorRef, PoolChild] = {}

    @classmethod
    def _prepare(
        cls, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Check the options when the spec is made, unless a subclass has its own constructor."""
        if cls.__init__ is Pool.__init__:
            cls(*args, **kwargs)
        return args, kwargs

    # -- start and end ----------------------------------------------------------------------

    async def init(self) -> InitResult:
        """Start ``size`` workers one after the other; if one fails, none stays."""
        for _ in range(self._slots.size):
            await trio.lowlevel.checkpoint_if_cancelled()  # a pool that ends starts nothing
            process = self._make(None)
            reason = await wait_started(process, None)
            if reason is not None:
                failure = failure_reason(start_error(self.spec, process, reason))
                return Stop(Shutdown(FailedToStartChild(self.spec.id, failure)))
        return None

    def terminate(self, reason: ExitReason) -> None:
        """Nobody is served any more: tell those who wait before the workers are stopped."""
        for waiter, reply_to in self._waiting.items():
            error = CallExit(reason, ref(self._process.pid), Checkout(waiter))
            error.__cause__ = reason.exception if isinstance(reason, Crashed) else None
            reply_to.error(error)

    async def stop_children(self) -> None:
        """Stop the workers all at once, each within its own budget."""
        await stop_all(tuple(self._rows), self._process, stop_together)

    # -- requests ---------------------------------------------------------------------------

    @handles(Checkout)
    def _checkout(self, request: Checkout, reply_to: ReplyTo[PoolWorker]) -> NoReply:
        """A worker at once, a place in the queue, or neither."""
        waiter = request.waiter
        self._waiting[waiter] = reply_to
        if self._slots.ask(waiter, waiter.patience):
            self._go_on()
        else:
            del self._waiting[waiter]
            reply_to.error(PoolFull(self._slots.limit, self._slots.waiting))
        return NoReply()

    @handles(GiveUp)
    def _give_up(self, message: GiveUp) -> None:
        """A waiter has left; its place is free."""
        self._slots.leave(message.waiter)
        self._waiting.pop(message.waiter, None)

    @handles(CheckIn)
    def _check_in(self, message: CheckIn) -> None:
        """Take a worker back, once."""
        worker = self._lent.get(message.lease)
        if worker is not None:
            self._end_lease(worker)
            self._slots.give_back(worker)
            self._go_on()

    @handles(GetPoolStatus)
    def _get_status(self, request: GetPoolStatus) -> PoolStatus:
        """See ``PoolRef.status``."""
        slots = self._slots
        return PoolStatus(slots.state, slots.idle, slots.overflow, len(self._lent), slots.waiting)

    def facts(self) -> Mapping[str, Plain]:
        """How many workers there are, lent, and waited for; see ``GenServer.facts``."""
        slots = self._slots
        return {
            "state": slots.state,
            "size": slots.size,
            "limit": slots.limit,
            "idle": slots.idle,
            "lent": len(self._lent),
            "waiting": slots.waiting,
            **super().facts(),
        }

    @handles(WhichChildren)
    def which_children(self, request: WhichChildren) -> list[ChildInfo]:
        """See ``PoolRef.which_children``."""
        return [worker.info() for worker in reversed(self._rows)]

    @handles(CountChildren)
    def count_children(self, request: CountChildren) -> ChildCounts:
        """See ``PoolRef.count_children``."""
        return count(self._rows)

    # -- what happens by itself -------------------------------------------------------------

    @handles(WorkerUp)
    def _worker_is_up(self, message: WorkerUp) -> None:
        """Its ``init`` is done: it is free."""
        worker = message.worker
        assert isinstance(worker, PoolChild)
        worker.status, worker.up_since = "running", trio.current_time()
        self._slots.came_up(worker)
        self._go_on()

    @handles(Down)
    def _holder_ended(self, message: Down) -> None:
        """A process has died holding a worker."""
        worker = self._monitors.get(message.ref)
        if worker is not None:
            self._end_lease(worker)
            if self._on_holder_death == "return":
                self._slots.give_back(worker)
            else:
                self._slots.discard(worker)
                self._stop_soon(worker)
            self._go_on()

    @handles(ChildDown)
    def _worker_ended(self, message: ChildDown) -> CastResult:
        """A worker has ended, after it was up or before; decide what follows."""
        worker, reason = message.child, message.reason
        assert isinstance(worker, PoolChild)
        process, worker.process = worker.process, None
        assert process is not None
        was_up, worker.status = worker.status == "running", "stopped"
        self._end_lease(worker)
        again, waiter = self._slots.ended(worker)
        error = None if was_up else start_error(worker.spec, process, reason)
        if waiter is not None and error is not None:
            self._waiting.pop(waiter).error(error)
        if not again:
            del self._rows[worker]
            self._report(worker, message.pid, reason, "leave it stopped")
        elif error is None:
            return self._restart(worker, reason, message.pid)
        else:
            self._try_again(worker, failure_reason(error))
        self._go_on()
        return None

    def _restart(self, worker: PoolChild, reason: ExitReason, pid: Pid | None) -> Stop | None:
        """Count the restart, then make it, at once or after the backoff; or give up."""
        if self._process.table.stopping:
            return None
        if not self._restarts.record(worker, reason):
            self._report(worker, pid, reason, GIVE_UP)
            return Stop(self._restarts.gave_up(reason))
        delay = self._restarts.delay(worker)
        if delay == 0:
            self._report(worker, pid, reason, "restart it")
            self._start_again(worker)
        else:
            self._report(worker, pid, reason, f"restart it in {delay:.3g} s")
            self._retry_later(worker, delay)
        self._go_on()
        return None

    @handles(RetryRestart)
    def _retry_restart(self, message: RetryRestart) -> CastResult:
        """Go on with a restart."""
        worker = message.child
        assert isinstance(worker, PoolChild)
        if message.failure is not None:
            return self._restart(worker, message.failure, None)
        self._start_again(worker)
        self._go_on()
        return None

    # -- carrying out -----------------------------------------------------------------------

    def _go_on(self) -> None:
        """Do what can be done now."""
        while (step := self._slots.next_step()) is not None:
            if isinstance(step, Lend):
                self._lend(step.worker, step.waiter)
            elif isinstance(step, Retire):
                self._stop_soon(step.worker)
            elif step.waiter is None and self._process.table.stopping:
                return
            else:
                self._make(step.waiter)

    def _lend(self, worker: PoolChild, waiter: Waiter) -> None:
        """The caller is there to get it; it hears of it before it can be cancelled."""
        assert worker.process is not None
        holder = waiter.holder
        worker.lease = lease = Lease(self._process, holder)
        self._lent[lease] = worker
        if holder is not None and holder.status != "ended":
            worker.monitor = monitor(holder.pid)
            self._monitors[worker.monitor] = worker
        self._waiting.pop(waiter).reply(PoolWorker(ref(worker.process.pid), lease))

    def _end_lease(self, worker: PoolChild) -> None:
        if worker.lease is not None:
            del self._lent[worker.lease]
            worker.lease = None
        if worker.monitor is not None:
            del self._monitors[worker.monitor]
            demonitor(worker.monitor)
            worker.monitor = None

    def _make(self, waiter: Waiter | None) -> Process:
        """A new worker in a slot of its own, which is taken now."""
        worker = PoolChild(self.spec)
        self._rows[worker] = None
        self._slots.begin(worker, waiter)
        return self._spawn(worker)

    def _start_again(self, worker: PoolChild) -> None:
        if self._slots.start_again(worker):
            self._spawn(worker)
        else:
            del self._rows[worker]

    def _spawn(self, worker: PoolChild) -> Process:
        """Give a worker a process, which says by itself when it is up and when it has ended."""
        owner, spec = self._process, worker.spec
        process = spawn_process(
            owner.table, spec.make_body(), label=spec.behaviour, limit=spec.mailbox,
            budget=spec.shutdown, nursery=self._nursery, parent=owner.pid,
        )  # fmt: skip
        process.follower = Life(owner, worker, process.pid)
        worker.process, worker.status = process, "starting"
        return process

    def _stop_soon(self, worker: PoolChild) -> None:
        assert worker.process is not None
        self._nursery.start_soon(self._stop, worker.process, worker.spec)

    async def _stop(self, process: Process, spec: ChildSpec) -> None:
        await stop_process(process, self._process.pid, spec.shutdown)


def _check_size(size: object, max_overflow: object) -> None:
    check_count("size", size, 0)
    check_count("max_overflow", max_overflow, 0)
    if size == 0 and max_overflow == 0:
        raise ValueError("size: got 0, with max_overflow=0 allowed is 1 or more")


def _check_one_of(field: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{field}: got {value!r}, allowed are {', '.join(map(repr, allowed))}")
