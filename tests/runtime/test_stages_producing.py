"""The half with consumers: ``emit`` from everywhere, and consumers that come and go."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from runtime import (
    BadResult,
    Continue,
    Crashed,
    Node,
    NoNode,
    OutsideProcess,
    Stop,
    is_alive,
    kill,
    snapshot,
    wait_exit,
)
from runtime.exits import KILLED, NORMAL
from runtime.stages import (
    BroadcastDispatcher,
    Producer,
    ProducerConsumer,
    Subscription,
    SubscriptionEnded,
    buffered_count,
    subscribe,
)
from runtime.stages.producing import Producing
from tests.runtime.staging import (
    AsyncSource,
    Begin,
    Do,
    Log,
    Sink,
    Source,
    chunks,
    demands,
    emitted,
    ends,
    joined,
    settled,
)
from tests.support import end_of


async def in_nursery(stage: Any, fn: Any) -> None:
    """Run ``fn`` in a task of the stage's own."""
    nursery = await stage.enter(trio.open_nursery())
    nursery.start_soon(fn)


class Everywhere(Source):
    """Emits in each of its callbacks."""

    async def init(self) -> Continue:
        self.emit(["init"])

        async def later() -> None:
            await trio.sleep(1)
            self.emit(["task"])

        await in_nursery(self, later)
        return Continue()

    def handle_continue(self, arg: object) -> None:
        self.emit(["continue"])

    def handle_subscribe(self, peer: Any, subscription: Subscription) -> None:
        self.emit(["subscribe"])

    def handle_demand(self, demand: int) -> list[str]:
        self.emit(["demand"])
        return ["returned"]

    def handle_info(self, message: object) -> None:
        self.emit(["info"])

    def handle_cancel(self, subscription: Subscription, end: SubscriptionEnded) -> None:
        self.emit(["cancel"])

    def terminate(self, reason: object) -> None:
        self.emit(["terminate"])


async def test_emit_from_every_callback_and_from_a_task(node: Node) -> None:
    log: Log = []
    p = await Everywhere.start()
    await joined(await Sink.start(log), p, max_demand=100, cancel="temporary")
    assert log[1:] == [["init", "continue", "subscribe"], ["demand"], ["returned"]]
    p.send("info")
    await settled()
    assert log[4:] == [["info"]]
    await trio.sleep(2)
    assert log[5:] == [["task"]]
    (await joined(await Sink.start(), p)).cancel()
    await settled()
    assert log[6:] == [["subscribe"], ["cancel"]], "the other wanted more"
    await p.stop()
    await settled()
    assert log[8:10] == [["terminate"], ("over", "down", NORMAL, "producer")]


async def test_what_is_emitted_is_there_before_the_caller_goes_on(node: Node) -> None:
    """GS-36."""
    p, c = await Source.start(), await Sink.start()
    await joined(c, p)
    await p.call(Do(lambda stage: stage.emit([1])))
    assert await c.call(Do(lambda stage: chunks(stage.log))) == [[1]]


async def test_emit_needs_a_running_stage(node: Node) -> None:
    text = r"^Source.emit was called outside a running stage$"
    with pytest.raises(OutsideProcess, match=text):
        Source().emit([1])
    with pytest.raises(OutsideProcess, match=r"^Source.queue_info was called outside a running"):
        Source().queue_info(1)

    class Early(Source):
        def __init__(self) -> None:
            super().__init__()
            with pytest.raises(OutsideProcess, match=r"^Early.emit was"):
                self.emit([1])

    p = await Early.start()
    stage = await p.call(Do(lambda stage: stage))
    kill(p)
    await wait_exit(p)
    with pytest.raises(OutsideProcess):
        stage.emit([1])


@pytest.mark.real_clock
async def test_no_thread_emits(node: Node) -> None:
    p = await Source.start()
    stage = await p.call(Do(lambda stage: stage))
    for said in (stage.emit, stage.queue_info):
        with pytest.raises(NoNode, match="foreign thread"):
            await trio.to_thread.run_sync(said, [1])
    assert await buffered_count(p) == 0


class FromInit(Source):
    """Says in ``init`` how it is to be."""

    def init(self) -> None:
        self.buffer_size = 2
        self.buffer_keep = "first"
        self.emit(range(5))


async def test_attributes_are_read_with_the_first_use(node: Node) -> None:
    p = await FromInit.start()
    assert await buffered_count(p) == 2
    log: Log = []
    await joined(await Sink.start(log), p)
    assert chunks(log) == [[0, 1]]
    assert (Producer.buffer_size, ProducerConsumer.buffer_size) == (10_000, None)  # GS-28, GS-29


@pytest.mark.parametrize(
    ("attributes", "text"),
    [
        ({"buffer_size": -1}, "^buffer_size: got -1, allowed is 0 or more, or None$"),
        ({"buffer_keep": "all"}, "^buffer_keep: got 'all', allowed are 'last', 'first'$"),
        ({"demand": "later"}, "^demand: got 'later', allowed are 'forward', 'accumulate'$"),
    ],
)
async def test_wrong_attributes(
    node: Node, events: list[Any], attributes: dict[str, Any], text: str
) -> None:
    p = await Source.start(**attributes)
    await joined(await Sink.start(), p)
    reason = end_of(events, p.pid)
    assert isinstance(reason, Crashed)
    with pytest.raises(ValueError, match=text):
        raise reason.exception


async def test_the_half_alone_is_no_stage(node: Node, events: list[Any]) -> None:
    class Half(Producing[int]):
        """Makes nothing."""

    p = await Half.start()
    await joined(await Sink.start(), p)
    reason = end_of(events, p.pid)
    assert isinstance(reason, Crashed)
    assert isinstance(reason.exception, NotImplementedError)


# ---------------------------------------------------------------------- consumers


@pytest.mark.parametrize("kind", [Source, AsyncSource])
@pytest.mark.parametrize("how", ["stop", "kill", "crash"])
async def test_a_producer_outlives_its_consumers(node: Node, kind: Any, how: str) -> None:
    """GS-85, GS-35: what was on its way is lost, what comes later goes to the next."""
    up: Log = []
    log: Log = []
    p, c = await kind.start(up), await Sink.start()
    await joined(c, p, max_demand=4)
    if how == "stop":
        await c.stop()
    elif how == "kill":
        kill(c)
    else:
        c.cast(Begin(lambda _: 1 // 0))
    await wait_exit(c)
    await emitted(p, 5, 6)
    (over,) = ends(up)
    assert over[1::2] == ("down", "consumer")
    await joined(await Sink.start(log), p)
    assert chunks(log) == [[5, 6]]


async def test_only_a_consumer_can_be_manual(node: Node, events: list[Any]) -> None:
    """GS-38; to say automatic is to say nothing."""

    class Wrong(Source):
        says: str

        def handle_subscribe(self, peer: Any, subscription: Subscription) -> Any:
            return self.says

    log: Log = []
    p = await Wrong.start(says="automatic")
    await joined(await Sink.start(log), p)
    await emitted(p, 1)
    assert chunks(log) == [[1]]
    p = await Wrong.start(says="manual")
    await joined(await Sink.start(), p)
    reason = end_of(events, p.pid)
    assert isinstance(reason, Crashed)
    assert isinstance(reason.exception, BadResult)
    assert str(reason.exception) == (
        "handle_subscribe of Wrong returned 'manual', allowed are 'automatic' "
        "(only a consumer can be 'manual'), None and Stop(reason)"
    )


@pytest.mark.parametrize("kind", [Source, AsyncSource])
@pytest.mark.parametrize("callback", ["handle_subscribe", "handle_cancel"])
async def test_stop_from_a_callback_with_events_buffered(
    node: Node, events: list[Any], kind: Any, callback: str
) -> None:
    class Leaving(kind):  # type: ignore[misc]
        pass

    setattr(Leaving, callback, lambda *_args: Stop("enough"))
    log: Log = []
    p, c = await Leaving.start(), await Sink.start(log)
    await emitted(p, 1, 2)
    subscription = await joined(c, p, cancel="temporary")
    subscription.cancel("x")
    await settled()
    assert end_of(events, p.pid) == "enough"
    seen = [("subscribed", "producer")]
    if callback == "handle_subscribe":
        assert log == [*seen, ("over", "down", "enough", "producer")]
    else:
        assert log == [*seen, [1, 2], ("over", "cancel", "x", "producer")]


async def test_a_crash_in_handle_cancel_is_the_producers(node: Node) -> None:
    class Failing(Source):
        def handle_cancel(self, subscription: Subscription, end: SubscriptionEnded) -> None:
            raise OSError("disk")

    log: Log = []
    p, c = await Failing.start(), await Sink.start(log)
    (await joined(c, p, cancel="temporary")).cancel("x")
    await settled()
    ((_, how, reason, _),) = ends(log)
    assert (how, type(reason.exception)) == ("down", OSError)
    assert (is_alive(p), is_alive(c)) == (False, True)


async def test_a_consumer_that_is_gone_before_it_is_taken_is_none(node: Node) -> None:
    up: Log = []
    p, c = await Source.start(up), await Sink.start()
    release = trio.Event()
    p.cast(Begin(lambda _: wait_for(release)))
    await subscribe(c, p)
    kill(c)
    await wait_exit(c)
    release.set()
    await settled()
    assert up == []


async def wait_for(release: trio.Event) -> None:
    await release.wait()


async def test_its_end_is_told_once_after_it_has_cancelled(node: Node) -> None:
    up: Log = []
    p, c = await Source.start(up), await Sink.start()
    subscription = await joined(c, p)
    release = trio.Event()
    p.cast(Begin(lambda _: wait_for(release)))
    subscription.cancel("x")
    kill(c)
    await wait_exit(c)
    release.set()
    await settled()
    assert ends(up) == [("over", "cancel", "x", "consumer")]


async def test_the_slowest_of_a_broadcast_frees_the_others_by_its_end(node: Node) -> None:
    """GS-59; and those who only subscribed before it, too."""
    log: Log = []
    up: Log = []
    p = await Source.start(up, 6, make=BroadcastDispatcher)
    slow = await Sink.start(None)
    await joined(slow, p, mode="manual")
    await joined(await Sink.start(log), p, max_demand=4)
    assert demands(up) == []
    kill(slow)
    await settled()
    assert (demands(up)[0], chunks(log)[0]) == (4, [0, 1])


async def test_a_thousand_consumers_of_one_producer(node: Node) -> None:
    got: list[int] = []
    p = await Source.start(None, 5000)
    stages = [await Sink.start(None, got.extend) for _ in range(1000)]
    for one in stages:
        await subscribe(one, p, max_demand=2)
    await settled()
    assert sorted(got) == list(range(5000))
    for one in stages:
        kill(one)
    await settled()
    (found,) = [one for one in snapshot().processes if one.pid == p.pid.number]
    assert found.facts["consumers"] == 0


async def test_a_thousand_consumers_that_end_with_their_producer(
    node: Node, events: list[Any]
) -> None:
    p = await Source.start()
    stages = [await Sink.start() for _ in range(1000)]
    for one in stages:
        await subscribe(one, p)
    kill(p)
    for one in stages:
        await wait_exit(one)
    assert {end_of(events, one.pid) for one in stages} == {KILLED}
