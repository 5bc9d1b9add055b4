"""stages_01_demand_trace.exs: which asks and which chunks there are."""

from __future__ import annotations

from functools import partial
from typing import Any

from runtime import UnhandledMessage
from runtime.stages import BadSubscription, buffered_count, subscribe
from tests.oracle.inspecting import inspected, keywords, refusal_of
from tests.oracle.stages import Count, Push, Sections, Sink, push
from tests.oracle.trace import Trace, settle

DEMANDS: list[tuple[int, int | None, int]] = [
    (10, 5, 23), (10, 8, 23), (10, 2, 23), (10, 0, 23), (1, 0, 3), (4, 3, 6), (3, None, 7),
]  # fmt: skip


async def scenario(trace: Trace) -> None:
    t = Sections(trace)
    for most, least, total in DEMANDS:
        await t.section(
            f"exact producer, total={total}, max_demand={most}, min_demand={inspected(least)}",
            partial(exact, t, most, least, total),
        )
    await t.section(
        "trickle: one event pushed at a time, max_demand=4, min_demand=2", partial(trickle, t)
    )
    await t.section(
        "over-producing: demand 4 outstanding, 11 events emitted in one go, "
        "max_demand=4, min_demand=2",
        partial(over_producing, t),
    )
    await t.section(
        "two producers, one consumer: each subscription has its own demand",
        partial(two_producers, t),
    )
    await t.section("invalid options", partial(invalid_options, t))


async def exact(t: Sections, most: int, least: int | None, total: int) -> None:
    p = await Count.start_link(t, total=total)
    c = await Sink.start_link(t)
    await subscribe(c, to=p, max_demand=most, min_demand=least)
    await settle()


async def trickle(t: Sections) -> None:
    p = await Push.start_link(t)
    c = await Sink.start_link(t)
    await subscribe(c, to=p, max_demand=4, min_demand=2)
    for event in range(1, 7):
        await push(p, [event])
        await settle(20)


async def over_producing(t: Sections) -> None:
    p = await Push.start_link(t)
    c = await Sink.start_link(t)
    await subscribe(c, to=p, max_demand=4, min_demand=2)
    await settle(20)
    await push(p, range(1, 12))
    await settle()
    t.log(f"buffered {await buffered_count(p)}")


async def two_producers(t: Sections) -> None:
    p1 = await Count.start_link(t, "P1", total=4)
    p2 = await Count.start_link(t, "P2", total=4)
    c = await Sink.start_link(t)
    await subscribe(c, to=p1, max_demand=2, min_demand=1)
    await settle(20)
    await subscribe(c, to=p2, max_demand=3, min_demand=0)
    await settle()


async def invalid_options(t: Sections) -> None:
    p = await Count.start_link(t, total=4)
    c = await Sink.start_link(t)
    wrong: list[dict[str, Any]] = [
        {"max_demand": 0},
        {"min_demand": 1000},
        {"max_demand": 5, "min_demand": 5},
        {"cancel": "unknown"},
        {"max_demand": 5, "min_demand": -1},
    ]
    for options in wrong:
        try:
            await subscribe(c, to=p, **options)
        except BadSubscription as error:
            shown = keywords(list(options.items()))
            t.log(f'{shown} -> {{:error, {{:bad_opts, "{refusal_of(error)}"}}}}')
    try:
        await subscribe(p, to=c)
    except UnhandledMessage:
        t.log("producer as subscriber -> {:error, :not_a_consumer}")
    await settle(20)
