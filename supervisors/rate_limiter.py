"""RateLimiter: a server that gives permits, so many at once, so many per second, in turn.

A semaphore and a token bucket in one. Whoever must wait is answered later, first come first served;
a waiter that gives up leaves the queue and never eats a permit, and a process that dies gives back
what it held.

The choice: the permit is the reply of a call. The latch of the call decides between the grant and
the caller's giving up, so a permit is never given to somebody who has left, and a caller that was
given one hears of it before any cancellation. The cost: two messages for each permit; what needs a
million permits a second wants a ``trio.CapacityLimiter`` in one task tree. What would change our
mind: nothing but a limiter that need not know who holds what.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Coroutine, Mapping
from functools import partial
from typing import Any

import msgspec
import trio

from runtime import (
    Call,
    Cast,
    Down,
    GenServer,
    Idle,
    IdleTimeout,
    NoReply,
    Pid,
    Reply,
    ReplyTo,
    Stop,
    TimerRef,
    UnhandledMessage,
    demonitor,
    handles,
    monitor,
    ref,
    self_,
    send_at,
)
from runtime.current import require_process
from runtime.exits import NORMAL
from runtime.inspection.views import Plain
from runtime.instruments import PermitsGranted
from runtime.outcomes import CastResult, InitResult, check_seconds
from supervisors.limiter_requests import (
    Acquire,
    GetStats,
    LimiterFull,
    LimiterStats,
    Permit,
    Release,
    Resize,
    SetRate,
    TokenReady,
    TryAcquire,
)
from supervisors.permits import Permits, check_count, make_rate


class _Waiter:
    """One caller in the queue."""

    __slots__ = ("holder", "reply_to", "since")

    def __init__(self, holder: Pid | None, reply_to: ReplyTo[Permit], since: float) -> None:
        self.holder = holder
        self.reply_to = reply_to
        self.since = since


class _Holder:
    """A process and what it holds."""

    __slots__ = ("monitor", "permits", "pid")

    def __init__(self, pid: Pid) -> None:
        self.pid = pid
        self.monitor = monitor(pid)
        self.permits: set[Permit] = set()


class RateLimiter(GenServer):
    """Gives permits: ``limit`` at once, ``rate`` per ``per`` seconds, or both.

    - ``limit``: how many may be in use at once; a permit is given back by its holder, by the end
      of the ``async with`` block, or by the death of the process that acquired it.
    - ``rate`` permits per ``per`` seconds; in quiet times up to ``burst`` are saved up, and it
      starts with as many. By default ``burst`` is ``rate``, whole ones, and at least 1. With a
      rate alone a permit is spent when it is given; giving it back does nothing.
    - ``max_queue``: how many may wait; one more gets ``LimiterFull``. ``None`` is no limit.
    - ``idle_stop``: end with ``Normal`` after so many seconds without permits in use, waiters and
      requests, but not before the bucket is full again, so that a successor allows no more. Give
      such a child ``restart="transient"``. ``None`` stays.

    Served in the order of asking; nobody is passed over. Talk to it by ``RateLimiterRef``. A
    limiter that was restarted starts afresh: it knows nothing of the permits its predecessor gave.
    """

    def __init__(
        self,
        limit: int | None = None,
        *,
        rate: float | None = None,
        per: float = 1.0,
        burst: int | None = None,
        max_queue: int | None = None,
        idle_stop: float | None = None,
    ) -> None:
        self._permits = Permits(limit, make_rate(rate, per, burst))
        if max_queue is not None:
            check_count("max_queue", max_queue, 0)
        if idle_stop is not None:
            check_idle_stop(idle_stop)
        self._max_queue = max_queue
        self._idle_stop = idle_stop
        self._waiting: OrderedDict[_Waiter, None] = OrderedDict()
        self._held: dict[Permit, _Holder | None] = {}
        self._holders: dict[Pid, _Holder] = {}
        self._timer: tuple[float, TimerRef] | None = None
        self._granted = self._refused = self._abandoned = self._reclaimed = 0
        self._longest_wait = self._total_wait = 0.0
        self._used_at = -math.inf

    @classmethod
    def _prepare(
        cls, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Check the options when the spec is made, unless a subclass has its own constructor."""
        if cls.__init__ is RateLimiter.__init__:
            cls(*args, **kwargs)
        return args, kwargs

    def init(self) -> InitResult:
        """Nobody may ever come."""
        process = require_process("a rate limiter")
        self._me = ref(process.pid)
        self._name = process.name
        self._instruments = process.table.instruments
        return self._rest()

    # -- requests ---------------------------------------------------------------------------

    @handles(Acquire)
    def _acquire(self, request: Acquire, reply_to: ReplyTo[Permit]) -> NoReply:
        """A permit at once, a place in the queue, or neither."""
        now = trio.current_time()
        self._serve(now)
        if reply_to.answered:  # gave up before its turn came
            self._abandoned += 1
        elif self._permits.ready_at(now) <= now:
            reply_to.reply(self._grant(request.holder, now))
        elif self._is_full():
            self._refused += 1
            reply_to.error(LimiterFull(self._permits.limit, len(self._waiting)))
        else:
            waiter = _Waiter(request.holder, reply_to, now)
            self._waiting[waiter] = None
            reply_to.on_give_up(partial(self._gave_up, waiter))
            self._set_timer(now)
        return NoReply(self._rest())

    def _is_full(self) -> bool:
        return self._max_queue is not None and len(self._waiting) >= self._max_queue

    def _gave_up(self, waiter: _Waiter) -> None:
        """A waiter timed out or was cancelled, in this very step: its place is free."""
        del self._waiting[waiter]
        self._abandoned += 1
        self._used_at = trio.current_time()

    @handles(TryAcquire)
    def _try_acquire(self, request: TryAcquire, reply_to: ReplyTo[Permit | None]) -> NoReply:
        """A permit at once, or none; those who wait come first."""
        now = trio.current_time()
        self._serve(now)
        if reply_to.answered:
            self._abandoned += 1
        elif self._permits.ready_at(now) <= now:
            reply_to.reply(self._grant(request.holder, now))
        else:
            self._refused += 1
            reply_to.reply(None)
        return NoReply(self._rest())

    @handles(Release)
    def _release(self, message: Release) -> CastResult:
        """Take a permit back, once."""
        permit = message.permit
        if permit in self._held:
            self._take_back(permit)
            self._permits.give_back(1)
            self._serve(trio.current_time())
        return self._rest()

    @handles(Resize)
    def _resize(self, request: Resize, reply_to: ReplyTo[None]) -> NoReply:
        """See ``RateLimiterRef.resize``."""
        try:
            self._permits.set_limit(request.limit)
        except ValueError as exc:
            reply_to.error(exc)
        return self._changed(reply_to)

    @handles(SetRate)
    def _set_rate(self, request: SetRate, reply_to: ReplyTo[None]) -> NoReply:
        """See ``RateLimiterRef.set_rate``."""
        try:
            self._permits.set_rate(request.rate, trio.current_time())
        except ValueError as exc:
            reply_to.error(exc)
        if self._timer is not None:
            self._timer[1].cancel()
            self._timer = None
        return self._changed(reply_to)

    @handles(Call)
    def _refuse_call(self, request: Call[object], reply_to: ReplyTo[object]) -> NoReply:
        """A slip of a caller; ending over it would forget the permits that are out."""
        name = type(request).__name__
        reply_to.error(UnhandledMessage(f"a rate limiter does not handle the call {name}"))
        return NoReply(self._rest())

    @handles(Cast)
    def _ignore_cast(self, message: Cast) -> CastResult:
        """Reported, and nothing else, for the same reason."""
        self._unexpected(message)
        return self._rest(used=False)

    def _changed(self, reply_to: ReplyTo[None]) -> NoReply:
        self._serve(trio.current_time())
        reply_to.reply(None)  # unless it was an error
        return NoReply(self._rest())

    @handles(GetStats)
    def _get_stats(self, request: GetStats) -> Reply[LimiterStats]:
        """See ``RateLimiterRef.stats``."""
        return Reply(self._stats(), then=self._rest())

    def facts(self) -> Mapping[str, Plain]:
        """What ``RateLimiterRef.stats`` says; see ``GenServer.facts``."""
        return msgspec.structs.asdict(self._stats())

    def _stats(self) -> LimiterStats:
        permits, rate = self._permits, self._permits.rate
        return LimiterStats(
            limit=permits.limit,
            rate=None if rate is None else rate.rate,
            per=None if rate is None else rate.per,
            burst=None if rate is None else rate.size,
            in_use=permits.in_use,
            queued=len(self._waiting),
            granted=self._granted,
            refused=self._refused,
            abandoned=self._abandoned,
            reclaimed=self._reclaimed,
            longest_wait=self._longest_wait,
            total_wait=self._total_wait,
        )

    # -- what happens by itself -------------------------------------------------------------

    @handles(TokenReady)
    def _token_ready(self, message: TokenReady) -> CastResult:
        """The rate allows another; a message of a timer that was called off is none."""
        if self._timer is not None and self._timer[0] == message.at:
            self._timer = None
            self._serve(trio.current_time())
        return self._rest(used=False)

    @handles(Down)
    def _holder_ended(self, message: Down) -> None:
        """A process has died: what it held is free."""
        holder = None if message.pid is None else self._holders.get(message.pid)
        if holder is not None and holder.monitor is message.ref:
            del self._holders[holder.pid]
            for permit in holder.permits:
                del self._held[permit]
            self._reclaimed += len(holder.permits)
            self._permits.give_back(len(holder.permits))
            self._serve(trio.current_time())
            self._used_at = trio.current_time()

    @handles(IdleTimeout)
    def _idle_timeout(self, message: IdleTimeout) -> Stop:
        """Nobody needs it."""
        return Stop(NORMAL)

    def handle_info(self, message: object) -> CastResult | Coroutine[Any, Any, CastResult]:
        """What it does not know is reported and ignored, and is no reason to stay."""
        result = super().handle_info(message)
        return self._rest(used=False) if result is None else result

    def _rest(self, *, used: bool = True) -> Idle | None:
        """How long to wait for a message before it ends; ``None`` if it must not.

        ``used`` says whether the message in hand was a use of it.
        """
        now = trio.current_time()
        if used:
            self._used_at = now
        like_new_at = self._permits.like_new_at(now)
        if self._idle_stop is None or self._waiting or like_new_at == math.inf:
            return None
        return Idle(max(self._used_at + self._idle_stop, like_new_at, now) - now)

    # -- giving -----------------------------------------------------------------------------

    def _serve(self, now: float) -> None:
        """Give what can be given, to those who wait longest."""
        while self._waiting and self._permits.ready_at(now) <= now:
            waiter, _ = self._waiting.popitem(last=False)
            waited = now - waiter.since
            self._longest_wait = max(self._longest_wait, waited)
            self._total_wait += waited
            waiter.reply_to.reply(self._grant(waiter.holder, now, waited))
            self._used_at = now
        self._set_timer(now)

    def _set_timer(self, now: float) -> None:
        """One timer while somebody waits for the rate."""
        if self._waiting and self._timer is None:
            at = self._permits.ready_at(now)
            if at < math.inf:
                self._timer = (at, send_at(self_(), TokenReady(at), at))

    def _grant(self, pid: Pid | None, now: float, waited: float = 0.0) -> Permit:
        """A permit, whose caller is there to get it."""
        self._granted += 1
        if PermitsGranted in self._instruments.wanted:
            self._instruments.emit(PermitsGranted(self._me.pid, self._name, 1, waited))
        permit = Permit(self._me, self._granted, pid)
        if self._permits.take(now):
            self._held[permit] = None if pid is None else self._holder(pid, permit)
        return permit

    def _holder(self, pid: Pid, permit: Permit) -> _Holder:
        if pid not in self._holders:
            self._holders[pid] = _Holder(pid)
        holder = self._holders[pid]
        holder.permits.add(permit)
        return holder

    def _take_back(self, permit: Permit) -> None:
        """It is no longer held by its process, if it was held by one."""
        holder = self._held.pop(permit)
        if holder is None:
            return
        holder.permits.discard(permit)
        if not holder.permits:
            del self._holders[holder.pid]
            demonitor(holder.monitor)


def check_idle_stop(seconds: object) -> None:
    """Refuse what is no time to be idle; none at all would be no time to be asked either."""
    if check_seconds("idle_stop", seconds) == 0:
        raise ValueError(f"idle_stop: got {seconds!r}, allowed is a number of seconds above 0")
