"""stages_09_manual_accumulate_stream.exs: asking by hand, holding demand, iterables, readers."""

from __future__ import annotations

import itertools
from functools import partial
from typing import Any

from runtime import Call, CallExit, Ref, handles, is_alive, start_link
from runtime.stages import (
    Consumer,
    ProducerExit,
    Subscription,
    buffered_count,
    events_of,
    from_iterable,
    get_demand,
    set_demand,
    subscribe,
)
from tests.oracle.inspecting import inspected
from tests.oracle.stages import Count, Push, Sections, Sink, ask, push
from tests.oracle.trace import Trace, settle, take


async def manual(t: Sections) -> Ref:
    return await Sink.start_link(t, mode="manual")


async def scenario(trace: Trace) -> None:
    t = Sections(trace)
    for name, body in (
        (
            "manual: no demand until asked; whole batches, no splitting, no automatic refill",
            by_hand,
        ),
        ("accumulate: demand signals are kept separate and replayed in order", accumulates),
        ("accumulate: pushed events are held too, in order with the demand", holds_events),
        ("switching a running producer to accumulate pauses it", pauses),
        (
            (
                "from_enumerable: finite source stops with :normal once all is delivered; "
                "permanent consumer stops too"
            ),
            finite,
        ),
        ("from_enumerable with cancel: :transient: consumer stays", transient),
        ("from_enumerable on_cancel: :stop", on_cancel),
        (
            "stream: take 5 from an endless producer, subscription is cancelled afterwards",
            take_five,
        ),
        (
            "stream: producer ends; permanent exits the caller, transient just ends the stream",
            producer_ends,
        ),
        ("consumer returning events is a logged no-op", returns_events),
    ):
        await t.section(name, partial(body, t))


async def by_hand(t: Sections) -> None:
    p = await Count.start_link(t, total=20)
    c = await manual(t)
    await subscribe(c, to=p, max_demand=4, min_demand=2)
    await settle(20)
    t.log("ask 3")
    await ask(c, 3)
    t.log("ask 7 (above max_demand, allowed)")
    await ask(c, 7)
    await ask(c, 0)
    t.log("ask 0 -> :ok")


async def accumulates(t: Sections) -> None:
    p = await Count.start_link(t, demand="accumulate", total=20)
    c = await manual(t)
    await subscribe(c, to=p)
    await ask(c, 2)
    await ask(c, 3)
    t.log("forward")
    await set_demand(p, "forward")
    await settle()


async def holds_events(t: Sections) -> None:
    p = await Push.start_link(t, demand="accumulate")
    c = await manual(t)
    await subscribe(c, to=p)
    await ask(c, 2)
    await push(p, [1, 2, 3])
    await ask(c, 4)
    await settle(20)
    t.log(f"buffered while accumulating {await buffered_count(p)}")
    t.log("forward")
    await set_demand(p, "forward")
    await settle()


async def pauses(t: Sections) -> None:
    p = await Count.start_link(t, total=20)
    c = await manual(t)
    await subscribe(c, to=p)
    await ask(c, 2)
    await set_demand(p, "accumulate")
    await ask(c, 2)
    t.log(f"paused {await get_demand(p)}")
    await set_demand(p, "forward")
    await settle()


def alive(producer: Ref, consumer: Ref) -> str:
    return f"producer {inspected(is_alive(producer))} consumer {inspected(is_alive(consumer))}"


async def finite(t: Sections) -> None:
    p = await start_link(from_iterable(range(1, 8)))
    c = await Sink.start(t)
    await subscribe(c, to=p, max_demand=4, min_demand=2)
    await settle()
    t.log(alive(p, c))


async def transient(t: Sections) -> None:
    p = await start_link(from_iterable(range(1, 4)))
    c = await Sink.start(t)
    await subscribe(c, to=p, cancel="transient")
    await settle()
    t.log(alive(p, c))


async def on_cancel(t: Sections) -> None:
    p = await start_link(from_iterable(itertools.repeat(1), on_cancel="stop", demand="accumulate"))
    c = await Sink.start(t, mode="manual")
    await subscribe(c, to=p, cancel="temporary")
    await settle(10)
    await c.stop()
    await settle(20)
    t.log(f"producer {inspected(is_alive(p))}")
    q = await start_link(from_iterable(itertools.repeat(1)))
    c = await Sink.start(t, mode="manual")
    await subscribe(c, to=q)
    await settle(10)
    await c.stop()
    await settle(20)
    t.log(f"without on_cancel: producer {inspected(is_alive(q))}")


async def take_five(t: Sections) -> None:
    p = await Count.start_link(t)
    t.log(f"took {inspected(await take(events_of(p, max_demand=4, min_demand=2), 5))}")
    await settle(20)
    t.log(f"producer alive {inspected(is_alive(p))}")


async def producer_ends(t: Sections) -> None:
    p = await start_link(from_iterable(range(1, 4), demand="accumulate"))
    async with events_of(p, cancel="transient") as events:
        t.log(f"transient {inspected([event async for event in events])}")
    p = await start_link(from_iterable(range(1, 4), demand="accumulate"))
    try:
        async with events_of(p, cancel="permanent") as events:
            result: object = [event async for event in events]
    except ProducerExit as end:
        result = ("exit", end.reason)
    t.log(f"permanent {inspected(result)}")


class GiveOne(Call[str]):
    """Answer, and emit an event besides."""


class Bad(Consumer[int]):
    """Does what only a producer can do."""

    @handles(GiveOne)
    def give(self, request: GiveOne) -> str:
        this: Any = self
        this.emit([1])
        return "ok"

    def handle_events(self, events: list[int], subscription: Subscription) -> Any:
        return [9]


async def returns_events(t: Sections) -> None:
    c = await Bad.start()
    try:
        reply = await c.call(GiveOne())
    except CallExit:
        reply = "exited"
    t.log(f"reply {inspected(reply)} alive {inspected(is_alive(c))}")
