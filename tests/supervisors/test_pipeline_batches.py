"""Batches by size, key, partition, flush and time, told what time it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisors.pipeline.batches import Added, Batch, Batches, BatchInfo
from supervisors.pipeline.declaration import FULL, Batcher, Full, SizedBy
from supervisors.pipeline.message import AnyMessage, Message


def messages_of(text: str) -> list[Message[str]]:
    return [Message(letter) for letter in text]


def shown(batches: Sequence[Batch]) -> list[str]:
    """``abc size`` for each."""
    return [f"{text_of(one.messages)} {one.info.trigger}" for one in batches]


def text_of(messages: Sequence[AnyMessage]) -> str:
    return "".join(message.data for message in messages)


def test_a_full_batch_leaves_and_the_rest_waits_for_its_time() -> None:
    batches = Batches("sql", Batcher(size=3, timeout=60.0))
    assert shown(batches.add(messages_of("abcdefg"), 0.0).batches) == ["abc size", "def size"]
    assert (batches.held, batches.next_due) == (1, 60.0)
    assert batches.due(59.9) == []
    assert shown(batches.due(60.0)) == ["g timeout"]
    assert (batches.held, batches.next_due) == (0, None)


def test_the_time_begins_with_the_first_message_and_leaves_with_the_batch() -> None:
    batches = Batches("sql", Batcher(size=3, timeout=10.0))
    batches.add(messages_of("a"), 0.0)
    batches.add(messages_of("b"), 9.0)
    assert batches.next_due == 10.0
    assert shown(batches.add(messages_of("cd"), 9.5).batches) == ["abc size"]
    assert batches.next_due == 19.5
    assert batches.due(10.0) == []


def test_every_key_has_its_batch_its_count_and_its_time() -> None:
    batches = Batches("sql", Batcher(size=2, timeout=10.0))
    a, b, c, d, e = messages_of("abcde")
    first = [a.batch_by(1), b.batch_by(2), c.batch_by(2)]
    added = batches.add(first, 0.0)
    assert [one.info for one in added.batches] == [BatchInfo("sql", 2, None, 2, "size")]
    batches.add([d.batch_by(3)], 4.0)
    assert [batches.next_due, batches.held] == [10.0, 2]
    assert shown(batches.add([e.batch_by(1)], 5.0).batches) == ["ae size"]
    assert batches.next_due == 14.0
    assert [one.info for one in batches.due(14.0)] == [BatchInfo("sql", 3, None, 1, "timeout")]


def test_a_flush_takes_along_what_came_with_it() -> None:
    batches = Batches("sql", Batcher(size=100, timeout=60.0))
    a, b, c, d, e = messages_of("abcde")
    assert batches.add([a], 0.0) == Added([], [])
    group = [b.flush(), c.batch_by(1), d]
    assert shown(batches.add(group, 0.0).batches) == ["abd flush"]
    assert batches.held == 1
    assert shown(batches.add([e.batch_by(1).flush()], 0.0).batches) == ["ce flush"]


def test_a_flush_within_a_full_batch_does_not_flush_the_next_one() -> None:
    batches = Batches("sql", Batcher(size=2, timeout=60.0))
    a, b, c, d = messages_of("abcd")
    assert shown(batches.add([a.flush(), b, c], 0.0).batches) == ["ab size"]
    assert shown(batches.add([d.flush()], 0.0).batches) == ["cd size"]
    assert batches.held == 0


def test_at_the_end_all_that_is_left_is_flushed_the_oldest_first() -> None:
    batches = Batches("sql", Batcher(size=100))
    batches.add([message.batch_by(message.data) for message in messages_of("badab")], 0.0)
    assert shown(batches.flush()) == ["bb flush", "aa flush", "d flush"]
    assert batches.flush() == []
    assert (batches.held, batches.next_due) == (0, None)


def test_partitions_have_batches_of_their_own() -> None:
    by_letter = Batcher(size=2, concurrency=2, partition_by=lambda message: ord(message.data))
    batches = Batches("sql", by_letter)
    added = batches.add(messages_of("abdc"), 0.0)
    assert [(text_of(one.messages), one.info.partition) for one in added.batches] == [
        ("bd", 0),
        ("ac", 1),
    ]


def length_up_to_five(so_far: int, message: AnyMessage) -> int | Full:
    so_far += len(message.data)
    return FULL if so_far >= 5 else so_far


def test_the_size_may_be_the_users_own() -> None:
    batches = Batches("sql", Batcher(SizedBy(0, length_up_to_five), max_demand=9))
    words = ["aaa", "bb", "cccccc", "d", "e"]
    added = batches.add([Message(word) for word in words], 0.0)
    assert shown(added.batches) == ["aaabb size", "cccccc size"]
    assert shown(batches.flush()) == ["de flush"]


def test_a_size_of_the_users_own_counts_each_key_for_itself() -> None:
    batches = Batches("sql", Batcher(SizedBy(0, length_up_to_five), max_demand=9))
    one, two = Message("aaa").batch_by(1), Message("bb").batch_by(2)
    assert batches.add([one, two], 0.0).batches == []
    assert shown(batches.add([Message("cc").batch_by(1)], 0.0).batches) == ["aaacc size"]
    assert batches.held == 1


def test_a_message_at_which_the_users_function_raises_fails_alone() -> None:
    def step(so_far: int, message: AnyMessage) -> int | Full:
        return FULL if 6 // message.data == 2 else so_far

    batches = Batches("sql", Batcher(SizedBy(0, step), max_demand=9))
    added = batches.add([Message(0), Message(1), Message(0), Message(3)], 0.0)
    assert [[m.data for m in one.messages] for one in added.batches] == [[1, 3]]
    assert [type(message.failure) for message in added.failed] == [ZeroDivisionError] * 2
    assert (batches.held, batches.next_due) == (0, None)


@pytest.mark.parametrize("key", [{}, object()])
def test_a_partition_is_found_by_a_key_that_lasts(key: Any) -> None:
    batcher = Batcher(partition_by=lambda _: key)
    added = Batches("sql", batcher).add([Message("a")], 0.0)
    (failed,) = added.failed
    assert isinstance(failed.failure, TypeError)


def test_a_key_that_a_source_has_made_up_can_be_hashed_or_the_message_fails() -> None:
    batches = Batches("sql", Batcher())
    unhashable: Any = Message("a", batch_key=[])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    (failed,) = batches.add([unhashable, Message("b")], 0.0).failed
    assert isinstance(failed.failure, TypeError)
    assert batches.held == 1


steps = st.lists(
    st.tuples(
        st.floats(0, 3),
        st.lists(st.tuples(st.integers(0, 2), st.booleans(), st.integers(-1, 5)), max_size=8),
    ),
    max_size=30,
)


@given(st.integers(1, 5) | st.none(), st.integers(1, 3), st.booleans(), steps)
def test_every_message_leaves_once_in_order_and_in_time(
    size: int | None,
    concurrency: int,
    partitioned: bool,
    groups: list[tuple[float, list[tuple[int, bool, int]]]],
) -> None:
    def step(so_far: int, message: AnyMessage) -> int | Full:
        if message.data[1] < 0:
            raise ValueError
        so_far += message.data[1]
        return FULL if so_far > 6 else so_far

    def by(message: AnyMessage) -> int:
        if message.data[1] < 0:
            raise ValueError
        number: int = message.data[0]
        return number

    batcher = Batcher(
        size=SizedBy(0, step) if size is None else size,
        timeout=2.0,
        concurrency=concurrency,
        partition_by=by if partitioned else None,
    )
    batches = Batches("sql", batcher)
    now, number = 0.0, 0
    sent: list[AnyMessage] = []
    since: dict[AnyMessage, float] = {}
    left: list[Batch] = []
    failed: list[AnyMessage] = []

    def leave(ready: Sequence[Batch], trigger: set[str]) -> None:
        for one in ready:
            assert one.info.trigger in trigger
            assert one.info.size == len(one.messages) > 0
            assert now - since[one.messages[0]] <= 2.0 + 1e-9
            if one.info.trigger == "size" and size is not None:
                assert one.info.size == size
            if one.info.trigger == "flush":
                assert any(message.is_flush for message in one.messages)
        left.extend(ready)

    for later, group in groups:
        target = now + later
        while (due := batches.next_due) is not None and due <= target:
            now = due
            leave(batches.due(now), {"timeout"})
        now = target
        messages: list[AnyMessage] = []
        for key, flushes, weight in group:
            made = Message((number, weight)).batch_by(key)
            messages.append(made.flush() if flushes else made)
            number += 1
        since.update(dict.fromkeys(messages, now))
        sent += messages
        added = batches.add(messages, now)
        leave(added.batches, {"size", "flush"})
        failed += added.failed
        assert batches.held == len(sent) - len(failed) - sum(one.info.size for one in left)
    left.extend(batches.flush())
    assert (batches.held, batches.next_due, batches.flush()) == (0, None, [])

    gone = [message for one in left for message in one.messages]
    assert len(gone) == len(set(gone))
    assert {message.holding for message in gone + failed} == {m.holding for m in sent}
    assert len(gone) + len(failed) == len(sent)
    for one in left:
        assert {message.batch_key for message in one.messages} == {one.info.key}
        if partitioned:
            assert {by(message) % concurrency for message in one.messages} == {one.info.partition}
        else:
            assert one.info.partition is None
    for place in {(one.info.key, one.info.partition) for one in left}:
        numbers = [
            message.data[0]
            for one in left
            if (one.info.key, one.info.partition) == place
            for message in one.messages
        ]
        assert numbers == sorted(numbers)
