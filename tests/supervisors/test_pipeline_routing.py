"""Which processor gets which message, as dispatchers decide it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from runtime import Pid
from runtime.stages import DemandDispatcher, Dispatcher, PartitionDispatcher, SubscriptionOptions
from runtime.stages.subscription import Subscription
from runtime.stages.subscription_options import BadSubscription
from supervisors.pipeline.declaration import Processors
from supervisors.pipeline.message import AnyMessage, Message
from supervisors.pipeline.routing import dispatcher_of


def subscription(name: str, **options: Any) -> Subscription:
    return Subscription(None, Pid(1, name), SubscriptionOptions(**options))


def group_of(one: Subscription) -> str:
    return one.consumer.label


def data(deliveries: Any) -> list[tuple[str, list[object]]]:
    return [(one.consumer.label, [event.data for event in events]) for one, events in deliveries]


def messages(*items: object) -> list[AnyMessage]:
    return [Message(item) for item in items]


def made(**groups: Processors) -> Dispatcher[AnyMessage]:
    return dispatcher_of(groups, group_of)


def by(fn: Callable[[AnyMessage], Any], concurrency: int = 2) -> Processors:
    return Processors(concurrency=concurrency, max_demand=3, partition_by=fn)


def test_by_demand_unless_there_are_partitions() -> None:
    assert isinstance(made(default=Processors()), DemandDispatcher)
    assert isinstance(made(default=by(lambda one: one.data)), PartitionDispatcher)


def test_the_messages_of_a_partition_go_to_its_processor() -> None:
    """BW-57."""
    dispatcher = made(default=by(lambda one: one.data))
    even, odd = subscription("even", partition=0), subscription("odd", partition=1)
    for one in (even, odd):
        dispatcher.subscribe(one)
        dispatcher.ask(one, 3)
    deliveries, left = dispatcher.dispatch(messages(1, 2, 3, 4))
    assert data(deliveries) == [("even", [2, 4]), ("odd", [1, 3])]
    assert left == []


def test_a_message_for_which_partition_by_fails_goes_to_the_first_failed() -> None:
    def raising(message: AnyMessage) -> int:
        raise ValueError(message.data)

    dispatcher = made(default=by(raising))
    for index in range(2):
        one = subscription(str(index), partition=index)
        dispatcher.subscribe(one)
        dispatcher.ask(one, 3)
    deliveries, _ = dispatcher.dispatch(messages("a"))
    assert data(deliveries) == [("0", ["a"])]
    ((_, (message,)),) = deliveries
    assert isinstance(message.failure, ValueError)


def test_no_more_waits_for_one_partition_than_it_may_ask_for() -> None:
    dispatcher = made(default=by(lambda one: 0))
    first, second = subscription("0", partition=0), subscription("1", partition=1)
    dispatcher.subscribe(first)
    dispatcher.subscribe(second)
    dispatcher.ask(second, 3)
    deliveries, left = dispatcher.dispatch(messages(*range(9)))
    assert (data(deliveries), len(left)) == ([], 6)
    assert dispatcher.demand == 0


# ---------------------------------------------------------------------- several groups


def test_each_group_gets_every_message_and_the_most_modest_says_how_many() -> None:
    dispatcher = made(a=Processors(), b=Processors())
    a, b = subscription("a"), subscription("b")
    dispatcher.subscribe(a)
    dispatcher.ask(a, 5)
    assert dispatcher.demand == 0
    assert data(dispatcher.dispatch(messages(1))[0]) == [], "b is not there yet"
    dispatcher.subscribe(b)
    dispatcher.ask(b, 2)
    assert dispatcher.demand == 2
    deliveries, left = dispatcher.dispatch(messages(1, 2, 3))
    assert data(deliveries) == [("a", [1, 2]), ("b", [1, 2])]
    assert [one.data for one in left] == [3]
    dispatcher.cancel(b)
    dispatcher.cancel(b)
    dispatcher.ask(a, 5)
    assert dispatcher.demand == 0


def test_the_lists_are_the_groups_own() -> None:
    dispatcher = made(a=Processors(), b=Processors())
    for name in "ab":
        one = subscription(name)
        dispatcher.subscribe(one)
        dispatcher.ask(one, 2)
    (_, first), (_, second) = dispatcher.dispatch(messages(1))[0]
    assert first is not second


def test_a_stranger_is_refused() -> None:
    dispatcher = made(a=Processors(), b=Processors())
    with pytest.raises(BadSubscription, match="serve only those"):
        dispatcher.subscribe(subscription("c"))


def test_an_info_waits_until_every_group_has_passed_it() -> None:
    dispatcher = made(a=by(lambda one: one.data), b=by(lambda one: one.data))
    of = {(name, index): subscription(name, partition=index) for name in "ab" for index in range(2)}
    for one in of.values():
        dispatcher.subscribe(one)
    for name in "ab":
        dispatcher.ask(of[name, 1], 2)
    assert dispatcher.mark("nothing is queued")
    dispatcher.dispatch(messages(0, 0))
    assert dispatcher.queued == 4
    assert not dispatcher.mark("behind")
    dispatcher.ask(of["a", 0], 2)
    assert dispatcher.released() == []
    dispatcher.ask(of["b", 0], 2)
    assert dispatcher.released() == ["behind"]
    assert dispatcher.queued == 0
