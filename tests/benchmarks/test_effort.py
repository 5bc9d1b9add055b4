from __future__ import annotations

import pytest

from benchmarks.effort import FULL, QUICK, Effort, Values


def test_a_quick_run_takes_a_few_of_everything() -> None:
    assert (FULL.number(20_000), FULL.number(1)) == (20_000, 2)
    assert (QUICK.number(20_000), QUICK.number(100)) == (10, 2)
    assert (FULL.lasting(1.5), QUICK.lasting(1.5)) == (1.5, 0.02)
    assert (FULL.is_quick, QUICK.is_quick) == (False, True)


async def test_the_median_lap_counts_by_row() -> None:
    """One lap and two that warm up, until a quarter of the time is over; then three that count."""
    starts = iter([9.0, 9.0, 9.0, 30.0, 20.0, 60.0])
    counts: list[int] = []

    async def lap(count: int) -> Values:
        counts.append(count)
        return {"start": next(starts) * count, "stop": 0.5 * count}

    effort = Effort(seconds=1000, collects=False)
    assert await effort.laps(lap, exactly=10) == {"start": 30e6, "stop": 0.5e6}
    assert counts == [10] * 6


async def test_a_lap_takes_about_a_millisecond_once_it_is_warm() -> None:
    counts: list[int] = []

    async def lap(count: int) -> Values:
        counts.append(count)
        return {"": count * 2e-6}

    assert await Effort(seconds=0.02, collects=False).laps(lap) == {"": pytest.approx(2.0)}
    assert counts[:4] == [1, 10, 100, 500]
    assert set(counts[3:]) == {500}


async def test_one_operation_is_the_time_of_all_by_their_number() -> None:
    counts: list[int] = []

    async def run(count: int) -> None:
        counts.append(count)

    values = await QUICK.per_operation(run, exactly=4000)
    assert values.keys() == {""}
    assert 0 < values[""] < 1000
    assert set(counts) == {2}
