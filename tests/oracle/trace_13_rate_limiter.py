"""13_rate_limiter.exs: a token bucket whose replies come later; waiters that die or give up."""

from __future__ import annotations

from collections import deque
from functools import partial

import msgspec

from runtime import (
    Call,
    Cast,
    Down,
    GenServer,
    MonitorRef,
    NoReply,
    Pid,
    ReplyTo,
    demonitor,
    handles,
    kill,
    monitor,
    self_,
    send,
    spawn,
    unlink,
)
from tests.oracle.rendering import say
from tests.oracle.trace import Trace, attempt, flush, settle


class Acquire(Call[str]):
    """A token, please. ``pid`` is the caller's, which a ``ReplyTo`` does not say."""

    who: str
    pid: Pid


class Depth(Call[tuple[int, int]]):
    """How many tokens there are, and how many wait."""


class Refill(Cast):
    tokens: int


class Waiter(msgspec.Struct, frozen=True):
    ref: MonitorRef
    who: str
    reply_to: ReplyTo[str]


class Limiter(GenServer):
    def __init__(self, trace: Trace, capacity: int) -> None:
        self.trace = trace
        self.capacity = self.tokens = capacity
        self.queue: deque[Waiter] = deque()

    @handles(Acquire)
    def acquire(self, request: Acquire, reply_to: ReplyTo[str]) -> str | NoReply:
        if self.tokens == 0:
            ref = monitor(request.pid)
            self.trace.out(f"queue {request.who}")
            self.queue.append(Waiter(ref, request.who, reply_to))
            return NoReply()
        self.trace.out(f"grant {request.who} at once")
        self.tokens -= 1
        return "granted"

    @handles(Depth)
    def depth(self, request: Depth) -> tuple[int, int]:
        return self.tokens, len(self.queue)

    @handles(Refill)
    def refill(self, message: Refill) -> None:
        self.trace.out(f"refill {message.tokens}")
        self.tokens = min(self.capacity, self.tokens + message.tokens)
        while self.tokens and self.queue:
            waiter = self.queue.popleft()
            demonitor(waiter.ref, flush=True)
            self.trace.out(f"grant {waiter.who} from queue")
            waiter.reply_to.reply("granted")
            self.tokens -= 1

    @handles(Down)
    def waiter_is_gone(self, message: Down) -> None:
        for waiter in self.queue:
            if waiter.ref is message.ref:
                self.trace.out(f"drop {waiter.who} {say(message.reason)}")
        self.queue = deque(one for one in self.queue if one.ref is not message.ref)


class Got(msgspec.Struct, frozen=True, order=True):
    """What became of a client's call."""

    who: str
    result: str


class Stray(msgspec.Struct, frozen=True):
    """How many messages a client found afterwards."""

    who: str
    number: int


async def report(trace: Trace) -> None:
    for got in sorted(one for one in await flush(40) if isinstance(one, Got)):
        trace.out(f"client {got.who} {got.result}")


async def scenario(trace: Trace) -> None:
    out, me = trace.out, self_()
    limiter = await Limiter.start_link(trace, 2)

    async def client(who: str, timeout: float) -> None:
        call = partial(limiter.call, Acquire(who, self_()), timeout=timeout)
        send(me, Got(who, await attempt(call)))
        send(me, Stray(who, len(await flush(250))))

    async def acquire(who: str, timeout: float) -> Pid:
        pid = spawn(client, who, timeout)
        await settle(20)
        return pid

    async def depth() -> str:
        return say(await limiter.call(Depth()))

    await acquire("a", 1)
    await acquire("b", 1)
    await report(trace)
    c = await acquire("c", 1)
    await acquire("d", 0.06)
    await acquire("e", 1)
    await acquire("f", 1)
    await acquire("g", 1)
    out(f"depth {await depth()}")
    out("-- c is killed while waiting, d times out while waiting (but its process lives on)")
    kill(c)
    await settle(80)
    out(f"depth {await depth()}")
    await report(trace)
    out("-- refill 1: d is granted although it gave up; its late reply is discarded")
    limiter.cast(Refill(1))
    await settle(30)
    await report(trace)
    out("-- refill 5 is capped at 2")
    limiter.cast(Refill(5))
    await settle(30)
    await report(trace)
    out(f"depth {await depth()}")
    out("-- refill 2: g, then one token stays")
    limiter.cast(Refill(2))
    await settle(30)
    await report(trace)
    out(f"depth {await depth()}")
    await settle(400)
    out("-- limiter dies with waiters queued")
    unlink(limiter)
    await limiter.call(Acquire("last_token", me))
    for who in "xy":
        await acquire(who, 1)
    kill(limiter)
    await report(trace)
    strays = [one for one in await flush(300) if isinstance(one, Stray)]
    out(f"strays {say([(one.who, one.number) for one in strays if one.number > 0])}")
