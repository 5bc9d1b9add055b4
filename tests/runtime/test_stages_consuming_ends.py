"""The ends of subscriptions, what they are to the consumer; to subscribe anew: GS-78 to GS-87."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from runtime import (
    Crashed,
    Node,
    NoProcess,
    Stop,
    is_alive,
    kill,
    ref,
    self_,
    wait_exit,
)
from runtime.exits import KILLED, NORMAL, Normal, Shutdown
from runtime.stages import (
    AlreadySubscribed,
    BadSubscription,
    BroadcastDispatcher,
    DemandDispatcher,
    PartitionDispatcher,
    Subscription,
    SubscriptionEnded,
    resubscribe,
)
from runtime.stages.consuming import ends_consumer
from runtime.stages.subscription import Peer
from tests.runtime.staging import (
    KINDS,
    AsyncSink,
    Begin,
    Log,
    Middle,
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

# ---------------------------------------------------------------------- ends


@pytest.mark.parametrize("kinds", KINDS)
@pytest.mark.parametrize("reason", [NORMAL, Shutdown(), Shutdown("x"), "boom"])
@pytest.mark.parametrize(
    ("cancel", "ended"),
    [("permanent", (True, True)), ("transient", (False, True)), ("temporary", (False, False))],
)
async def test_the_end_of_a_subscription(
    node: Node,
    events: list[Any],
    kinds: Any,
    reason: Any,
    cancel: Any,
    ended: tuple[bool, bool],
) -> None:
    """GS-78 to GS-80, GS-82: first the producer, then the consumer, then its end."""
    producer, _, consumer = kinds
    log: Log = []
    p, c = await producer.start(log), await consumer.start(log)
    subscription = await joined(c, p, cancel=cancel)
    subscription.cancel(reason)
    await settled()
    over = [("over", "cancel", reason, "consumer"), ("over", "cancel", reason, "producer")]
    dies = ended[reason == "boom"]
    assert ends(log) == ([*over, ("end", reason)] if dies else over)
    assert is_alive(c) == (not dies)
    if dies:
        assert end_of(events, c.pid) == reason


@pytest.mark.parametrize("kinds", KINDS)
@pytest.mark.parametrize("reason", [NORMAL, Shutdown(), "boom", KILLED])
@pytest.mark.parametrize(
    ("cancel", "ended"),
    [("permanent", (True, True)), ("transient", (False, True)), ("temporary", (False, False))],
)
async def test_the_end_of_its_producer(
    node: Node,
    kinds: Any,
    reason: Any,
    cancel: Any,
    ended: tuple[bool, bool],
) -> None:
    """GS-81."""
    producer, _, consumer = kinds
    log: Log = []
    p, c = await producer.start(), await consumer.start(log)
    await joined(c, p, cancel=cancel)
    if reason is KILLED:
        kill(p)
    else:
        await p.stop(reason)
    await wait_exit(p)
    await settled()
    dies = ended[reason in ("boom", KILLED)]
    over = [("over", "down", reason, "producer")]
    assert ends(log) == ([*over, ("end", reason)] if dies else over)


def test_what_ends_a_consumer() -> None:
    refused = Crashed(AlreadySubscribed("x"))
    for mode in ("permanent", "transient", "temporary"):
        assert ends_consumer(mode, refused) is False
    assert ends_consumer("transient", Normal()) is False
    assert ends_consumer("transient", Crashed(BadSubscription("x"))) is True


@pytest.mark.parametrize("cancel", ["permanent", "transient", "temporary"])
async def test_who_is_subscribed_already_lives_on(node: Node, cancel: Any) -> None:
    """GS-64."""
    log: Log = []
    p, c = await Source.start(None, 0, make=BroadcastDispatcher), await Sink.start(log)
    await joined(c, p, cancel=cancel)
    await joined(c, p, cancel=cancel)
    ((_, how, reason, _),) = ends(log)
    assert (how, type(reason.exception)) == ("cancel", AlreadySubscribed)
    await emitted(p, 1)
    assert chunks(log) == [[1]]


async def test_what_is_refused_ends_the_consumer_alone(node: Node, events: list[Any]) -> None:
    """GS-74, mended."""
    p = await Source.start(make=lambda: PartitionDispatcher(2))
    c = await Sink.start()
    await joined(c, p, partition=5)
    reason = end_of(events, c.pid)
    assert isinstance(reason, Crashed)
    assert isinstance(reason.exception, BadSubscription)
    assert reason.exception.__traceback__ is None
    assert is_alive(p)


async def test_to_cancel_twice_and_from_three_places(node: Node) -> None:
    log: Log = []
    up: Log = []
    p, c = await Source.start(up), await Sink.start(log)
    subscription = await joined(c, p, cancel="temporary")
    subscription.cancel("here")
    p.cast(Begin(lambda _: subscription.cancel("there")))
    c.cast(Begin(lambda _: subscription.cancel("everywhere")))
    subscription.cancel("again")
    await settled()
    assert ends(up) == [("over", "cancel", "here", "consumer")]
    assert ends(log) == [("over", "cancel", "here", "producer")]
    subscription.ask(3)
    await settled()
    assert (demands(up), len(ends(log))) == ([1000], 1)


async def test_cancelled_while_its_producer_dies(node: Node) -> None:
    log: Log = []
    p, c = await Source.start(), await Sink.start(log)
    subscription = await joined(c, p, cancel="temporary")
    subscription.cancel("x")
    kill(p)
    await wait_exit(p)
    await settled()
    assert len(ends(log)) == 1
    assert is_alive(c)


class Again(Sink):
    """Subscribes anew when a subscription has ended, so many times."""

    times: ClassVar[int] = 3

    def handle_cancel(self, subscription: Subscription, end: SubscriptionEnded) -> None:
        super().handle_cancel(subscription, end)
        if len(ends(self.log)) <= self.times:
            assert subscription.producer is not None
            self.subscribe(ref(subscription.producer), cancel="temporary", max_demand=2)


async def test_subscribe_in_handle_cancel(node: Node) -> None:
    log: Log = []
    up: Log = []
    p, c = await Source.start(up, 4), await Again.start(log)
    subscription = await joined(c, p, cancel="temporary", max_demand=2)
    subscription.cancel("x")
    await settled()
    assert [one for one in up if not isinstance(one, int)] == [
        ("subscribed", "consumer"), ("over", "cancel", "x", "consumer"), ("subscribed", "consumer"),
    ]  # fmt: skip
    await emitted(p, "more")
    assert chunks(log)[-1] == ["more"]
    kill(p)
    await settled()
    assert [one[1:3] for one in ends(log)] == [
        ("cancel", "x"), ("down", KILLED), ("down", NoProcess()), ("down", NoProcess()),
    ]  # fmt: skip
    assert is_alive(c)


@pytest.mark.parametrize("kind", [Sink, AsyncSink])
async def test_stop_from_handle_cancel_counts_more_than_the_mode(
    node: Node, events: list[Any], kind: Any
) -> None:
    class Leaving(kind):  # type: ignore[misc]
        def handle_cancel(self, subscription: Subscription, end: SubscriptionEnded) -> Stop:
            return Stop("mine")

    p = await Source.start()
    for cancel in ("permanent", "temporary"):
        c = await Leaving.start()
        (await joined(c, p, cancel=cancel)).cancel("theirs")
        await settled()
        assert end_of(events, c.pid) == "mine"


# ---------------------------------------------------------------------- resubscribing


@pytest.mark.parametrize("kinds", KINDS)
@pytest.mark.parametrize(
    ("make", "options"),
    [
        (DemandDispatcher, {}),
        (BroadcastDispatcher, {}),
        (lambda: PartitionDispatcher([0]), {"partition": 0}),
    ],
)
async def test_to_subscribe_anew_where_only_one_may_be(
    node: Node, kinds: Any, make: Any, options: dict[str, Any]
) -> None:
    """The earlier one is cancelled first, so that its place is free."""
    producer, _, consumer = kinds
    log: Log = []
    p, c = await producer.start(None, 0, make=make), await consumer.start(log)
    first = await joined(c, p, cancel="temporary", **options)
    second = await resubscribe(first, p, "changed", cancel="temporary", **options)
    await settled()
    assert second is not first
    assert ends(log) == [("over", "cancel", "changed", "producer")]
    await emitted(p, 1)
    assert chunks(log) == [[1]]


async def test_what_has_ended_is_not_subscribed_anew(node: Node) -> None:
    p, c = await Source.start(), await Sink.start()
    first = await joined(c, p, cancel="temporary")
    first.cancel()
    await settled()
    with pytest.raises(BadSubscription, match=r"^earlier: got <Subscription .*, which has ended$"):
        await resubscribe(first, p)
    assert is_alive(c)


async def test_a_wrong_address_cancels_nothing(node: Node) -> None:
    log: Log = []
    p, b = await Source.start(), await Middle.start(log)
    first = await joined(b, p)
    with pytest.raises(BadSubscription, match="which is this stage itself"):
        await resubscribe(first, b)
    with pytest.raises(TypeError, match=r"^reason: got None"):
        await resubscribe(first, p, None)
    await settled()
    assert (ends(log), is_alive(b)) == ([], True)


async def test_the_peer_is_who_is_at_the_other_end(node: Node) -> None:
    seen: list[tuple[str, Peer]] = []

    class Both(Middle):
        def handle_subscribe(self, peer: Peer, subscription: Subscription) -> None:
            mine = subscription.consumer == self.pid  # type: ignore[attr-defined]
            seen.append(("mine" if mine else "theirs", peer))

    class WithPid(Both):
        def init(self) -> None:
            self.pid = self_()

    p, b, c = await Source.start(), await WithPid.start(), await Sink.start()
    await joined(b, p)
    await joined(c, b)
    assert seen == [("mine", "producer"), ("theirs", "consumer")]
