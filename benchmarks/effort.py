"""How much is measured: for how long what is repeated, and how many where the number is the point.

A measurement is many short laps, and the median lap counts. What is rare, such as a full pass of
the garbage collector, is not in it; that is shown in a table of its own. How many laps there are
follows from how long they take, so that a slow machine takes no longer than a fast one.

The clock of a lap is the processor time of this thread. Nothing here sleeps, so on an idle machine
that is what any clock says, and on a busy one the share of other programs is not in it. The BEAM,
which has several threads, is timed by the wall clock, and its laps are as short.
"""

from __future__ import annotations

import gc
import statistics
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from time import thread_time
from typing import TypeAlias

from benchmarks.measuring import repetitions

Values: TypeAlias = Mapping[str, float]
"""What one measurement gives, by row; a figure of one row calls it ``""``."""

MICROSECONDS = 1e6
LAP = 0.001


@dataclass(frozen=True, slots=True)
class Effort:
    """``seconds`` for each measurement; ``share`` of the full number of processes and the like.

    ``collects`` says whether garbage is collected before each.
    """

    seconds: float = 0.05
    share: float = 1.0
    collects: bool = True

    @property
    def is_quick(self) -> bool:
        """Whether it is only to be seen that everything works."""
        return self.share < 1

    def number(self, full: int) -> int:
        """So many, or in a quick run a few."""
        return max(2, round(full * self.share))

    def lasting(self, full: float) -> float:
        """So many seconds, or in a quick run next to none."""
        return max(full * self.share, 0.02)

    async def per_operation(
        self, run: Callable[[int], Awaitable[object]], *, exactly: int | None = None
    ) -> Values:
        """Microseconds for one of what ``await run(count)`` does ``count`` times."""

        async def lap(count: int) -> Values:
            began = thread_time()
            await run(count)
            return {"": thread_time() - began}

        return await self.laps(lap, exactly=exactly)

    async def laps(
        self, lap: Callable[[int], Awaitable[Values]], *, exactly: int | None = None
    ) -> Values:
        """Microseconds for one, by row; ``await lap(count)`` says how many seconds ``count`` took.

        Unless ``exactly`` says so, the count is found for which a lap takes about a millisecond.
        """
        count = 1 if exactly is None else self.number(exactly)
        spent = took = sum((await lap(count)).values())
        while spent < self.seconds / 4:
            if exactly is None:
                count = repetitions(count, took, LAP)
            took = sum((await lap(count)).values())
            spent += took
        self.settle()
        taken: dict[str, list[float]] = {}
        spent = 0.0
        while spent < self.seconds:
            for row, seconds in (await lap(count)).items():
                taken.setdefault(row, []).append(seconds / count * MICROSECONDS)
                spent += seconds
        return {row: statistics.median(each) for row, each in taken.items()}

    def settle(self) -> None:
        """Collect what others have left, so that it is not paid for here."""
        if self.collects and not self.is_quick:
            gc.collect()


FULL = Effort()
QUICK = Effort(seconds=0.0005, share=0.0005)
