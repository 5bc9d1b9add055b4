"""Run the Elixir scripts themselves and check that the stored output is what they print today."""

from __future__ import annotations

import argparse
import difflib
import os
import shutil
import subprocess
import sys

from tests.oracle.comparing import ELIXIR, names, printed_by_elixir, table

NOT_INSTALLED = """\
Elixir is not installed, so nothing was checked: there is no `elixir` on the PATH.
On Debian and Ubuntu: apt install elixir. The stored output is that of Elixir 1.14 on OTP 25."""

TIME_LIMIT = 120.0
WIDTH = 36

ONE_SCHEDULER = {"ELIXIR_ERL_OPTIONS": "+S 1"}
"""On several, lines of processes that have nothing to do with each other may swap."""


def version(elixir: str) -> str:
    """What is installed."""
    said = subprocess.run([elixir, "--version"], capture_output=True, text=True, check=False)
    return " / ".join(line for line in said.stdout.splitlines() if line)


SOMETHING_IS_MISSING = 3
"""The status of a script that needs more than Elixir, and says on stderr what."""


def is_as_stored(elixir: str, name: str) -> bool | None:
    """Whether a script prints what is stored; says so, and what differs. None: it cannot run."""
    try:
        ran = subprocess.run(
            [elixir, f"{name}.exs"], cwd=ELIXIR, env=os.environ | ONE_SCHEDULER,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
            timeout=TIME_LIMIT,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        print(f"{name:{WIDTH}} DIFFERS: it has not ended within {TIME_LIMIT:g} s")
        return False
    if ran.returncode == SOMETHING_IS_MISSING:
        print(f"{name:{WIDTH}} NOT CHECKED: {ran.stderr.strip()}")
        return None
    stored, today = list(printed_by_elixir(name)), ran.stdout.splitlines()
    same = ran.returncode == 0 and today == stored
    print(f"{name:{WIDTH}} {'as stored' if same else 'DIFFERS'}")
    for line in difflib.unified_diff(stored, today, "stored", "today", lineterm="", n=1):
        print(f"    {line}")
    if ran.returncode != 0:
        print(f"    status {ran.returncode}: {ran.stderr.strip()}")
    return same


def main(arguments: list[str] | None = None) -> int:
    """The exit status: 0 as stored, 1 not, 2 not all could be checked."""
    parser = argparse.ArgumentParser(prog="make oracle", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(names())}; or all")
    parser.add_argument(
        "--differences", action="store_true",
        help="list instead where this project prints something else, and why; needs no Elixir",
    )  # fmt: skip
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.names) - set(names()))
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}; allowed are {', '.join(names())}")
    if options.differences:
        print(table())
        return 0
    elixir = shutil.which("elixir")
    if elixir is None:
        print(NOT_INSTALLED, file=sys.stderr)
        return 2
    print(version(elixir))
    results = [is_as_stored(elixir, name) for name in options.names or names()]
    return 1 if False in results else 2 if None in results else 0


if __name__ == "__main__":
    raise SystemExit(main())
