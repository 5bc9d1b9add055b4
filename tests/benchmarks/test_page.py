"""The page says what the stored run says, and its plots are drawn from the same."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.catalogue import SUBJECTS
from benchmarks.curves import digest, latency_panel, scale_panels
from benchmarks.effort import Effort, Values
from benchmarks.figure import OURS, TRIO, Contender, Figure, Row, Subject, Target
from benchmarks.loading import run_in
from benchmarks.page import WrongPage, ran_on, written
from benchmarks.rounds import Samples
from benchmarks.run import Machine, Run
from benchmarks.saving import as_json
from runtime.turn import LOOK_EVERY, MESSAGES, SECONDS
from supervisors.interpreter import SWITCH_INTERVAL

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "performance.md").read_text()
STORED = (DOCS / "performance.json").read_text()
OF: Machine = {"implementation": "CPython", "python": "3.11.7", "trio": "0.35.0", "elixir": "",
      "system": "Linux x86_64", "cores": 2}  # fmt: skip


def unused(effort: Effort) -> Values:
    raise AssertionError("nothing is measured here")


def run_of(**rows: float) -> Run:
    """A run of one figure with a target, and with these values of ours; Trio's are 2."""
    figure = Figure(
        "call", "call", "operation", (), tuple(Row(name, Target(1, TRIO)) for name in rows)
    )
    samples: Samples = {
        Contender(OURS, unused): [dict(rows)],
        Contender(TRIO, unused): [dict.fromkeys(rows, 2.0)],
    }
    return Run(OF, 7, 0.05, 1.0, [(Subject("calls", "Messages", (figure,)), figure, samples)])


def page(*names: str) -> str:
    return "".join(f"Text\n\n<!-- bench: {name} -->\nold\n<!-- end -->\n" for name in names)


def test_the_tables_of_the_page_are_those_of_the_stored_run() -> None:
    assert written(PAGE, run_in(STORED)) == PAGE


def test_the_plots_are_of_the_stored_run() -> None:
    run = run_in(STORED)
    scale, latency = run.samples_of("scale"), run.samples_of("latency")
    assert scale is not None
    assert latency is not None
    for name, panels in (("scale", scale_panels(scale)), ("latency", [latency_panel(latency)])):
        drawn = (DOCS / f"performance-{name}.svg").read_text()
        assert re.findall("<dc:description>(.*?)</dc:description>", drawn) == [digest(panels)]


def test_the_numbers_in_the_text_are_those_of_the_code() -> None:
    assert f"after {SWITCH_INTERVAL * 1000:g} ms instead of 5 ms" in " ".join(PAGE.split())
    assert (MESSAGES, SECONDS) == (256, 0.001)
    assert "256 calls or a millisecond" in PAGE
    assert (LOOK_EVERY, "looks every sixteen" in PAGE) == (16, True)


def test_the_stored_run_is_of_every_figure_with_every_side() -> None:
    stored = json.loads(STORED)["figures"]
    assert [(one["subject"], one["name"], one["title"], one["operation"]) for one in stored] == [
        (subject.name, figure.name, figure.title, figure.operation)
        for subject in SUBJECTS for figure in subject.figures
    ]  # fmt: skip
    for one, figure in zip(stored, (f for s in SUBJECTS for f in s.figures), strict=True):
        shown = [row for row in one["rows"] if row["shown"]]
        assert [row["name"] for row in shown] == [row.name for row in figure.rows]
        sides = [(contender.side, contender.way) for contender in figure.contenders]
        for row in shown:
            assert [(by["side"], by["way"]) for by in row["contenders"]] == sides


def test_a_stored_run_is_stored_as_it_was() -> None:
    assert as_json(run_in(STORED)) == json.loads(STORED)


def test_blocks_are_replaced_and_nothing_else() -> None:
    text = written("# Title\n" + page("targets", "run", "Messages") + "End\n", run_of(p50=1.0))
    blocks = {
        "targets": """\
|           | came to |     target | met |
|-----------|--------:|-----------:|----:|
| call, p50 |   0.500 | ≤ 1 x trio | yes |""",
        "run": "CPython 3.11.7, Trio 0.35.0, Linux x86_64 with 2 cores, at most 7 rounds.",
        "Messages": """\
|           | ours | trio | ours/trio |     target | met |
|-----------|-----:|-----:|----------:|-----------:|----:|
| call, p50 | 1.00 | 2.00 |     0.500 | ≤ 1 x trio | yes |""",
    }
    assert (
        text
        == "# Title\n"
        + "".join(
            f"Text\n\n<!-- bench: {name} -->\n\n{block}\n\n<!-- end -->\n"
            for name, block in blocks.items()
        )
        + "End\n"
    )
    assert written(text, run_of(p50=1.0)) == text
    assert written(text, run_of(p50=3.0)) != text


@pytest.mark.parametrize(
    "names",
    [("run", "targets"), ("run", "targets", "Messages", "More"), ("run", "run", "targets")],
)
def test_a_page_with_less_or_more_than_the_run_is_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(WrongPage, match="the run \\['Messages', 'run', 'targets'\\]"):
        written(page(*names), run_of(p50=1.0))


def test_a_quick_run_says_that_it_says_nothing() -> None:
    run = run_of(p50=1.0)
    elixir = replace(run, machine={**OF, "elixir": "1.14.0 on OTP 25 (jit)"})
    assert ran_on(elixir) == (
        "CPython 3.11.7, Trio 0.35.0, Elixir 1.14.0 on OTP 25 (jit), Linux x86_64 with 2 cores, "
        "at most 7 rounds."
    )
    assert ran_on(replace(run, rounds=1)).endswith(" with 2 cores, one round.")
    assert ran_on(replace(run, share=0.0005)).endswith(
        "\n\n**A quick run, to see that everything works: its figures say nothing.**"
    )
