from __future__ import annotations

import re
import sys
from functools import partial

import pytest

from benchmarks.beam import FOLDER, Beam, values_in
from benchmarks.catalogue import SUBJECTS
from benchmarks.effort import QUICK
from benchmarks.figure import ELIXIR

ANSWERS = """
import sys
for line in sys.stdin:
    subject, figure, seconds, share = line.split()
    if figure == "crash":
        sys.exit("it has crashed")
    print(f"{seconds} {subject}, {figure}")
    print(f"1.0e-3 share {share}")
    print("done", flush=True)
"""


def test_rows_have_names_of_any_number_of_words() -> None:
    assert values_in(["1.5 \n", "2 call, 100,000\n", "1.0e-4 max\n"]) == {
        "": 1.5, "call, 100,000": 2.0, "max": 0.0001,
    }  # fmt: skip


def test_one_program_measures_one_figure_after_the_other() -> None:
    beam = Beam(sys.executable, "-c", ANSWERS)
    try:
        for figure in ("call", "cast"):
            assert beam.measure("calls", figure, QUICK) == {
                f"calls, {figure}": 0.0005, "share 0.000500": 0.001,
            }  # fmt: skip
    finally:
        beam.close()


def test_a_program_that_ends_is_an_error() -> None:
    beam = Beam(sys.executable, "-c", ANSWERS)
    try:
        with pytest.raises(RuntimeError, match="Elixir ended while it measured crash"):
            beam.measure("calls", "crash", QUICK)
    finally:
        beam.close()


def test_a_program_that_was_never_needed_is_closed_too() -> None:
    Beam("no such program").close()


def test_everything_asked_of_elixir_is_there() -> None:
    asked: set[tuple[str, str]] = set()
    for subject in SUBJECTS:
        for figure in subject.figures:
            for contender in figure.contenders:
                if contender.side == ELIXIR:
                    assert isinstance(contender.measure, partial)
                    asked.add((contender.measure.args[0], contender.measure.args[1]))
    programs = {path.stem: path.read_text() for path in FOLDER.glob("[!_]*.exs")}
    there = {
        (name, function.replace("_", "-"))
        for name, source in programs.items()
        for function in re.findall(r"^  def (\w+)\(effort\)", source, re.MULTILINE)
    }
    assert asked == there
