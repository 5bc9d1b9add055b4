"""What a producer keeps that nobody has asked for: rows GS-22 to GS-34 as far as it decides."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.stages.event_buffer import EventBuffer, Keep


def all_of(buffer: EventBuffer[int]) -> list[int]:
    events, _ = buffer.take(len(buffer))
    return events


def test_what_is_missing_after_a_take_is_seen_by_its_length() -> None:
    """GS-22, GS-23: the buffer holds 7; two are taken at a time, oldest first."""
    buffer = EventBuffer[int](None)
    assert buffer.put([5, 6, 7, 8, 9, 10, 11]) == (0, [])
    assert len(buffer) == 7
    taken = [buffer.take(2) for _ in range(4)]
    assert taken == [([5, 6], []), ([7, 8], []), ([9, 10], []), ([11], [])]
    assert len(buffer) == 0
    assert buffer.take(2) == ([], [])


def test_keep_last_discards_the_oldest() -> None:
    """GS-25: buffer 5; push 1..5, then 6..8: 4..8 remain, 3 are discarded."""
    buffer = EventBuffer[int](5, "last")
    assert buffer.put([1, 2, 3, 4, 5]) == (0, [])
    assert buffer.put([6, 7, 8]) == (3, [])
    assert all_of(buffer) == [4, 5, 6, 7, 8]


def test_keep_first_discards_the_newest() -> None:
    """GS-26: the same: 1..5 remain."""
    buffer = EventBuffer[int](5, "first")
    assert buffer.put([1, 2, 3]) == (0, [])
    assert buffer.put([4, 5, 6, 7, 8]) == (3, [])
    assert buffer.put([9]) == (1, [])
    assert all_of(buffer) == [1, 2, 3, 4, 5]


def test_one_push_of_more_than_there_is_room() -> None:
    """GS-27: buffer 3, keep last; one push of 7: 5, 6, 7 remain, 4 are discarded."""
    buffer = EventBuffer[int](3)
    assert buffer.put([1, 2, 3, 4, 5, 6, 7]) == (4, [])
    assert all_of(buffer) == [5, 6, 7]


def test_one_push_of_just_as_many_as_there_is_room_replaces_all() -> None:
    buffer = EventBuffer[int](3)
    buffer.put([1, 2])
    assert buffer.put([3, 4, 5]) == (2, [])
    assert all_of(buffer) == [3, 4, 5]


def test_the_size_of_a_producer_by_default() -> None:
    """GS-28: 10,003 into 10,000 that keep the last: the first left is event 4."""
    buffer = EventBuffer[int](10_000)
    assert buffer.put(range(1, 10_004)) == (3, [])
    assert buffer.take(1) == ([4], [])


def test_no_limit() -> None:
    """GS-30: 20,000 are all held."""
    buffer = EventBuffer[int](None, "first")
    assert buffer.put(range(20_000)) == (0, [])
    assert all_of(buffer) == list(range(20_000))


@pytest.mark.parametrize("keep", ["last", "first"])
def test_a_size_of_0_keeps_nothing(keep: Keep) -> None:
    buffer = EventBuffer[int](0, keep)
    assert buffer.put([1, 2])[0] == 2
    assert len(buffer) == 0
    assert buffer.mark("info")


def test_an_info_for_an_empty_buffer_may_go_at_once() -> None:
    """GS-32."""
    buffer = EventBuffer[int](None)
    assert buffer.mark("info")
    assert buffer.put([1]) == (0, [])
    assert buffer.take(1) == ([1], []), "and is not kept besides"


def test_infos_come_when_the_events_before_them_have_gone_in_order() -> None:
    """GS-33: 4 events, two infos: both after the 4th, first in first out."""
    buffer = EventBuffer[int](None)
    buffer.put([1, 2, 3, 4])
    assert not buffer.mark("one")
    assert not buffer.mark("two")
    assert buffer.take(3) == ([1, 2, 3], [])
    assert buffer.take(1) == ([4], ["one", "two"])


def test_a_take_ends_at_an_info() -> None:
    buffer = EventBuffer[int](None)
    buffer.put([1, 2])
    buffer.mark("behind 2")
    buffer.put([3])
    assert buffer.take(10) == ([1, 2], ["behind 2"])
    assert buffer.take(10) == ([3], [])


def test_an_info_is_released_when_its_event_is_discarded() -> None:
    """GS-34: an info waits behind event 1, which gets discarded: it is never lost."""
    buffer = EventBuffer[int](2)
    buffer.put([1])
    buffer.mark("behind 1")
    buffer.put([2])
    buffer.mark("behind 2")
    assert buffer.put([3]) == (1, ["behind 1"])
    assert buffer.put([4, 5]) == (2, ["behind 2"])
    assert all_of(buffer) == [4, 5]


def test_an_info_keeps_its_place_when_others_are_not_kept() -> None:
    buffer = EventBuffer[int](2, "first")
    buffer.put([1])
    buffer.mark("behind 1")
    assert buffer.put([2, 3]) == (1, [])
    assert buffer.take(2) == ([1], ["behind 1"])


@pytest.mark.parametrize("size", [-1, 1.0, "1", True])
def test_a_size_that_is_none_is_refused(size: Any) -> None:
    told = f"buffer_size: got {size!r}, allowed is 0 or more, or None"
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        EventBuffer(size)


def test_a_keep_that_is_none_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"^buffer_keep: got 'newest', allowed are 'last', 'first'$"
    ):
        EventBuffer(1, "newest")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


steps = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.integers(0, 6)),
        st.tuples(st.just("take"), st.integers(0, 6)),
        st.tuples(st.just("mark"), st.just(0)),
    ),
    max_size=60,
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    size=st.one_of(st.none(), st.integers(0, 8)), keep=st.sampled_from(["last", "first"]), do=steps
)
def test_as_a_list_of_events_and_infos(size: int | None, keep: Keep, do: Any) -> None:
    """The model is one list of both; an info goes as soon as it comes first."""
    buffer = EventBuffer[int](size, keep)
    model: list[int | str] = []
    made = 0

    def released() -> list[str]:
        infos: list[str] = []
        while model and isinstance(model[0], str):
            infos.append(model[0])
            del model[0]
        return infos

    for what, count in do:
        if what == "put":
            events = list(range(made, made + count))
            made += count
            discarded, infos = buffer.put(events)
            model.extend(events)
            held = [item for item in model if isinstance(item, int)]
            over = 0 if size is None else max(len(held) - size, 0)
            gone = set(held[:over] if keep == "last" else held[len(held) - over :])
            model[:] = [item for item in model if item not in gone]
            assert (discarded, list(infos)) == (over, released())
        elif what == "take":
            events, infos = buffer.take(count)
            expected: list[int | str] = []
            while model and isinstance(model[0], int) and len(expected) < count:
                expected.append(model.pop(0))
            assert events == expected
            assert list(infos) == released()
        else:
            info = f"behind {made}"
            kept = bool(model)
            assert buffer.mark(info) is not kept
            if kept:
                model.append(info)
        assert len(buffer) == sum(isinstance(item, int) for item in model)
