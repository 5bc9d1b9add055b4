"""``python -m tests.schedules``: the tests that an order of tasks could upset, under many orders.

Trio runs tasks that are ready at once in random order, by design. Each run here takes another seed
of that, odd ones with calls that run at once and even ones with calls that queue; one that fails is
printed with what failed, and the command that repeats it.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[1]

SUBJECTS = (
    "tests/oracle",
    "tests/conformance",
    "tests/runtime/test_registry*.py",
    "tests/runtime/test_stream*.py",
    "tests/supervisors/test_*supervisor*.py",
)
FAILED = re.compile(r"^FAILED (\S+)", re.MULTILINE)


def files() -> Iterator[str]:
    """The test files of the subjects, from the root."""
    for pattern in SUBJECTS:
        for path in sorted(ROOT.glob(pattern)):
            yield path.relative_to(ROOT).as_posix()


def options_of(seed: int) -> list[str]:
    """What repeats a run: with even seeds every call goes by the mailbox."""
    return ["--trio-schedule", str(seed), *([] if seed % 2 else ["--queued"])]


def run(seed: int) -> tuple[int, list[str], str]:
    """Run them all under one seed: the seed, what failed, and how."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rf", "-p", "no:cacheprovider", "-m",
         "not real_clock", *options_of(seed), *files()],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    failed = FAILED.findall(done.stdout)
    if done.returncode and not failed:
        failed = ["the run itself"]
    _, _, report = done.stdout.partition("= FAILURES =")
    return seed, failed, (report or done.stdout) + done.stderr


def main() -> int:
    """Run the seeds, as many at once as there are cores; 1 if anything failed under any of them."""
    parser = argparse.ArgumentParser(prog="python -m tests.schedules", description=__doc__)
    parser.add_argument("--count", type=int, default=200, help="how many seeds (200)")
    parser.add_argument("--seed", type=int, default=1, help="the first of them (1)")
    options = parser.parse_args()
    seeds = range(options.seed, options.seed + options.count)
    bad = 0
    with ThreadPoolExecutor(os.cpu_count()) as workers:
        for number, (seed, failed, printed) in enumerate(workers.map(run, seeds), start=1):
            if failed:
                bad += 1
                print(printed)
            for test in failed:
                print(
                    f"seed {seed}: {test}\n  make test ARGS='{' '.join(options_of(seed))} {test}'"
                )
            if sys.stdout.isatty() or number % 10 == 0 or number == options.count:
                print(f"{number} of {options.count} schedules, {bad} with failures", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
