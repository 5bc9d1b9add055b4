"""``run_in_virtual_time``: a clock that jumps, and an end for what waits for ever."""

from __future__ import annotations

import time

import pytest
import trio
from trio.testing import MockClock

from runtime import open_node, spawn
from runtime.testing import run_in_virtual_time


def test_a_year_takes_no_time() -> None:
    began = time.perf_counter()

    async def year() -> float:
        await trio.sleep(365 * 86400)
        return trio.current_time()

    assert run_in_virtual_time(year) == 365 * 86400
    assert time.perf_counter() - began < 3600


def test_what_waits_for_ever_fails() -> None:
    with pytest.raises(trio.TooSlowError):
        run_in_virtual_time(trio.sleep_forever)


def test_what_waits_for_ever_beside_something_periodic_fails_too() -> None:
    async def beats() -> None:
        while True:
            await trio.sleep(86400)

    async def main() -> None:
        async with open_node():
            spawn(beats)
            await trio.sleep_forever()

    with pytest.raises(trio.TooSlowError):
        run_in_virtual_time(main)


def test_a_clock_of_the_callers_own_is_taken() -> None:
    clock = MockClock(rate=0.0, autojump_threshold=0)

    async def now() -> float:
        clock.jump(7)
        return trio.current_time()

    assert run_in_virtual_time(now, clock=clock) == 7
