"""stages_06_buffer.exs: what a producer keeps that nobody has asked for."""

from __future__ import annotations

from functools import partial
from typing import Literal

from runtime import kill
from runtime.stages import (
    Subscription,
    SubscriptionEnded,
    buffered_count,
    queue_info,
    subscribe,
)
from tests.oracle.stages import (
    Blocking,
    Push,
    Sections,
    Sink,
    Sync,
    ask,
    push,
)
from tests.oracle.trace import Trace, settle

KEEPS: tuple[Literal["last", "first"], ...] = ("last", "first")


class Buf(Push):
    """Says how many it has discarded."""

    def format_discarded(self, discarded: int) -> bool:
        self.log(f"P format_discarded {discarded}")
        return False

    def handle_cancel(self, subscription: Subscription, end: SubscriptionEnded) -> None:
        pass


async def scenario(trace: Trace) -> None:
    t = Sections(trace)
    for keep in KEEPS:
        await t.section(
            f"buffer_size 5, keep {keep}: push 1..5 then 6..8 with no consumer",
            partial(keeps, t, keep),
        )
    for name, body in (
        ("one push larger than the buffer, keep last", one_push),
        ("infinite buffer", infinite),
        ("default producer buffer is 10_000, keep last", by_default),
        ("buffered events satisfy demand first; handle_demand only sees the remainder", first),
        ("info message queued behind buffered events; FIFO among infos", infos),
        (
            (
                "info with empty buffer is immediate; info whose event is discarded is delivered "
                "at discard time"
            ),
            discarded_infos,
        ),
        (
            (
                "consumer crash: events already delivered to it are lost, "
                "later ones are kept for the next"
            ),
            crash,
        ),
        (
            (
                "reply order: events are dispatched before a {:reply, ...}; "
                "reply/2 lets the caller go first"
            ),
            reply_order,
        ),
    ):
        await t.section(name, partial(body, t))


async def keeps(t: Sections, keep: Literal["last", "first"]) -> None:
    p = await Buf.start_link(t, buffer_size=5, buffer_keep=keep)
    await push(p, range(1, 6))
    await push(p, range(6, 9))
    t.log(f"buffered {await buffered_count(p)}")
    c = await Sink.start_link(t)
    await subscribe(c, to=p, max_demand=4, min_demand=0)
    await settle()


async def one_push(t: Sections) -> None:
    p = await Buf.start_link(t, buffer_size=3)
    await push(p, range(1, 8))
    c = await Sink.start_link(t)
    await subscribe(c, to=p, max_demand=4, min_demand=0)
    await settle()


async def infinite(t: Sections) -> None:
    p = await Buf.start_link(t, buffer_size=None)
    await push(p, range(1, 20_001))
    t.log(f"buffered {await buffered_count(p)}")


async def by_default(t: Sections) -> None:
    p = await Buf.start_link(t)
    await push(p, range(1, 10_004))
    t.log(f"buffered {await buffered_count(p)}")
    c = await Sink.start_link(t, mode="manual")
    await subscribe(c, to=p)
    await settle(10)
    await ask(c, 2, 60)


async def first(t: Sections) -> None:
    p = await Buf.start_link(t)
    await push(p, [1, 2, 3])
    c = await Sink.start_link(t, mode="manual")
    await subscribe(c, to=p)
    await settle(10)
    for count in (2, 4):
        t.log(f"ask {count}")
        await ask(c, count, 20)


async def infos(t: Sections) -> None:
    p = await Buf.start_link(t)
    await push(p, [1, 2, 3, 4])
    await queue_info(p, "first")
    await queue_info(p, "second")
    c = await Sink.start_link(t, mode="manual")
    await subscribe(c, to=p)
    await settle(10)
    for count in (3, 1):
        t.log(f"ask {count}")
        await ask(c, count, 20)


async def discarded_infos(t: Sections) -> None:
    p = await Buf.start_link(t, buffer_size=2)
    await queue_info(p, "now")
    await settle(10)
    await push(p, [1])
    await queue_info(p, "after_1")
    await settle(10)
    t.log("push 2, 3 (drops 1)")
    await push(p, [2, 3])
    await settle(20)


async def crash(t: Sections) -> None:
    p = await Buf.start_link(t)
    c = await Blocking.start(t, "C1", block_at=1)
    await subscribe(c, to=p, max_demand=4, min_demand=2)
    await settle(20)
    await push(p, [1, 2, 3, 4])
    await settle(20)
    kill(c)
    await settle(20)
    await push(p, [5, 6])
    await settle(10)
    t.log(f"buffered {await buffered_count(p)}")
    d = await Sink.start_link(t, "C2")
    await subscribe(d, to=p, max_demand=4, min_demand=0)
    await settle()


async def reply_order(t: Sections) -> None:
    p = await Push.start_link(t)
    c = await Sink.start_link(t)
    await subscribe(c, to=p)
    await settle(20)
    await push(p, [1])
    await c.call(Sync())
    t.log("caller has reply")
    await settle(20)
