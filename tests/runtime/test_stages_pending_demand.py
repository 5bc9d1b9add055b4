"""When a consumer asks again, and for how many: GS-03 to GS-14 as pure arithmetic."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.stages.pending_demand import PendingDemand


def ran(most: int, least: int, *messages: int) -> list[tuple[int, int]]:
    """For each chunk its length and the ask behind it, over messages of so many events."""
    demand = PendingDemand[int](most, least)
    seen: list[tuple[int, int]] = []
    for count in messages:
        split, excess = demand.split(list(range(count)))
        assert excess == 0
        seen += [(len(chunk), ask) for chunk, ask in split]
    return seen


@pytest.mark.parametrize(
    ("most", "least", "messages", "seen"),
    [
        pytest.param(10, 5, [10], [(5, 5), (5, 5)], id="GS-03"),
        pytest.param(10, 5, [10, 5, 5, 3], [(5, 5), (5, 5), (5, 5), (5, 5), (3, 0)], id="GS-05"),
        pytest.param(10, 8, [10], [(2, 2)] * 5, id="GS-06"),
        pytest.param(10, 2, [10, 8], [(8, 8), (2, 0), (8, 10)], id="GS-07"),
        pytest.param(10, 0, [10, 3], [(10, 10), (3, 0)], id="GS-08"),
        pytest.param(1, 0, [1, 1], [(1, 1), (1, 1)], id="GS-09"),
        pytest.param(3, 1, [3, 2], [(2, 2), (1, 0), (2, 3)], id="GS-10"),
        pytest.param(4, 2, [1, 1, 1, 1], [(1, 0), (1, 2), (1, 0), (1, 2)], id="GS-13"),
    ],
)
def test_chunks_and_the_asks_behind_them(
    most: int, least: int, messages: list[int], seen: list[tuple[int, int]]
) -> None:
    assert ran(most, least, *messages) == seen


def test_events_are_split_in_order() -> None:
    demand = PendingDemand[str](5, 3)
    assert demand.split(list("abcde")) == ([(["a", "b"], 2), (["c", "d"], 2), (["e"], 0)], 0)


def test_no_events_are_no_chunk() -> None:
    assert PendingDemand[str](5, 3).split([]) == ([], 0)


def test_events_that_nobody_asked_for_are_handled_and_counted() -> None:
    """GS-18: they use up nothing."""
    demand = PendingDemand[int](4, 2)
    split, excess = demand.split(list(range(7)))
    assert [(len(chunk), ask) for chunk, ask in split] == [(2, 2), (2, 2), (2, 0), (1, 0)]
    assert (excess, demand.pending) == (3, 4)


def test_demand_has_no_upper_limit() -> None:
    demand = PendingDemand[int](2**63, 2**62)
    assert demand.split([1, 2, 3]) == ([([1, 2, 3], 0)], 0)
    assert demand.pending == 2**63 - 3


def split_batches(
    events: int, least: int, most: int, pending: int
) -> tuple[list[tuple[int, int]], int, int]:
    """GenStage's own, word for word: recursion over chunks of ``max - min``."""
    if events == 0:
        return [], pending, 0
    size = min(events, most - least)
    excess = max(size - pending, 0)
    left = pending - (size - excess)
    ask, after = (most - left, most) if left <= least else (0, left)
    rest, last, more = split_batches(events - size, least, most, after)
    return [(size, ask), *rest], last, excess + more


@given(st.data())
def test_it_does_what_the_original_does(data: st.DataObject) -> None:
    """Differs in one thing: what nobody asked for is counted over a message, not over a chunk."""
    most = data.draw(st.integers(1, 20))
    least = data.draw(st.integers(0, most - 1))
    demand, pending = PendingDemand[int](most, least), most
    for _ in range(data.draw(st.integers(0, 8))):
        count = data.draw(st.integers(0, pending))
        expected, pending, excess = split_batches(count, least, most, pending)
        assert excess == 0
        split, excess = demand.split(list(range(count)))
        assert ([(len(chunk), ask) for chunk, ask in split], excess) == (expected, 0)
        assert demand.pending == pending
        assert least < pending <= most
