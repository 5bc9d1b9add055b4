"""A subscription as an object: what it says, and how it reaches the producer."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import trio

from runtime import Crashed, Node, NoNode, is_alive, kill, open_node, wait_exit
from runtime.current import find_process
from runtime.stages import BadSubscription, Subscription, SubscriptionOptions, subscribe
from runtime.stages.subscription import Asked, SubscribeAsked, refusal
from tests.runtime.staging import Do, Sink, Source, demands, ends, joined, settled


async def test_it_says_who_and_what(node: Node) -> None:
    source, sink = await Source.start(), await Sink.start()
    subscription = await joined(
        sink, source, max_demand=7, min_demand=2, cancel="temporary", partition=msgspec.UNSET
    )
    assert (subscription.producer, subscription.consumer) == (source.pid, sink.pid)
    assert (subscription.max_demand, subscription.min_demand) == (7, 2)
    assert subscription.cancel_mode == "temporary"
    assert subscription.options == SubscriptionOptions(7, 2, "temporary")
    assert repr(subscription) == f"<Subscription of {sink.pid!r} to {source.pid!r}>"


async def test_it_is_equal_only_to_itself(node: Node) -> None:
    source, sink = await Source.start(), await Sink.start()
    one, other = await joined(sink, source), await joined(sink, source)
    assert one != other
    assert one == one
    assert len({one, other}) == 2


async def test_the_same_object_is_on_both_sides(node: Node) -> None:
    seen: list[Subscription] = []

    class P(Source):
        def handle_subscribe(self, peer: Any, subscription: Subscription) -> None:
            seen.append(subscription)

    class C(Sink):
        def handle_subscribe(self, peer: Any, subscription: Subscription) -> None:
            seen.append(subscription)

    subscription = await joined(await C.start(), await P.start())
    assert [one is subscription for one in seen] == [True, True]


@pytest.mark.parametrize("count", [-1, True, 1.0, "2", None])
def test_what_cannot_be_asked_for(count: Any) -> None:
    subscription = Subscription(None, object(), SubscriptionOptions())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match=f"^count: got {count!r}, allowed is 0 or more$"):
        subscription.ask(count)


async def test_to_ask_for_nothing_is_no_message(node: Node) -> None:
    """GS-20."""
    log: list[Any] = []
    source = await Source.start(log)
    subscription = await joined(await Sink.start(), source, mode="manual")
    subscription.ask(0)
    await settled()
    assert demands(log) == []
    subscription.ask(2)
    subscription.ask(2**63)
    await settled()
    assert demands(log) == [2, 2**63]


@pytest.mark.parametrize("reason", [None, ValueError("x"), Crashed])
def test_a_reason_that_is_surely_a_slip(reason: Any) -> None:
    subscription = Subscription(None, object(), SubscriptionOptions())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with pytest.raises(TypeError, match=r"^reason: got "):
        subscription.cancel(reason)


async def test_nobody_is_told_when_the_producer_is_gone_or_never_was(node: Node) -> None:
    source, sink = await Source.start(), await Sink.start()
    subscription = await joined(sink, source, cancel="temporary")
    kill(source)
    await wait_exit(source)
    subscription.ask(5)
    subscription.cancel("late")
    nowhere = await joined(sink, source, cancel="temporary")
    nowhere.ask(5)
    nowhere.cancel("late")
    assert (is_alive(sink), nowhere.producer) == (True, source.pid)


async def test_it_can_be_asked_and_cancelled_from_anywhere_in_the_node(node: Node) -> None:
    log: list[Any] = []
    source, sink = await Source.start(log, 100), await Sink.start()
    subscription = await joined(sink, source, mode="manual", cancel="temporary")
    subscription.ask(1)
    await source.call(Do(lambda _: subscription.ask(2)))
    await sink.call(Do(lambda _: subscription.ask(3)))
    await settled()
    assert demands(log) == [1, 2, 3]
    await source.call(Do(lambda _: subscription.cancel("enough")))
    await settled()
    assert ends(log) == [("over", "cancel", "enough", "consumer")]


@pytest.mark.real_clock
async def test_a_thread_is_told_how(node: Node) -> None:
    source, sink = await Source.start(), await Sink.start()
    subscription = await joined(sink, source)
    with pytest.raises(NoNode, match=r"use trio.from_thread"):
        await trio.to_thread.run_sync(subscription.ask, 1)
    with pytest.raises(NoNode, match=r"use trio.from_thread"):
        await trio.to_thread.run_sync(subscription.cancel)
    await trio.to_thread.run_sync(trio.from_thread.run_sync, subscription.ask, 1)


def test_another_node_knows_nothing_of_it() -> None:
    made: list[Subscription] = []

    async def one() -> None:
        async with open_node():
            made.append(await subscribe(await Sink.start(), await Source.start()))

    async def other() -> None:
        async with open_node():
            source = await Source.start()
            made[0].ask(5)
            made[0].cancel("x")
            await settled()
            assert is_alive(source)

    trio.run(one)
    trio.run(other)
    with pytest.raises(NoNode):
        made[0].ask(5)


async def test_a_message_to_a_stranger_is_nobodys_fault(node: Node) -> None:
    """A consumer that is asked for events, as if it were a producer."""
    log: list[Any] = []
    sink, other = await Sink.start(log), await Sink.start()
    wrong = Subscription(sink.pid, other.pid, SubscriptionOptions())
    wrong.ask(5)
    wrong.cancel("x")
    await settled()
    assert (log, is_alive(sink)) == ([], True)


async def test_who_is_told_that_has_gone(node: Node) -> None:
    gone, sink = await Sink.start(), await Sink.start()
    lost = SubscribeAsked(Subscription(sink.pid, gone.pid, SubscriptionOptions()))
    process = find_process(sink)
    assert process is not None
    kill(gone)
    await wait_exit(gone)
    process.post_system(lost)
    await settled()
    assert is_alive(sink)


async def test_who_is_no_producer_says_what_it_is(node: Node) -> None:
    sink = await Sink.start()
    subscription = Subscription(sink.pid, sink.pid, SubscriptionOptions())
    message = refusal(subscription, sink.pid, "Sink")
    assert isinstance(message.reason, Crashed)
    assert isinstance(message.reason.exception, BadSubscription)
    assert str(message.reason.exception) == f"to: {sink.pid!r} runs Sink, which is no producer"
    assert Asked(subscription, 1).gone_astray(sink.pid, sink) is None  # type: ignore[func-returns-value]
