"""Killing programs at random moments, for the tests of what a source promises."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
DEADLINE = 60.0


def begin(kind: str, folder: Path) -> subprocess.Popen[bytes]:
    """Start the program."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.supervisors.source_program", kind, str(folder)], cwd=ROOT
    )


def logged(folder: Path) -> list[str]:
    """Every message that has come to a handler, in order."""
    path = folder / "log"
    return path.read_text().split() if path.exists() else []


class Life(NamedTuple):
    """One run of the program: what it logged, and what was left to do when it had ended."""

    log: list[str]
    left: set[str]


def lives(kind: str, folder: Path, kills: int, left: Callable[[], set[str]]) -> list[Life]:
    """Run it, killed after a random while so many times, and then to its end."""
    found: list[Life] = []
    while True:
        before = len(logged(folder))
        program = begin(kind, folder)
        if len(found) < kills:
            wait_for_more(folder, program, before + random.randrange(200))
            time.sleep(random.random() * 0.02)
            program.kill()
        status = program.wait(DEADLINE)
        found.append(Life(logged(folder)[before:], left()))
        if status == 0:
            return found
        assert status == -9, status


def wait_for_more(folder: Path, program: subprocess.Popen[bytes], count: int) -> None:
    """Until so many messages were logged, or it has ended."""
    end = time.monotonic() + DEADLINE
    while len(logged(folder)) < count and program.poll() is None:
        assert time.monotonic() < end, "it logs nothing"
        time.sleep(0.001)


def check(found: list[Life], everything: set[str], most: int) -> None:
    """Nothing is missing, and nothing comes again but what was under way when it was killed.

    ``most`` messages can be under way at once.
    """
    assert {one for life in found for one in life.log} == everything
    assert found[-1].left == set()
    left = everything
    for number, life in enumerate(found):
        assert set(life.log) <= left, f"life {number} has seen what was done"
        assert len(set(life.log)) == len(life.log), f"life {number} has seen something twice"
        assert len(set(life.log) & life.left) <= most, f"life {number} had too many under way"
        assert left - life.left <= set(life.log), f"life {number} has done what it has not seen"
        left = life.left


def environment_seed() -> int:
    """Another one in each run; printed, to be given again by ``CRASH_SEED``."""
    seed = int(os.environ.get("CRASH_SEED", time.time_ns() % 1_000_000))
    print(f"CRASH_SEED={seed}")
    random.seed(seed)
    return seed
