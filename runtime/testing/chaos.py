"""Chaos: kill processes at random, to see that the rest goes on and nothing is lost."""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypeAlias

import msgspec
import trio

from runtime.containment import attempt, short_repr
from runtime.current import current_table
from runtime.exits import SHUTDOWN
from runtime.introspection import ProcessInfo, process_info
from runtime.plain_functions import check_plain_function, check_takes
from runtime.signals import kill, wait_exit
from runtime.spawning import FunctionBody, spawn_process

MAX_RATE = 1e6
"""The pauses between kills must move the clock, also late in virtual time."""


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
    only what ``victims`` accepts, if it is given. If that raises, the block is cancelled and raises
    it. The same ``seed`` chooses the same moments and, in a program that does the same, the same
    processes. Gives the list of what was killed, which grows. Leaving the block, by whatever way,
    ends the chaos.
    """
    _check(rate, seed, victims)
    chaos = _Chaos(rate, random.Random(seed), victims)
    killer = spawn_process(current_table(), FunctionBody(chaos.kill_at_random), label="chaos")
    try:
        with chaos.block:
            try:
                yield chaos.kills
            finally:
                killer.accept_exit(SHUTDOWN)
                with trio.CancelScope(shield=True):
                    await wait_exit(killer.pid)
    finally:
        if chaos.failed is not None:
            raise chaos.failed


def _check(rate: object, seed: object, victims: Victims | None) -> None:
    allowed = f"allowed are kills per second, above 0 and at most {MAX_RATE:g}"
    if isinstance(rate, bool) or not isinstance(rate, int | float):
        raise TypeError(f"rate: got {rate!r}, {allowed}")
    if not 0 < rate <= MAX_RATE:
        raise ValueError(f"rate: got {short_repr(rate)}, {allowed}")
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise TypeError(f"seed: got {seed!r}, allowed is an int")
    if victims is not None:
        check_plain_function("victims", victims, "a victim is chosen at once")
        check_takes("victims", victims, "info")


class _Chaos:
    """What goes on beside ``block``, until ``victims`` has failed."""

    def __init__(self, rate: float, chance: random.Random, victims: Victims | None) -> None:
        self.block = trio.CancelScope()
        self.kills: list[Kill] = []
        self.failed: Exception | None = None
        self._rate = rate
        self._chance = chance
        self._victims = victims

    async def kill_at_random(self) -> None:
        while self.failed is None:
            await trio.sleep(self._chance.expovariate(self._rate))
            candidates, self.failed = attempt(self._candidates)
            if candidates:
                victim = self._chance.choice(candidates)
                self.kills.append(Kill(trio.current_time(), victim))
                kill(victim.pid)
        self.block.cancel()

    def _candidates(self) -> list[ProcessInfo]:
        """Oldest first, so that a seed means the same in two runs."""
        everybody = current_table().by_pid
        infos = [
            process_info(process.pid)
            for process in everybody.values()
            if process.parent in everybody and process.status != "starting" and not process.killed
        ]
        accepts = self._victims
        return [info for info in infos if info and (accepts is None or accepts(info))]
