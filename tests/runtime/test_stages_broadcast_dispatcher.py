"""Each event to every consumer: rows GS-56 to GS-67, GS-112."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.pid import Pid
from runtime.stages.broadcast_dispatcher import BroadcastDispatcher
from runtime.stages.subscription import Subscription
from runtime.stages.subscription_options import (
    AlreadySubscribed,
    BadSubscription,
    SubscriptionOptions,
)
from tests.runtime.subscriptions import Driven, subscription


def of(*names: str) -> Driven:
    return Driven(BroadcastDispatcher[int](), *names)


def is_even(event: int) -> bool:
    return event % 2 == 0


def test_only_the_least_is_asked_for_and_only_what_is_new() -> None:
    """GS-56, GS-57: A asks 10, B asks 4, B asks 3; then 9 are pushed."""
    p = of("A", "B")
    p.ask("A", 10)
    assert p.came() == []
    p.ask("B", 4)
    assert p.came() == [4]
    p.ask("B", 3)
    assert p.came() == [3]
    p.push(*range(1, 10))
    assert p.came() == [("A", [1, 2, 3, 4, 5, 6, 7]), ("B", [1, 2, 3, 4, 5, 6, 7])]
    assert len(p.buffer) == 2


def test_one_that_never_asks_holds_up_all_until_it_is_gone() -> None:
    """GS-58, GS-59."""
    p = of("A", "B", "silent")
    p.ask("A", 3)
    p.ask("B", 2)
    p.push(1)
    assert p.came() == []
    p.leave("silent")
    assert p.came() == [("A", [1]), ("B", [1]), 1]


def test_a_newcomer_gets_what_leaves_from_then_on() -> None:
    """GS-60: A takes the first window alone."""
    p = of("A")
    p.ask("A", 4)
    p.push(1, 2, 3, 4)
    p.join("B")
    p.ask("A", 4)
    p.ask("B", 4)
    p.push(5, 6, 7, 8)
    assert p.came() == [4, ("A", [1, 2, 3, 4]), 4, ("A", [5, 6, 7, 8]), ("B", [5, 6, 7, 8])]


def test_both_that_are_there_from_the_start_see_every_event() -> None:
    """GS-61, once the producer goes on."""
    p = of("A", "B")
    p.ask("A", 4)
    p.ask("B", 2)
    p.push(1, 2)
    assert p.came() == [2, ("A", [1, 2]), ("B", [1, 2])]


def test_rejected_events_use_up_nothing() -> None:
    """GS-62: A takes even ones only; it neither starves nor blocks B, and may get singles."""
    p = of("B")
    p.join("A", selector=is_even)
    p.ask("A", 4)
    p.ask("B", 4)
    p.push(1, 2, 3, 4)
    assert p.came() == [4, ("B", [1, 2, 3, 4]), ("A", [2, 4])]
    p.ask("B", 4)
    p.push(5, 6)
    assert p.came() == [2, ("B", [5, 6]), ("A", [6]), 1]
    p.push(7)
    assert p.came() == [("B", [7]), ("A", []), 1]
    p.push(8)
    assert p.came() == [("B", [8]), ("A", [8])]


def test_what_is_rejected_leaves_room_for_more_of_the_same_push() -> None:
    p = of()
    p.join("A", selector=is_even)
    p.ask("A", 2)
    p.push(1, 2, 3, 4, 5, 6)
    assert p.came() == [2, ("A", [2, 4])]
    assert len(p.buffer) == 2


def test_one_that_rejects_all_is_given_an_empty_list() -> None:
    """GS-63."""
    p = of("B")
    p.join("A", selector=is_even)
    p.ask("A", 3)
    p.ask("B", 3)
    p.push(1, 3)
    assert p.came() == [3, ("B", [1, 3]), ("A", [])]


def test_a_truth_is_as_good_as_true() -> None:
    p = of()
    p.join("A", selector=lambda event: event % 2)
    p.ask("A", 4)
    p.push(1, 2, 3)
    assert p.came() == [4, ("A", [1, 3]), 1]


def test_a_selector_that_raises_changes_nothing() -> None:
    def odd_or_error(event: int) -> bool:
        return 1 / event > 0

    p = of("B")
    p.join("A", selector=odd_or_error)
    p.ask("A", 4)
    p.ask("B", 3)
    with pytest.raises(ZeroDivisionError):
        p.dispatcher.dispatch([2, 1, 0])
    assert p.dispatcher.demand == 3


def test_a_process_that_subscribes_twice_is_refused() -> None:
    """GS-64: events arrive once, and it lives."""
    dispatcher = BroadcastDispatcher[int]()
    consumer, producer = Pid(1, "C"), Pid(2, "P")
    first = Subscription(producer, consumer, SubscriptionOptions())
    dispatcher.subscribe(first)
    told = "already subscribed: <Pid 1 C> gets every event of <Pid 2 P> once"
    with pytest.raises(AlreadySubscribed, match=f"^{re.escape(told)}$") as caught:
        dispatcher.subscribe(Subscription(producer, consumer, SubscriptionOptions()))
    assert isinstance(caught.value, BadSubscription)
    dispatcher.ask(first, 1)
    assert dispatcher.dispatch([1]) == ([(first, [1])], [])
    dispatcher.cancel(first)
    dispatcher.subscribe(Subscription(producer, consumer, SubscriptionOptions()))


def test_what_nobody_was_there_for_goes_to_the_first_that_asks() -> None:
    """GS-65: a later one misses it."""
    p = of()
    p.push(1, 2)
    p.join("A")
    p.ask("A", 3)
    p.join("B")
    p.ask("B", 3)
    assert p.came() == [("A", [1, 2]), 1]


def test_two_windows_are_one_ask_of_the_smaller() -> None:
    """GS-66: 10/0 and 20/0."""
    p = of("A", "B")
    p.ask("A", 10)
    p.ask("B", 20)
    assert p.came() == [10]


def test_a_newcomer_does_not_lock_up_the_buffer() -> None:
    """GS-67, GS-112: GenStage keeps 1..3 back until more than 10 are asked for, and 4, 5
    overtake them."""
    p = of("A")
    p.ask("A", 10)
    p.join("B")
    p.push(1, 2, 3)
    assert p.came() == [10]
    p.ask("B", 2)
    assert p.came() == [("A", [1, 2]), ("B", [1, 2])]
    p.ask("B", 12)
    assert p.came() == [("A", [3]), ("B", [3])]
    p.push(4, 5)
    assert p.came() == [("A", [4, 5]), ("B", [4, 5])]


def test_each_gets_a_list_of_its_own() -> None:
    p = of("A", "B")
    p.ask("A", 2)
    p.ask("B", 2)
    deliveries, _ = p.dispatcher.dispatch([1, 2])
    first, second = (events for _, events in deliveries)
    assert first == second
    assert first is not second


def test_one_that_is_not_known_may_be_forgotten() -> None:
    p = of("A")
    p.ask("A", 2)
    p.dispatcher.cancel(subscription())
    assert p.dispatcher.demand == 2


def test_without_consumers_nothing_is_wanted() -> None:
    p = of("A")
    p.ask("A", 2)
    p.leave("A")
    assert p.dispatcher.demand == 0
    assert p.dispatcher.dispatch([1]) == ([], [1])
    assert p.dispatcher.dispatch([]) == ([], [])
    assert p.dispatcher.mark("info")


SELECTORS: dict[str, Any] = {"A": None, "B": None, "C": is_even, "D": lambda event: event % 3 == 0}

steps = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.sampled_from("ABCD"), st.integers(1, 9)),
        st.tuples(st.just("push"), st.just(""), st.integers(0, 9)),
        st.tuples(st.just("join"), st.sampled_from("ABCD"), st.just(0)),
        st.tuples(st.just("leave"), st.sampled_from("ABCD"), st.just(0)),
    ),
    max_size=80,
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(steps)
def test_every_consumer_gets_every_event_it_wants_while_it_is_there(
    do: list[tuple[str, str, int]],
) -> None:
    """Against one counter of events that have left, and what each has been given since it came."""
    p = of()
    pending: dict[str, int] = {}
    since: dict[str, int] = {}
    got: dict[str, list[int]] = {}
    pushed = 0
    for what, name, count in do:
        if what == "push":
            p.push(*range(pushed, pushed + count))
            pushed += count
        elif what == "join" and name not in pending:
            pending[name], since[name], got[name] = 0, pushed - len(p.buffer), []
            p.join(name, selector=SELECTORS[name])
        elif what == "leave" and name in pending:
            del pending[name]
            p.leave(name)
        elif what == "ask" and name in pending:
            pending[name] += count
            p.ask(name, count)
        for entry in p.came():
            if isinstance(entry, tuple):
                receiver, events = entry
                pending[receiver] -= len(events)
                got[receiver] += events
        left = pushed - len(p.buffer)
        for name, wanted in pending.items():
            assert wanted >= 0
            selector = SELECTORS[name] or (lambda event: True)
            assert got[name] == [event for event in range(since[name], left) if selector(event)]
        assert p.dispatcher.demand == min(pending.values(), default=0)
        assert len(p.buffer) == 0 or p.dispatcher.demand == 0
