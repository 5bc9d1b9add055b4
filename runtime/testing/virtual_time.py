"""Tests in virtual time: the clock jumps to the next deadline whenever every task waits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

import trio
import trio.testing

T = TypeVar("T")

END_OF_TIME: Final = 4e7
"""Seconds: more than a year. What hangs beside something periodic gets there too, by its steps."""


def run_in_virtual_time(
    fn: Callable[[], Awaitable[T]],
    *,
    clock: trio.abc.Clock | None = None,
    instruments: Sequence[trio.abc.Instrument] = (),
) -> T:
    """``trio.run(fn)`` on a clock that takes no time; what pytest-trio can be told to run tests by.

    What waits for ever fails with ``trio.TooSlowError`` at the end of virtual time, after more than
    a year: at once, unless something periodic goes on until then. Real input and output, threads
    and signals need a real clock: virtual time runs past them.
    """

    async def until_the_end_of_time() -> T:
        with trio.fail_after(END_OF_TIME):
            return await fn()

    virtual = clock or trio.testing.MockClock(autojump_threshold=0)
    return trio.run(until_the_end_of_time, clock=virtual, instruments=instruments)
