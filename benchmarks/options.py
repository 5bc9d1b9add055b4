"""What ``make bench`` can be asked, checked before anything is measured."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import msgspec

from benchmarks.catalogue import UnknownFigure, chosen
from benchmarks.figure import ASYNCIO, ELIXIR, TRIO, Figure, Subject
from benchmarks.loading import run_in
from benchmarks.run import Run

ROUNDS = 7


@dataclass(frozen=True, slots=True)
class Options:
    """``stored`` is a run that was read; without one it is measured."""

    figures: list[tuple[Subject, Figure]]
    lists: bool
    rounds: int
    without: frozenset[str]
    quick: bool
    stored: Run | None
    json: Path | None
    page: Path | None
    plots: Path | None


def options(arguments: Sequence[str] | None) -> Options:
    """The arguments; what is wrong with them ends the program with status 2."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.rounds is not None and given.rounds < 1:
        parser.error(f"--rounds: got {given.rounds}, allowed is a number above 0")
    if given.stored is not None and (given.names or given.rounds or given.without or given.quick):
        parser.error("--from: nothing is measured, so there is nothing to choose")
    if given.page is not None and not given.page.is_file():
        parser.error(f"--write: there is no file {given.page}")
    if given.plots is not None and not given.plots.is_dir():
        parser.error(f"--plots: there is no folder {given.plots}")
    if given.plots is not None and find_spec("matplotlib") is None:
        parser.error("--plots needs matplotlib: pip install '.[bench]'")
    try:
        figures = chosen(given.names)
        stored = None if given.stored is None else run_in(given.stored.read_bytes())
    except UnknownFigure as exc:
        parser.error(str(exc))
    except (OSError, msgspec.DecodeError) as exc:
        parser.error(f"--from: {exc}")
    return Options(
        figures, given.list, given.rounds or ROUNDS, frozenset(given.without), given.quick, stored,
        given.json, given.page, given.plots,
    )  # fmt: skip


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make bench", description="How fast it is, beside raw Trio, plain asyncio and Elixir."
    )
    add = parser.add_argument
    add("names", nargs="*", metavar="NAME", help="figures or subjects; or all")
    add("--list", action="store_true", help="only say what there is")
    add("--rounds", type=int, help=f"at most how many ({ROUNDS})")
    add(
        "--without", action="append", default=[], choices=[TRIO, ASYNCIO, ELIXIR],
        help="leave a side out",
    )  # fmt: skip
    add("--quick", action="store_true", help="only see whether everything works")
    add("--json", type=Path, metavar="FILE", help="write every sample there")
    add("--from", type=Path, dest="stored", metavar="FILE", help="show the run that is there")
    add("--write", type=Path, dest="page", metavar="PAGE", help="put the tables into this page")
    add("--plots", type=Path, metavar="FOLDER", help="draw scale and latency there, as SVG")
    return parser
