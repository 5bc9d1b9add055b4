"""``run_in_virtual_time``: a clock that jumps, and an end for what waits for ever."""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable

import pytest
import trio
from trio.testing import MockClock

from runtime import GenServer, open_node, receive, spawn
from runtime.testing import run_as_process, run_in_virtual_time
from runtime.testing.virtual_time import END_OF_TIME


class Idle(GenServer):
    """Does nothing."""


def test_a_year_takes_no_time() -> None:
    began = time.perf_counter()

    async def year() -> float:
        await trio.sleep(365 * 86400)
        return trio.current_time()

    assert run_in_virtual_time(year) == 365 * 86400
    assert time.perf_counter() - began < 3600


ADVICE = (
    "for a thread, a socket or a program mark the test @pytest.mark.real_clock; "
    "anything else that it waits for never comes"
)


def still_waiting(fn: Callable[[], Awaitable[object]]) -> list[str]:
    """The lines about who waits; of the number of a line is said only that there is one."""
    with pytest.raises(trio.TooSlowError) as failed:
        run_in_virtual_time(fn)
    assert failed.value.__context__ is None
    first, *lines, last = str(failed.value).splitlines()
    assert first == "nothing more happens in virtual time, and this still waits:"
    assert last == ADVICE
    return [re.sub(r"^  test_testing_virtual_time\.py:\d+ in ", "", line) for line in lines]


async def waits_in_vain() -> None:
    await trio.Event().wait()


def test_what_waits_for_ever_fails_and_says_where() -> None:
    assert still_waiting(waits_in_vain) == ["waits_in_vain: await trio.Event().wait()"]
    assert still_waiting(trio.sleep_forever) == []


def test_the_line_of_a_test_comes_first_also_if_it_is_a_process() -> None:
    async def main() -> None:
        async with open_node():
            spawn(waits_in_vain)
            await run_as_process(test_that_waits)

    async def test_that_waits() -> None:
        await receive(int)

    first, *others = still_waiting(main)
    assert first == "test_that_waits: await receive(int)"
    assert sorted(others) == [
        "main: await run_as_process(test_that_waits)",
        "waits_in_vain: await trio.Event().wait()",
    ]


def test_who_waits_where_the_runtime_waits_is_not_shown_and_of_many_five() -> None:
    async def main() -> None:
        async with open_node():
            await Idle.start()
            for _ in range(9):
                spawn(waits_in_vain)
            await trio.sleep_forever()

    assert len(still_waiting(main)) == 5


def test_what_it_does_with_the_cancellation_counts() -> None:
    async def stays() -> str:
        with trio.CancelScope() as scope:
            scope.shield = True
            await trio.sleep(END_OF_TIME + 1)
        return "done"

    async def breaks() -> None:
        try:
            await trio.sleep_forever()
        finally:
            raise OSError("disk")

    assert run_in_virtual_time(stays) == "done"
    with pytest.raises(OSError, match="disk"):
        run_in_virtual_time(breaks)


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
