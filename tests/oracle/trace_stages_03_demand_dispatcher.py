"""stages_03_demand_dispatcher.exs: who gets what."""

from __future__ import annotations

from functools import partial

from runtime import Ref, kill
from runtime.stages import buffered_count, subscribe
from tests.oracle.stages import Push, Sections, Sink, ask, push
from tests.oracle.trace import Trace, settle


async def sub(consumer: Ref, producer: Ref) -> None:
    await subscribe(consumer, to=producer)
    await settle(15)


async def manual(t: Sections, label: str) -> Ref:
    return await Sink.start_link(t, label, mode="manual")


async def scenario(trace: Trace) -> None:
    t = Sections(trace)
    for name, body in (
        ("three manual consumers with pending 3, 5, 5; push 4, then 20", three_pending),
        (
            (
                "equal demand: tie goes to the one that has been waiting (list order), "
                "one event at a time"
            ),
            equal_demand,
        ),
        (
            (
                "consumer with pending 4 dies: its demand is kept as credit, "
                "next ask is partly absorbed"
            ),
            credit,
        ),
        (
            (
                "same with a small ask: the credit swallows part of it, one buffered event stays "
                "and a later one overtakes it"
            ),
            small_ask,
        ),
        ("late joiner only gets events once it has the larger pending demand", late_joiner),
        (
            (
                "events arriving in handle_events are whole batches from the producer, "
                "split only by max-min"
            ),
            whole_batches,
        ),
    ):
        await t.section(name, partial(body, t))


async def three_pending(t: Sections) -> None:
    p = await Push.start_link(t)
    a, b, c = [await manual(t, label) for label in "ABC"]
    for one in (a, b, c):
        await sub(one, p)
    await ask(a, 3)
    await ask(b, 5)
    await ask(c, 5)
    await push(p, range(1, 5))
    await settle(20)
    await push(p, range(5, 25))
    await settle(20)
    t.log(f"buffered {await buffered_count(p)}")


async def equal_demand(t: Sections) -> None:
    p = await Push.start_link(t)
    for one in [await manual(t, label) for label in "ABC"]:
        await sub(one, p)
        await ask(one, 3)
    for event in range(1, 10):
        await push(p, [event])
        await settle(10)


async def killed_with_two_buffered(t: Sections) -> Ref:
    p = await Push.start_link(t)
    a = await Sink.start(t, "A", mode="manual")
    await sub(a, p)
    await ask(a, 4)
    kill(a)
    await settle(20)
    await push(p, [1, 2])
    await settle(10)
    return p


async def credit(t: Sections) -> None:
    p = await killed_with_two_buffered(t)
    t.log(f"buffered {await buffered_count(p)}")
    b = await manual(t, "B")
    await sub(b, p)
    await ask(b, 5)
    await ask(b, 2)


async def small_ask(t: Sections) -> None:
    p = await killed_with_two_buffered(t)
    b = await manual(t, "B")
    await sub(b, p)
    t.log("B asks 3")
    await ask(b, 3)
    t.log(f"buffered {await buffered_count(p)}")
    t.log("push 3")
    await push(p, [3])
    await settle(10)
    t.log(f"buffered {await buffered_count(p)}")


async def late_joiner(t: Sections) -> None:
    p = await Push.start_link(t)
    a, b = [await manual(t, label) for label in "AB"]
    await sub(a, p)
    await ask(a, 10)
    await sub(b, p)
    await ask(b, 4)
    for event in range(1, 9):
        await push(p, [event])
        await settle(10)


async def whole_batches(t: Sections) -> None:
    p = await Push.start_link(t)
    a = await Sink.start_link(t, "A")
    await subscribe(a, to=p, max_demand=6, min_demand=2)
    await settle(15)
    for first, last in ((1, 3), (4, 6), (7, 12)):
        await push(p, range(first, last + 1))
        await settle(10)
