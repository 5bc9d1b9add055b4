"""What of a file is done: against a plain set of numbers, in any order."""

from __future__ import annotations

from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from supervisors.pipeline.sources.ranges import Ranges

STEPS = st.lists(st.tuples(st.integers(0, 30), st.integers(-1, 8)), max_size=30)


@given(STEPS)
def test_it_is_the_set_of_numbers_that_were_added(steps: list[tuple[int, int]]) -> None:
    ranges, numbers = Ranges(), set[int]()
    for start, length in steps:
        ranges.add(start, start + length)
        numbers.update(range(start, start + length))
        found = list(ranges)
        assert {number for range_ in found for number in range(*range_)} == numbers
        assert all(start < end for start, end in found)
        assert all(end < start for (_, end), (start, _) in pairwise(found)), "as few as can be"
        assert ranges.mark == min(set(range(100)) - numbers)
        assert ranges.end == max(numbers, default=-1) + 1
        for number in range(45):
            end = min(set(range(number, 100)) - numbers)
            assert ranges.end_of(number) == (None if end == number else end)
        assert list(Ranges(found)) == found


@given(st.lists(st.integers(1, 9), min_size=1, max_size=30), st.randoms())
def test_the_mark_passes_a_line_when_all_before_it_are_done(
    lengths: list[int], random: Random
) -> None:
    """Lines of these lengths, done in any order: the mark never passes one that is not."""
    lines: list[tuple[int, int]] = []
    for length in lengths:
        start = lines[-1][1] if lines else 0
        lines.append((start, start + length))
    order = list(lines)
    random.shuffle(order)
    ranges, left = Ranges(), set(lines)
    for line in order:
        ranges.add(*line)
        left.remove(line)
        assert ranges.mark == min((start for start, _ in left), default=lines[-1][1])
    assert list(ranges) == [(0, lines[-1][1])]


def test_nothing_is_in_it_at_first() -> None:
    ranges = Ranges()
    assert (list(ranges), ranges.mark, ranges.end, ranges.end_of(0)) == ([], 0, 0, None)
