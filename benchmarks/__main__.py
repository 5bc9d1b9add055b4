"""``python -m benchmarks``: how fast it is, beside raw Trio, plain asyncio and Elixir.

Every figure is measured in rounds, all who take part one after the other in each. Shown are the
median, the lowest and the highest of the rounds, in microseconds for one operation unless it says
otherwise, and ratios, which are taken round by round. Nothing fails for being slow.
"""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Sequence
from time import perf_counter

from benchmarks.beam import BEAM, is_installed, version
from benchmarks.effort import FULL, QUICK
from benchmarks.figure import ELIXIR, Figure, Subject
from benchmarks.options import Options, options
from benchmarks.page import written
from benchmarks.rounds import Plan, measure
from benchmarks.run import Result, Run, machine
from benchmarks.saving import as_json
from benchmarks.table import tables


def plan_of(given: Options) -> Plan:
    """How it will be measured."""
    without = set(given.without)
    if not is_installed():
        without.add(ELIXIR)
        print("Elixir is not installed", file=sys.stderr, flush=True)
    effort = QUICK if given.quick else FULL
    return Plan(given.rounds, effort, frozenset(without), isolate=not given.quick)


def measure_all(figures: Sequence[tuple[Subject, Figure]], plan: Plan) -> Run:
    """Measure them, and say on the way what is being measured."""
    results: list[Result] = []
    try:
        for subject, figure in figures:
            began = perf_counter()
            print(f"{figure.name} ...", end=" ", file=sys.stderr, flush=True)
            results.append((subject, figure, measure(figure, plan)))
            print(f"{perf_counter() - began:.1f} s", file=sys.stderr, flush=True)
    finally:
        BEAM.close()
    of = machine(elixir="" if ELIXIR in plan.without else version())
    return Run(of, plan.rounds, plan.effort.seconds, plan.effort.share, results)


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status; an error is a traceback."""
    given = options(arguments)
    if given.lists:
        for subject, figure in given.figures:
            print(f"{subject.name:12} {figure.name:22} {figure.operation}")
        return 0
    run = given.stored or measure_all(given.figures, plan_of(given))
    for section, table in tables(run.results).items():
        print(f"## {section}\n\n{table}", end="\n\n")
    if given.json is not None:
        given.json.write_text(json.dumps(as_json(run), indent=1) + "\n")
    if given.page is not None:
        given.page.write_text(written(given.page.read_text(), run))
    if given.plots is not None:
        from benchmarks.plots import draw  # noqa: PLC0415 - only who wants plots needs matplotlib

        draw(run, given.plots)
    return 0


if __name__ == "__main__":
    gc.freeze()  # whatever is loaded by now; else each collection would look at it again
    raise SystemExit(main())
