"""``python -m benchmarks``: how fast it is, beside raw Trio, plain asyncio and Elixir.

Every figure is measured in rounds, all who take part one after the other in each. Shown are the
median, the lowest and the highest of the rounds, in microseconds for one operation unless it says
otherwise, and ratios, which are taken round by round. Nothing fails for being slow.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from time import perf_counter

from benchmarks.beam import BEAM, is_installed
from benchmarks.catalogue import UnknownFigure, chosen
from benchmarks.effort import FULL, QUICK
from benchmarks.figure import ASYNCIO, ELIXIR, TRIO, Figure, Subject
from benchmarks.rounds import Plan, Samples, measure, rows
from benchmarks.saving import as_json
from benchmarks.table import Part, table

Results = list[tuple[Subject, Figure, Samples]]


def options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The arguments, checked."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="figures or subjects; or all")
    parser.add_argument("--list", action="store_true", help="only say what there is")
    parser.add_argument("--rounds", type=int, default=7, help="at most how many (7)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every sample there")
    parser.add_argument(
        "--without", action="append", default=[], choices=[TRIO, ASYNCIO, ELIXIR],
        help="leave a side out",
    )  # fmt: skip
    parser.add_argument("--quick", action="store_true", help="only see whether everything works")
    given = parser.parse_args(arguments)
    if given.rounds < 1:
        parser.error(f"--rounds: got {given.rounds}, allowed is a number above 0")
    try:
        given.figures = chosen(given.names)
    except UnknownFigure as exc:
        parser.error(str(exc))
    return given


def plan_of(given: argparse.Namespace) -> Plan:
    """How it will be measured."""
    without = set(given.without)
    if not is_installed():
        without.add(ELIXIR)
        print("Elixir is not installed", file=sys.stderr, flush=True)
    effort = QUICK if given.quick else FULL
    return Plan(given.rounds, effort, frozenset(without), isolate=not given.quick)


def measure_all(figures: Sequence[tuple[Subject, Figure]], plan: Plan) -> Results:
    """Measure them, and say on the way what is being measured."""
    results: Results = []
    for subject, figure in figures:
        began = perf_counter()
        print(f"{figure.name} ...", end=" ", file=sys.stderr, flush=True)
        results.append((subject, figure, measure(figure, plan)))
        print(f"{perf_counter() - began:.1f} s", file=sys.stderr, flush=True)
    return results


def show(results: Results) -> None:
    """A table for each section."""
    for section, group in groupby(results, key=lambda result: result[0].section):
        members = list(group)
        parts = [Part(figure, rows(figure, samples)) for _, figure, samples in members]
        print(table(section, members[0][0].ratios, parts), end="\n\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status; an error is a traceback."""
    given = options(arguments)
    figures: list[tuple[Subject, Figure]] = given.figures
    if given.list:
        for subject, figure in figures:
            print(f"{subject.name:12} {figure.name:22} {figure.operation}")
        return 0
    plan = plan_of(given)
    try:
        results = measure_all(figures, plan)
    finally:
        BEAM.close()
    show(results)
    if given.json is not None:
        given.json.write_text(json.dumps(as_json(plan, results), indent=1) + "\n")
    return 0


if __name__ == "__main__":
    gc.freeze()  # whatever is loaded by now; else each collection would look at it again
    raise SystemExit(main())
