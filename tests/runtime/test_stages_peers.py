"""The watches of stages on each other: told once, and gone when they are of no use."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from runtime import Node, Pid, Ref, kill, wait_exit
from runtime.current import find_process
from runtime.exits import KILLED
from runtime.process import Process
from runtime.stages import (
    BroadcastDispatcher,
    DemandDispatcher,
    PartitionDispatcher,
    Subscription,
    resubscribe,
)
from runtime.stages.outlet import Outlet
from runtime.stages.peers import Downstream, PeerWatch, Upstream
from runtime.stages.stage import Stage
from tests.runtime.staging import (
    KINDS,
    Do,
    Log,
    Middle,
    Sink,
    Source,
    chunks,
    ends,
    joined,
    settled,
)


def process_of(stage: Ref) -> Process:
    process = find_process(stage)
    assert process is not None
    return process


def watches(*stages: Ref) -> list[int]:
    """How many watches each of them is under."""
    return [len(process_of(one).watches) for one in stages]


async def test_each_side_watches_the_other(node: Node) -> None:
    p, b, c = await Source.start(), await Middle.start(), await Sink.start()
    assert watches(p, b, c) == [0, 0, 0]
    await joined(c, b)
    await joined(b, p)
    assert watches(p, b, c) == [1, 2, 1]


async def ended(stage: Ref, how: str) -> None:
    """End it, and see what follows."""
    if how == "kill":
        kill(stage)
    else:
        await stage.stop()
    await wait_exit(stage)
    await settled()


@pytest.mark.parametrize("kinds", KINDS)
async def test_a_cancelled_subscription_leaves_no_watch(node: Node, kinds: Any) -> None:
    producer, _, consumer = kinds
    p, c = await producer.start(), await consumer.start()
    for number in range(20):
        subscription = await joined(c, p, cancel="temporary")
        assert watches(p, c) == [1, 1]
        subscription.cancel(number)
        await settled()
        assert watches(p, c) == [0, 0]


async def test_neither_does_one_that_is_refused_or_replaced(node: Node) -> None:
    p, c = await Source.start(make=BroadcastDispatcher), await Sink.start()
    first = await joined(c, p, cancel="temporary")
    for _ in range(5):
        await joined(c, p, cancel="temporary")
    assert watches(p, c) == [1, 1]
    for _ in range(5):
        first = await resubscribe(first, p, cancel="temporary")
        await settled()
    assert watches(p, c) == [1, 1]


@pytest.mark.parametrize("kinds", KINDS)
async def test_a_consumer_that_ends_leaves_none_on_its_producer(node: Node, kinds: Any) -> None:
    producer, middle, consumer = kinds
    p = await producer.start()
    for kind in (middle, consumer):
        for how in ("kill", "stop"):
            c = await kind.start()
            await joined(c, p)
            await ended(c, how)
            assert watches(p) == [0]


@pytest.mark.parametrize("kinds", KINDS)
async def test_a_producer_that_ends_leaves_none_on_its_consumers(node: Node, kinds: Any) -> None:
    producer, middle, consumer = kinds
    for kind in (middle, consumer):
        c = await kind.start()
        for how in ("kill", "stop"):
            p = await producer.start()
            await joined(c, p, cancel="temporary")
            await ended(p, how)
            assert watches(c) == [0]


async def test_a_stage_in_the_middle_that_ends_leaves_none(node: Node) -> None:
    p, c = await Source.start(), await Sink.start()
    for _ in range(3):
        b = await Middle.start()
        await joined(c, b, cancel="temporary")
        await joined(b, p)
        assert watches(p, c) == [1, 1]
        kill(b)
        await wait_exit(b)
        await settled()
        assert watches(p, c) == [0, 0]


async def test_one_whose_init_fails_leaves_none(node: Node) -> None:
    p = await Source.start()

    class Failing(Sink):
        def init(self) -> None:
            self.subscribe(p)
            raise OSError("disk")

    for _ in range(3):
        with pytest.raises(Exception, match="disk"):
            await Failing.start()
    await settled()
    assert watches(p) == [0]


# ---------------------------------------------------------------------- what is told


async def test_both_that_end_at_once_are_no_trouble(node: Node) -> None:
    p, c = await Source.start(), await Sink.start()
    await joined(c, p)
    kill(p)
    kill(c)
    await wait_exit(p)
    await wait_exit(c)


async def test_an_end_is_told_behind_what_was_sent_before(node: Node) -> None:
    log: Log = []

    class Last(Source):
        def terminate(self, reason: object) -> None:
            self.emit(["last"])

    p, c = await Last.start(None, 3), await Sink.start(log)
    await joined(c, p, cancel="temporary")
    await p.stop()
    await settled()
    assert log == [("subscribed", "producer"), [0, 1, 2], ["last"], *ends(log)]
    assert [one[1] for one in ends(log)] == ["down"]


async def test_an_end_is_told_once(node: Node) -> None:
    log: Log = []
    p, c = await Source.start(log), await Sink.start()
    await joined(c, p)
    kill(c)
    await wait_exit(c)
    await settled()
    assert ends(log) == [("over", "down", KILLED, "consumer")]


async def test_what_forgets_a_consumer_cannot_hurt(node: Node, hook: list[BaseException]) -> None:
    """A dispatcher of the user's whose ``cancel`` raises; the consumer ends all the same."""

    class Broken(DemandDispatcher[Any]):
        def cancel(self, subscription: Subscription) -> None:
            raise OSError("cancel")

    log: Log = []
    p, c, other = await Source.start(log, make=Broken), await Sink.start(), await Sink.start()
    await joined(c, p)
    kill(c)
    assert await wait_exit(c) == KILLED
    assert [str(one) for one in hook] == ["cancel"]
    await settled()
    assert p.whereis() is None, "and in its own step it is the producer's crash"
    assert other.whereis() is not None


# ---------------------------------------------------------------------- memory


OURS = (Process, Stage, Outlet, PeerWatch, Downstream, Upstream, DemandDispatcher, Subscription)


@pytest.fixture
def no_gc() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.set_debug(0)
    gc.garbage.clear()
    gc.enable()


def in_cycles() -> list[object]:
    """The objects of ours that only the garbage collector would have freed."""
    gc.set_debug(gc.DEBUG_SAVEALL)
    gc.collect()
    gc.set_debug(0)
    found: list[object] = [one for one in gc.garbage if isinstance(one, OURS)]
    gc.garbage.clear()
    return found


async def instance_of(stage: Ref) -> weakref.ref[Any]:
    made: weakref.ref[Any] = await stage.call(Do(weakref.ref))
    return made


async def life_and_death(producer: Any, middle: Any, consumer: Any) -> list[weakref.ref[Any]]:
    """Three stages that have worked and ended; what is left of them."""
    p, b, c = await producer.start(None, 9), await middle.start(), await consumer.start()
    await joined(b, p, max_demand=4)
    first = await joined(c, b, max_demand=4, cancel="temporary")
    await joined(c, p, max_demand=4, cancel="temporary")
    second = await resubscribe(first, b, max_demand=4, cancel="temporary")
    await settled()
    second.cancel()
    await settled()
    await joined(c, b, max_demand=4)
    left = [await instance_of(one) for one in (p, b, c)]
    kill(p)
    for one in (p, b, c):
        await wait_exit(one)
    await settled()
    return left


@pytest.mark.usefixtures("no_gc")
@pytest.mark.parametrize("kinds", KINDS)
async def test_nothing_is_left_of_stages_that_have_ended(node: Node, kinds: Any) -> None:
    left = await life_and_death(*kinds)
    assert [one() for one in left] == [None, None, None]
    assert in_cycles() == []


@pytest.mark.usefixtures("no_gc")
@pytest.mark.parametrize("kinds", KINDS)
@pytest.mark.parametrize(
    "make", [DemandDispatcher, BroadcastDispatcher, lambda: PartitionDispatcher([0])]
)
async def test_a_producer_keeps_nothing_of_its_dead_consumers(
    node: Node, kinds: Any, make: Any
) -> None:
    producer, _, consumer = kinds
    p = await producer.start(None, 0, make=make)
    options = {} if make in (DemandDispatcher, BroadcastDispatcher) else {"partition": 0}
    left: list[weakref.ref[Any]] = []
    pids: list[weakref.ref[Pid]] = []
    for _ in range(3):
        c = await consumer.start()
        await joined(c, p, **options)
        left.append(await instance_of(c))
        pids.append(weakref.ref(c.pid))
        kill(c)
        await wait_exit(c)
        await settled()
        del c
    await p.call(Do(lambda stage: stage.log.clear()))
    assert [one() for one in left] == [None, None, None]
    await settled()
    assert in_cycles() == []
    assert len([one for one in gc.get_objects() if isinstance(one, Downstream | Upstream)]) == 0


@pytest.mark.usefixtures("no_gc")
async def test_a_subscription_that_somebody_holds_holds_nobody(node: Node) -> None:
    p, c = await Source.start(), await Sink.start()
    subscription = await joined(c, p)
    left = [await instance_of(one) for one in (p, c)]
    kill(p)
    await wait_exit(c)
    await settled()
    assert subscription.producer is not None
    assert [one() for one in left] == [None, None]


async def test_the_same_events_are_not_kept(node: Node) -> None:
    class Big:
        """An event."""

    log: list[Any] = []
    p, c = (
        await Source.start(),
        await Sink.start(None, lambda events: log.append(weakref.ref(events[0]))),
    )
    await joined(c, p)
    await p.call(Do(lambda stage: stage.emit([Big()])))
    await settled()
    await c.call(Do(lambda stage: stage.log.clear()))
    gc.collect()
    assert [one() for one in log] == [None]
    assert chunks(log) == []
