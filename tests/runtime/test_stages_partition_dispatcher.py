"""Each event to the consumer of its partition: rows GS-68 to GS-77."""

from __future__ import annotations

import re
from typing import Any

import pytest

from runtime.keys import stable_hash
from runtime.stages.partition_dispatcher import (
    NO_PARTITION,
    PartitionDispatcher,
    Routed,
    partition_of,
)
from runtime.stages.subscription_options import BadSubscription
from tests.runtime.subscriptions import Driven, subscription


def of(partitions: Any, **options: Any) -> Driven:
    """A consumer for each partition, called by its name."""
    p = Driven(PartitionDispatcher[int](partitions, **options))
    for partition in range(partitions) if isinstance(partitions, int) else partitions:
        p.join(str(partition), partition=partition)
    return p


def test_order_is_kept_inside_a_partition_and_each_gets_one_message() -> None:
    """GS-68: two by parity; push 1..8."""
    p = of(2)
    p.ask("0", 4)
    p.ask("1", 4)
    p.push(*range(1, 9))
    assert p.came() == [4, 4, ("0", [2, 4, 6, 8]), ("1", [1, 3, 5, 7])]


def test_the_hash_may_change_an_event_or_drop_it() -> None:
    """GS-69: push 1..9; multiples of 3 are nobody's. They are asked for again."""

    def place(event: int) -> Any:
        if event % 3 == 0:
            return NO_PARTITION
        return Routed(event * 10, "even" if event % 2 == 0 else "odd")

    p = of(["even", "odd"], hash=place)
    p.ask("even", 10)
    p.ask("odd", 10)
    p.push(*range(1, 10))
    assert p.came() == [10, 10, ("even", [20, 40, 80]), ("odd", [10, 50, 70]), 3]


def test_a_skew_fills_the_queue_of_one_and_is_seen() -> None:
    """GS-70: every fourth is for the cold one; the hot one gets its own as it asks for them."""
    p = of(2, hash=lambda event: int(event % 4 == 3))
    p.ask("0", 2)
    p.push(0, 1)
    p.ask("1", 4)
    p.push(2, 3, 4, 5)
    p.ask("1", 4)
    p.push(6, 7, 8, 9)
    assert p.came() == [2, ("0", [0, 1]), 4, ("1", [3]), 4, ("1", [7])]
    assert p.dispatcher.queued == 6
    p.ask("0", 3)
    p.push(10, 11, 12)
    assert p.came() == [("0", [2, 4, 5]), 3, ("1", [11])]
    assert p.dispatcher.queued == 5
    assert p.dispatcher.demand == 0


def test_what_has_no_partition_is_asked_for_again() -> None:
    """GS-71: half of them have none, 10/5; in GenStage the consumer starves in the end."""
    p = of(1, hash=lambda event: NO_PARTITION if event % 2 else 0)
    p.ask("0", 10)
    made = got = 0
    while got < 10:
        for entry in p.came():
            if isinstance(entry, int):
                p.push(*range(made, made + entry))
                made += entry
            else:
                assert isinstance(entry, tuple)
                got += len(entry[1])
    assert (made, got) == (19, 10)
    assert p.dispatcher.demand == 0


def test_what_a_missing_consumer_is_to_get_waits_for_it() -> None:
    """GS-72: only partition 0 is there, and asks 4."""
    p = Driven(PartitionDispatcher[int](2))
    p.join("0", partition=0)
    p.ask("0", 4)
    p.push(0, 1, 2, 3)
    assert p.came() == [4, ("0", [0, 2])]
    p.join("1", partition=1)
    p.ask("1", 2)
    assert p.came() == [("1", [1, 3]), 2]
    p.push(4, 5)
    assert p.came() == [("0", [4])]


def test_the_queue_of_a_dead_consumer_waits_for_its_successor() -> None:
    """GS-73: in GenStage the 3 are dropped, and 3 others are asked for."""
    p = of(2)
    p.ask("0", 6)
    p.push(*range(6))
    p.leave("1")
    assert p.came() == [6, ("0", [0, 2, 4])]
    assert p.dispatcher.queued == 3
    p.join("1b", partition=1)
    p.ask("1b", 2)
    assert p.came() == [("1b", [1, 3]), 2]
    p.ask("1b", 2)
    assert p.came() == [("1b", [5]), 2]


def test_what_waits_counts_for_whoever_asks_next() -> None:
    """All that has been asked for is made; the demand is never below 0."""
    p = of(2)
    p.ask("0", 6)
    p.push(1, 3, 5)
    p.leave("0")
    p.came()
    assert p.dispatcher.demand == 0
    p.join("0b", partition=0)
    p.ask("0b", 5)
    assert p.dispatcher.demand == 2


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "partition: not given, allowed are 'a', 1"),
        ({"partition": 7}, "partition: got 7, allowed are 'a', 1"),
        ({"partition": []}, "partition: got [], allowed are 'a', 1"),
        ({"partition": "a"}, "partition: 'a' is taken by <Pid 0 A>"),
    ],
)
def test_a_partition_that_is_missing_unknown_or_taken_is_refused(
    options: dict[str, Any], told: str
) -> None:
    """GS-74: in GenStage the producer crashes."""
    p = Driven(PartitionDispatcher[int](["a", 1], hash=lambda event: "a"))
    p.join("A", partition="a")
    p.consumers["A"].consumer.number = 0
    p.ask("A", 2)
    with pytest.raises(BadSubscription, match=f"^{re.escape(told)}$"):
        p.dispatcher.subscribe(subscription(**options))
    p.push(1)
    assert p.came() == [2, ("A", [1])]
    p.leave("A")
    p.join("A", partition="a")


@pytest.mark.parametrize("wrong", [9, None, []])
def test_a_partition_that_the_hash_makes_up(wrong: Any) -> None:
    """GS-75: the producer crashes, of an error that says why."""
    p = of([0, 1], hash=lambda event: wrong if event == 3 else 0)
    p.ask("0", 5)
    told = f"hash: got {wrong!r} for the event 3, allowed are 0, 1, and NO_PARTITION"
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        p.push(1, 2, 3)
    assert p.dispatcher.demand == 5, "nothing has changed"


def test_names_need_a_hash() -> None:
    """GS-76."""
    told = (
        "hash: not given, but the partitions are 'a', 'b'; allowed is to leave it out for "
        "partitions=2 only"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        PartitionDispatcher(["a", "b"])
    p = of([0, 1])
    p.ask("1", 1)
    p.push(1)
    assert p.came() == [1, ("1", [1])]


def test_an_info_comes_when_all_queues_have_passed_that_point() -> None:
    """GS-77."""
    p = of(3)
    p.ask("2", 4)
    p.push(0, 1, 3, 6)
    assert p.came() == [4]
    p.info("one")
    p.info("two")
    p.ask("0", 3)
    assert p.came() == [("0", [0, 3, 6]), 3]
    p.push(9, 12, 4)
    p.info("three")
    assert p.came() == []
    p.ask("1", 1)
    assert p.came() == [("1", [1]), "one", "two", 1]
    p.ask("1", 1)
    p.ask("0", 1)
    assert p.came() == [("1", [4]), 1, ("0", [9]), 1]
    p.ask("0", 1)
    assert p.came() == [("0", [12]), "three", 1]


def test_an_info_goes_at_once_when_nothing_waits() -> None:
    p = of(1)
    p.info("now")
    assert p.came() == ["now"]


def test_an_info_does_not_overtake_one_that_has_yet_to_be_fetched() -> None:
    dispatcher = PartitionDispatcher[int](2)
    zero, one = (subscription(partition=number) for number in range(2))
    dispatcher.subscribe(zero)
    dispatcher.subscribe(one)
    dispatcher.ask(one, 1)
    dispatcher.dispatch([2])
    assert not dispatcher.mark("first")
    assert dispatcher.ask(zero, 1) == [(zero, [2])]
    assert not dispatcher.mark("second")
    assert dispatcher.released() == ["first", "second"]
    assert dispatcher.released() == []
    assert dispatcher.mark("third")


def test_an_info_waits_for_the_successor_of_a_dead_consumer() -> None:
    p = of(2)
    p.ask("0", 1)
    p.push(1)
    p.info("info")
    p.leave("1")
    p.join("1", partition=1)
    assert p.came() == [1]
    p.ask("1", 1)
    assert p.came() == [("1", [1]), "info", 1]


# ---------------------------------------------------------------------- the longest queue


def test_no_queue_is_longer_than_allowed() -> None:
    p = of(2, max_queued=3)
    p.ask("1", 10)
    assert p.came() == [3], "they may all be for the other"
    p.push(0, 1, 2)
    assert p.came() == [("1", [1]), 1]
    p.push(4)
    assert p.came() == []
    assert (p.dispatcher.queued, p.dispatcher.demand) == (3, 0)
    p.push(6, 3)
    assert len(p.buffer) == 2
    p.ask("0", 2)
    assert p.came() == [("0", [0, 2]), ("1", [3]), 1]
    assert (p.dispatcher.queued, len(p.buffer)) == (2, 0)


def test_no_limit_is_felt_while_both_keep_up() -> None:
    p = of(2, max_queued=2)
    p.ask("0", 4)
    assert p.came() == [2]
    p.ask("1", 4)
    assert p.came() == [4]
    p.push(0, 1, 2, 3, 4, 5, 6, 7)
    assert p.came() == [("0", [0, 2, 4, 6]), ("1", [1, 3, 5, 7])]


# ---------------------------------------------------------------------- what it is made of


def test_the_partition_of_a_key_is_that_of_a_partition_supervisor() -> None:
    assert [partition_of(key, 3) for key in (0, 1, -4, 5)] == [0, 1, 1, 2]
    for key in ("a", b"a", True, None, 1.5, ("a", 1)):
        assert partition_of(key, 3) == stable_hash(key) % 3
    with pytest.raises(TypeError, match=r"^key: got "):
        partition_of(frozenset(), 3)


@pytest.mark.parametrize("wrong", [0, -1, True, "ab", None, [], [1, 1], [1, True], [NO_PARTITION]])
def test_partitions_that_are_none_are_refused(wrong: Any) -> None:
    told = f"partitions: got {wrong!r}, allowed is how many, 1 or more, or their names, each once"
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        PartitionDispatcher(wrong)


@pytest.mark.parametrize("wrong", [0, -1, 1.5])
def test_a_longest_queue_that_is_none_is_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"^max_queued: got .*, allowed is 1 or more, or None$"):
        PartitionDispatcher(1, max_queued=wrong)


def test_one_that_is_not_known_may_be_forgotten() -> None:
    p = of(1)
    p.ask("0", 2)
    p.dispatcher.cancel(subscription(partition=0))
    assert p.dispatcher.demand == 2


def test_nobody_is_there() -> None:
    p = Driven(PartitionDispatcher[int](2))
    p.push(1, 2)
    assert p.came() == []
    assert (len(p.buffer), p.dispatcher.queued, p.dispatcher.demand) == (2, 0, 0)
    assert p.dispatcher.dispatch([]) == ([], [])
