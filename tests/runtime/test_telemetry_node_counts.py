"""Counts of two nodes add up."""

from __future__ import annotations

from runtime import BehaviourCounts


def test_counts_add_up_and_the_longest_stays_the_longest() -> None:
    one, other = BehaviourCounts(2, 7, 5), BehaviourCounts(1, 6, 6)
    assert one + other == other + one == BehaviourCounts(3, 13, 6)
