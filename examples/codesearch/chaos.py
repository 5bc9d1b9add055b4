"""Chaos: kill stages and worker processes while the pipeline works; the index is the same.

``times`` is how many in all. The kills are spread over the run by how many files have been parsed,
not by time, so that each of them hits a pipeline at work however fast it is. A kill waits until the
pipeline has recovered from the one before.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

from examples.codesearch.tally import Tally


def choose_moments(times: int, total: int, seed: int) -> list[int]:
    """After how many parsed files to kill, in order: never after the last of ``total``."""
    chance = random.Random(seed)
    return sorted(chance.choices(range(total), k=times)) if total else []
