"""Chaos: kill processes of the running tree, to show that the outcome is the same.

A child of the tree like the others, but significant: the crawl is over when the frontier has
nothing left *and* every kill has been made.

Each kill hits a process that is restarted. Half-way between two of them a fetch is killed as well,
if one is under way. Fetches are temporary children, so that is no restart: the frontier hears of it
and has the address fetched again.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import suppress

import trio

from runtime import CallExit, kill, named, wait_exit, whereis
from supervisors import SupervisorRef, TaskSupervisorRef

ALWAYS = ("store", "frontier")
SPACING = 0.15


def choose_victims(times: int, others: Sequence[str], seed: int) -> list[str]:
    """Whom to kill, in order: the store and the frontier among them if there are two or more."""
    chance = random.Random(seed)
    victims = chance.sample(ALWAYS, min(times, len(ALWAYS)))
    victims += chance.choices([*ALWAYS, *others], k=times - len(victims))
    chance.shuffle(victims)
    return victims


def choose_spacing(times: int, max_restarts: int, max_seconds: float) -> float:
    """The seconds between kills, such that they use up half of the restarts allowed, or less."""
    allowed = max_restarts / 2
    return SPACING if times <= allowed else max(SPACING, max_seconds / allowed)


async def cause_chaos(
    victims: Sequence[str], spacing: float, supervisors: Sequence[str], tasks: str, seed: int
) -> None:
    """Kill the named processes one after the other, at least ``spacing`` seconds apart.

    Each kill waits until the ``supervisors``, those above before those below, have made good the
    one before, so that it hits a process that is up. A victim that has ended because its work is
    done is spared. Between the kills one of the ``tasks`` of that task supervisor is killed.
    """
    chance = random.Random(seed)
    for victim in victims:
        await trio.sleep(spacing / 2)
        await _kill_a_task(tasks, chance)
        await trio.sleep(spacing / 2)
        await _until_settled(supervisors)
        pid = whereis(victim)
        if pid is not None:
            kill(pid)
            await wait_exit(pid)


async def _kill_a_task(tasks: str, chance: random.Random) -> None:
    with suppress(CallExit):
        running = await TaskSupervisorRef(tasks).children()
        if running:
            kill(chance.choice(running))


async def _until_settled(supervisors: Sequence[str]) -> None:
    """A supervisor that answers has finished the restarts that it has heard of.

    One that is not there has ended because its work is done: those above it have answered.
    """
    for name in supervisors:
        with suppress(CallExit):
            await SupervisorRef(named(name)).count_children()
