"""Each event to the one that wants most: rows GS-49 to GS-55, GS-113."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime import DemandUneven, Event, Instrument, Node, self_
from runtime.pid import Pid
from runtime.stages.demand_dispatcher import DemandDispatcher
from tests.runtime.subscriptions import Driven, subscription
from tests.support import in_process


def of(*names: str) -> Driven:
    return Driven(DemandDispatcher[int](), *names)


def test_all_go_to_the_largest_the_earlier_among_equals() -> None:
    """GS-49, GS-50: pending A3 B5 C5; push 4, then 20."""
    p = of("A", "B", "C")
    for name, count in (("A", 3), ("B", 5), ("C", 5)):
        p.ask(name, count)
    assert p.came() == [3, 5, 5]
    p.push(1, 2, 3, 4)
    assert p.came() == [("B", [1, 2, 3, 4])]
    p.push(*range(5, 25))
    assert p.came() == [("C", [5, 6, 7, 8, 9]), ("A", [10, 11, 12]), ("B", [13])]
    assert len(p.buffer) == 11
    assert p.dispatcher.demand == 0


def test_each_delivery_moves_the_receiver_behind_its_equals() -> None:
    """GS-51: three equal pendings, one event at a time: A, B, C, A, B, C ..."""
    p = of("A", "B", "C")
    for name in "ABC":
        p.ask(name, 3)
    assert p.came() == [3, 3, 3]
    for event in range(1, 10):
        p.push(event)
    assert p.came() == [(name, [event]) for event, name in enumerate("ABCABCABC", 1)]


def test_a_late_joiner_gets_nothing_until_it_wants_as_much() -> None:
    """GS-52: A10, B4, one event at a time: B gets its first when A has fallen to 4."""
    p = of("A", "B")
    p.ask("A", 10)
    p.ask("B", 4)
    p.came()
    for event in range(1, 9):
        p.push(event)
    assert p.came() == [(name, [event]) for event, name in enumerate("AAAAAABA", 1)]


def test_the_demand_of_one_that_is_gone_is_not_asked_for_again() -> None:
    """GS-53: A asked 4 and dies, 2 events are buffered; B asks 5, then 2."""
    p = of("A")
    p.ask("A", 4)
    p.leave("A")
    p.push(1, 2)
    assert p.came() == [4]
    p.join("B")
    p.ask("B", 5)
    assert p.came() == [("B", [1, 2]), 1]
    p.ask("B", 2)
    assert p.came() == [2]


def test_what_is_in_the_buffer_is_not_overtaken() -> None:
    """GS-113: as before, but B asks 3: GenStage keeps event 2 back, and 3 overtakes it."""
    p = of("A")
    p.ask("A", 4)
    p.leave("A")
    p.push(1, 2)
    p.join("B")
    p.came()
    p.ask("B", 3)
    assert p.came() == [("B", [1, 2])]
    p.push(3)
    assert p.came() == [("B", [3])]


def test_one_that_has_not_asked_gets_nothing() -> None:
    p = of("A", "B")
    p.ask("B", 1)
    p.push(1, 2)
    assert p.came() == [1, ("B", [1])]
    assert len(p.buffer) == 1


def test_nobody_is_there() -> None:
    p = of()
    p.push(1, 2)
    assert p.came() == []
    assert p.dispatcher.dispatch([]) == ([], [])
    assert (p.dispatcher.demand, len(p.buffer), p.dispatcher.queued) == (0, 2, 0)


def test_one_that_is_not_known_may_be_forgotten() -> None:
    p = of("A")
    p.ask("A", 2)
    p.dispatcher.cancel(subscription())
    assert p.dispatcher.demand == 2


def test_nothing_is_kept_so_an_info_may_go_at_once() -> None:
    dispatcher = DemandDispatcher[int]()
    assert dispatcher.mark("info")
    assert dispatcher.released() == ()


# ---------------------------------------------------------------------- consumers that differ


async def uneven(
    node: Node, dispatcher: DemandDispatcher[int], *asks: int
) -> list[tuple[int, int]]:
    """A consumer for each of these asks, each asks twice: what is told."""
    heard: list[Event] = []
    node.instruments.add(Instrument(heard.append, (DemandUneven,)))

    async def produce() -> list[Pid]:
        pids: list[Pid] = []
        for count in asks:
            consumer = subscription(producer=self_())
            pids.append(consumer.consumer)
            dispatcher.subscribe(consumer)
            dispatcher.ask(consumer, count)
            dispatcher.ask(consumer, count)
        return [self_(), *pids]

    producer, *pids = await in_process(produce)
    told = [event for event in heard if isinstance(event, DemandUneven)]
    assert {event.producer for event in told} <= {producer}
    return [(pids.index(event.consumer), event.expected) for event in told]


async def test_one_that_asks_for_more_than_the_first_is_told_of_once(node: Node) -> None:
    """GS-54: the largest is served first and starves the others; it still works."""
    dispatcher = DemandDispatcher[int]()
    assert await uneven(node, dispatcher, 10, 4, 10, 20) == [(3, 10)]
    assert dispatcher.demand == 88


async def test_what_is_expected_may_be_given(node: Node) -> None:
    assert await uneven(node, DemandDispatcher[int](max_demand=20), 10, 20, 21) == [(2, 20)]


async def test_without_a_producer_nobody_is_told() -> None:
    dispatcher = DemandDispatcher[int](max_demand=1)
    consumer = subscription()
    dispatcher.subscribe(consumer)
    assert dispatcher.ask(consumer, 2) == []


async def test_one_whose_producer_has_ended_is_not_told_of(node: Node) -> None:
    async def name() -> Pid:
        return self_()

    consumer = subscription(producer=await in_process(name))
    dispatcher = DemandDispatcher[int](max_demand=1)
    dispatcher.subscribe(consumer)
    assert dispatcher.ask(consumer, 2) == []
    assert dispatcher.demand == 2


@pytest.mark.parametrize("count", [0, -1, True, 1.5])
def test_an_expected_demand_that_is_none_is_refused(count: int) -> None:
    with pytest.raises(ValueError, match=r"^max_demand: got .*, allowed is 1 or more, or None$"):
        DemandDispatcher(max_demand=count)


# ---------------------------------------------------------------------- in random order, once


def firsts(seed: int) -> tuple[str, str]:
    """Who gets which of 8 events in the first round, and in the second."""
    names = "ABCDEFGH"
    p = Driven(DemandDispatcher[int](shuffle_first=True, random=Random(seed)), *names)
    for name in names:
        p.ask(name, 2)
    p.came()
    rounds: list[str] = []
    for _ in range(2):
        for event in range(8):
            p.push(event)
        rounds.append("".join(entry[0] for entry in p.came() if isinstance(entry, tuple)))
    return rounds[0], rounds[1]


def test_the_first_dispatch_is_in_random_order_and_no_other() -> None:
    """GS-55."""
    orders = [firsts(seed) for seed in range(10)]
    assert len(set(orders)) == 10
    for first, second in orders:
        assert sorted(first) == list("ABCDEFGH")
        assert second == first
    assert firsts(3) == firsts(3)


def test_only_those_that_want_as_many_are_shuffled() -> None:
    for seed in range(10):
        p = Driven(DemandDispatcher[int](shuffle_first=True, random=Random(seed)), "A", "B", "C")
        p.push(0)  # nobody wants it: the first is yet to come
        for name, count in (("A", 2), ("B", 2), ("C", 3)):
            p.ask(name, count)
        p.came()
        p.push(1, 2, 3, 4)
        first = p.came()
        assert first[0] == ("C", [1, 2, 3])
        assert first[1] in (("A", [4]), ("B", [4]))


def test_without_a_source_of_chance_it_takes_one() -> None:
    p = Driven(DemandDispatcher[int](shuffle_first=True), "A")
    p.ask("A", 1)
    p.push(1)
    assert p.came() == [1, ("A", [1])]


# ---------------------------------------------------------------------- whatever happens


steps = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.sampled_from("ABCD"), st.integers(1, 7)),
        st.tuples(st.just("push"), st.just(""), st.integers(0, 9)),
        st.tuples(st.just("join"), st.sampled_from("ABCD"), st.just(0)),
        st.tuples(st.just("leave"), st.sampled_from("ABCD"), st.just(0)),
    ),
    max_size=80,
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(steps)
def test_nothing_is_lost_doubled_or_overtaken(do: list[tuple[str, str, int]]) -> None:
    """Against the rule in its plainest form: one event at a time to the first of the largest."""
    p = of()
    wanting: dict[str, int] = {}
    waiting: list[str] = []  # in the order of asking and of getting
    pushed = 0
    got: list[int] = []
    for what, name, count in do:
        if what == "push":
            p.push(*range(pushed, pushed + count))
            pushed += count
        elif what == "join" and name not in wanting:
            p.join(name)
            wanting[name] = 0
            waiting.append(name)
        elif what == "leave" and name in wanting:
            p.leave(name)
            del wanting[name]
            waiting.remove(name)
        elif what == "ask" and name in wanting:
            p.ask(name, count)
            wanting[name] += count
            waiting.remove(name)
            waiting.append(name)
        for entry in p.came():
            if isinstance(entry, tuple):
                receiver, events = entry
                assert receiver == max(waiting, key=wanting.__getitem__)
                assert 0 < len(events) <= wanting[receiver]
                wanting[receiver] -= len(events)
                waiting.remove(receiver)
                waiting.append(receiver)
                got.extend(events)
        assert p.dispatcher.demand == sum(wanting.values())
        assert len(p.buffer) == 0 or p.dispatcher.demand == 0
        assert got == list(range(len(got)))
        assert len(got) + len(p.buffer) == pushed
