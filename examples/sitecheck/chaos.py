"""Chaos: kill processes of the running tree, to show that the outcome is the same.

A child of the tree like the others, but significant: the crawl is over when the frontier has
nothing left *and* every kill has been made.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import trio

from runtime import kill, whereis

ALWAYS = ("store", "frontier")


def choose_victims(times: int, others: Sequence[str], seed: int) -> list[str]:
    """Whom to kill, in order: the store and the frontier among them if there are two or more."""
    chance = random.Random(seed)
    victims = chance.sample(ALWAYS, min(times, len(ALWAYS)))
    victims += chance.choices([*ALWAYS, *others], k=times - len(victims))
    chance.shuffle(victims)
    return victims


async def cause_chaos(victims: Sequence[str], spacing: float) -> None:
    """Kill the named processes one after the other, ``spacing`` seconds apart.

    One that is not there, because it is being restarted or has nothing left to do, is spared.
    """
    for victim in victims:
        await trio.sleep(spacing)
        pid = whereis(victim)
        if pid is not None:
            kill(pid)
