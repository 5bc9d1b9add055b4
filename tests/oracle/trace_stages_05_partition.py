"""stages_05_partition.exs: events by partition, and what no partition takes.

In the fourth section the script's producer has an end, which GenStage does not come to.
"""

from __future__ import annotations

from collections.abc import Hashable
from functools import partial
from typing import Any

from runtime import CallExit, Ref, is_alive, kill
from runtime.stages import (
    NO_PARTITION,
    NoPartition,
    PartitionDispatcher,
    Routed,
    buffered_count,
    subscribe,
)
from tests.oracle.inspecting import inspected, keywords
from tests.oracle.stages import Count, Push, Sections, Sink, ask, push
from tests.oracle.trace import Trace, settle


async def sub(consumer: Ref, producer: Ref, **options: Any) -> None:
    await subscribe(consumer, to=producer, **options)
    await settle(15)


def parity(event: int) -> int:
    return event % 2


def by_parity() -> PartitionDispatcher[int]:
    return PartitionDispatcher(partitions=2, hash=parity)


async def manual(t: Sections, label: str) -> Ref:
    return await Sink.start_link(t, label, mode="manual")


class Apart(Push):
    """Emits in its own task, as in Elixir, and then hears what is wanted in place of the lost.

    In its caller's it would hear of that behind the consumers.
    """

    inline = False


class Named(Sink):
    """Its events are pairs of a name and a number."""

    def shown(self, events: list[Any]) -> str:
        return keywords(events)


async def scenario(trace: Trace) -> None:
    t = Sections(trace)
    for name, body in (
        ("routing by hash: order kept inside a partition", routing),
        ("custom names, event rewritten by the hash function, :none drops", custom_names),
        ("skew: demand is summed, so the hot partition queues past its own demand", skew),
        (
            (
                "events hashed to :none eat the producer's answer: "
                "consumer starves below its threshold"
            ),
            none_eats,
        ),
        ("subscribing while the partition has no consumer yet", no_consumer_yet),
        (
            "consumer leaves with queued events: its queue is dropped and re-requested upstream",
            consumer_leaves,
        ),
        ("errors at subscription and hash", errors),
    ):
        await t.section(name, partial(body, t))


async def routing(t: Sections) -> None:
    p = await Push.start_link(t, dispatcher=by_parity())
    a, b = [await Sink.start_link(t, label) for label in ("P0", "P1")]
    await sub(a, p, partition=0, max_demand=4, min_demand=2)
    await sub(b, p, partition=1, max_demand=4, min_demand=2)
    await push(p, range(1, 9))
    await settle()


async def custom_names(t: Sections) -> None:
    def named(event: Any) -> Routed[Any] | NoPartition:
        if event % 3 == 0:
            return NO_PARTITION
        name = "odd" if event % 2 else "even"
        return Routed((name, event), name)

    dispatcher = PartitionDispatcher[Any](partitions=["even", "odd"], hash=named)
    p = await Apart.start_link(t, dispatcher=dispatcher)
    a, b = [await Named.start_link(t, label) for label in ("EVEN", "ODD")]
    await sub(a, p, partition="even")
    await sub(b, p, partition="odd")
    await push(p, range(1, 10))
    await settle()


async def skew(t: Sections) -> None:
    def every_fourth(event: int) -> int:
        return 1 if event % 4 == 3 else 0

    p = await Count.start_link(t, dispatcher=PartitionDispatcher(partitions=2, hash=every_fourth))
    a, b = [await manual(t, label) for label in ("HOT", "COLD")]
    await sub(a, p, partition=0)
    await sub(b, p, partition=1)
    for label, one, count in (("HOT", a, 2), ("COLD", b, 4), ("COLD", b, 4), ("HOT", a, 3)):
        t.log(f"{label} asks {count}")
        await ask(one, count)
    buffered = await buffered_count(p)
    t.log(f"stage buffer {buffered} (hot queue lives in the dispatcher, not counted)")


async def none_eats(t: Sections) -> None:
    def even(event: int) -> Hashable:
        return NO_PARTITION if event % 2 else 0

    dispatcher = PartitionDispatcher[int](partitions=1, hash=even)
    p = await Count.start_link(t, dispatcher=dispatcher, total=20)
    a = await Sink.start_link(t, "A")
    await sub(a, p, partition=0, max_demand=10, min_demand=5)
    await settle()


async def no_consumer_yet(t: Sections) -> None:
    p = await Count.start_link(t, dispatcher=by_parity(), total=8)
    a = await manual(t, "P0")
    await sub(a, p, partition=0)
    t.log("P0 asks 4")
    await ask(a, 4)
    b = await manual(t, "P1")
    await sub(b, p, partition=1)
    t.log("P1 asks 2")
    await ask(b, 2)


async def consumer_leaves(t: Sections) -> None:
    p = await Count.start_link(t, dispatcher=by_parity())
    a = await manual(t, "P0")
    b = await Sink.start(t, "P1", mode="manual")
    await sub(a, p, partition=0)
    await sub(b, p, partition=1, cancel="temporary")
    t.log("P0 asks 6")
    await ask(a, 6)
    t.log("kill P1 (3 odd events queued for it)")
    kill(b)
    await settle()
    c = await manual(t, "P1b")
    await sub(c, p, partition=1)
    t.log("P1b asks 2")
    await ask(c, 2)


async def errors(t: Sections) -> None:
    wrong: tuple[tuple[str, dict[str, Any]], ...] = (
        ("none", {}),
        ("unknown", {"partition": 7}),
        ("taken", {"partition": 0}),
    )
    for label, options in wrong:
        await t.iso(partial(bad_partition, t, label, options))
    await t.iso(partial(unknown_partition, t))


async def bad_partition(t: Sections, label: str, options: dict[str, Any]) -> None:
    p = await Push.start(t, dispatcher=by_parity())
    a = await Sink.start(t, "A")
    await sub(a, p, partition=0)
    b = await Sink.start(t, "B")
    await subscribe(b, to=p, **options)
    await settle()
    alive = f"producer alive {inspected(is_alive(p))}, B alive {inspected(is_alive(b))}"
    t.log(f"{label}: {alive}")


async def unknown_partition(t: Sections) -> None:
    dispatcher = PartitionDispatcher[int](partitions=2, hash=lambda event: 9)
    p = await Push.start(t, dispatcher=dispatcher)
    a = await Sink.start(t, "A")
    await sub(a, p, partition=0)
    try:
        await push(p, [1])
    except CallExit:
        pushed = "exited"
    else:
        pushed = "ok"
    await settle(20)
    t.log(
        f"hash to unknown partition with demand: push -> {inspected(pushed)}, "
        f"producer alive {inspected(is_alive(p))}"
    )
