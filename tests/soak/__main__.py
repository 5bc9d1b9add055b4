"""The long form of what the suite does briefly: ``make soak``.

Each file here has ``churn(count, seed)``, which raises if anything is lost, invented or left over.
It runs once to warm up and once in full, and the memory between the two must stay flat.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeAlias, cast

import trio
import trio.testing

from runtime import open_node

Churn: TypeAlias = Callable[[int, int], Awaitable[None]]

MOST_GROWTH = 5_000  # objects: caches, not one per task or permit
NAMES = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem[0] != "_")


def run(churn: Churn, count: int, seed: int) -> int:
    """The number of objects that are left afterwards."""

    async def main() -> None:
        async with open_node(instruments=[]):
            await churn(count, seed)

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    gc.collect()
    return len(gc.get_objects())


def soak(name: str, count: int, seed: int) -> bool:
    """Whether one of them came through, with what it took."""
    churn = cast("Churn", importlib.import_module(f"tests.soak.{name}").churn)
    before = run(churn, count // 10, seed)
    began = time.perf_counter()
    growth = run(churn, count, seed + 1) - before
    flat = growth < MOST_GROWTH
    took = time.perf_counter() - began
    print(f"{name:10} {count:8,} in {took:6.1f} s, {growth:+,} objects: {'ok' if flat else 'GREW'}")
    return flat


def main() -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; or all")
    parser.add_argument("--count", type=int, default=100_000, help="of each (100,000)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    unknown = set(options.names) - set(NAMES)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; allowed are {', '.join(NAMES)}")
    results = [soak(name, options.count, options.seed) for name in options.names or NAMES]
    return 0 if all(results) else 1


if __name__ == "__main__":
    raise SystemExit(main())
