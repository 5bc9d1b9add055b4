"""Chaos: kill processes at random, to see that the rest goes on and nothing is lost."""

from __future__ import annotations

import math
import random
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypeAlias

import msgspec
import trio

from runtime.introspection import ProcessInfo, process_info, processes
from runtime.signals import kill, wait_exit
from runtime.spawning import spawn


class Kill(msgspec.Struct, frozen=True):
    """A process that chaos has killed: when, on Trio's clock, and which."""

    at: float
    victim: ProcessInfo


Victims: TypeAlias = Callable[[ProcessInfo], bool]
"""Whether this process may be killed."""


@asynccontextmanager
async def open_chaos(
    rate: float,
    *,
    seed: int,
    victims: Victims | None = None,
) -> AsyncGenerator[Sequence[Kill]]:
    """While the block runs, kill a random process ``rate`` times a second, on the average.

    Killed is what is up and has a living parent, such as a supervisor, that hears of it; of those
    only what ``victims`` accepts, if it is given. The same ``seed`` chooses the same moments and,
    in a program that does the same, the same processes. Gives the list of what was killed, which
    grows. Leaving the block, by whatever way, ends the chaos.
    """
    if not (isinstance(rate, (int, float)) and 0 < rate < math.inf):
        raise ValueError(f"rate: got {rate!r}, allowed are kills per second above 0")
    kills: list[Kill] = []
    chance = random.Random(seed)
    pid = spawn(_kill_at_random, rate, chance, victims, kills)
    try:
        yield kills
    finally:
        kill(pid)
        await wait_exit(pid)


async def _kill_at_random(
    rate: float, chance: random.Random, victims: Victims | None, kills: list[Kill]
) -> None:
    while True:
        await trio.sleep(chance.expovariate(rate))
        candidates = [info for info in _children() if victims is None or victims(info)]
        if candidates:
            victim = chance.choice(candidates)
            kills.append(Kill(trio.current_time(), victim))
            kill(victim.pid)
            await wait_exit(victim.pid)


def _children() -> list[ProcessInfo]:
    """Oldest first, so that a seed means the same in two runs."""
    everybody = [info for pid in processes() if (info := process_info(pid))]
    alive = {info.pid for info in everybody}
    return [info for info in everybody if info.parent in alive and info.status != "starting"]
