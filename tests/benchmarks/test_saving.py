from __future__ import annotations

import json

import msgspec
import pytest

from benchmarks.effort import Effort, Values
from benchmarks.figure import OURS, TRIO, Contender, Figure, Row, Subject, Target
from benchmarks.loading import measured_before, run_in
from benchmarks.rounds import Samples
from benchmarks.run import Run, machine
from benchmarks.saving import as_json
from benchmarks.table import tables


def unused(effort: Effort) -> Values:
    raise AssertionError("nothing is measured here")


def test_every_sample_is_there_also_of_what_no_table_shows() -> None:
    rows = (Row("p50", Target(1.5, TRIO), "ms"),)
    ours, trio = Contender(OURS, unused), Contender(TRIO, unused, "deque")
    figure = Figure("late", "lateness", "one timer", (ours, trio), rows)
    subject = Subject("clocks", "Clocks", (figure,))
    samples: Samples = {
        ours: [{"p50": 1.0, "p75": 2.0}, {"p50": 3.0, "p75": 4.0}],
        trio: [{"p50": 5.0}, {"p50": 6.0}],
    }
    run = Run({"cores": 2}, 2, 0.05, 1.0, [(subject, figure, samples)])
    saved = as_json(run)
    assert json.loads(json.dumps(saved)) == {
        "machine": {"cores": 2},
        "rounds": 2,
        "seconds": 0.05,
        "share": 1.0,
        "figures": [
            {
                "name": "late",
                "subject": "clocks",
                "section": "Clocks",
                "ratios": [["ours", "trio"], ["ours", "elixir"]],
                "title": "lateness",
                "operation": "one timer",
                "rows": [
                    {
                        "name": "p50",
                        "unit": "ms",
                        "shown": True,
                        "target": {"most": 1.5, "beside": "trio"},
                        "contenders": [
                            {"side": "ours", "way": "", "samples": [1.0, 3.0]},
                            {"side": "trio", "way": "deque", "samples": [5.0, 6.0]},
                        ],
                    },
                    {
                        "name": "p75",
                        "unit": "ms",
                        "shown": False,
                        "target": None,
                        "contenders": [
                            {"side": "ours", "way": "", "samples": [2.0, 4.0]},
                            {"side": "trio", "way": "deque", "samples": []},
                        ],
                    },
                ],
            }
        ],
    }
    again = run_in(json.dumps(saved))
    assert as_json(again) == saved
    assert tables(again.results) == tables(run.results)
    assert again.samples_of("late") == {
        Contender(OURS, measured_before): samples[ours],
        Contender(TRIO, measured_before, "deque"): samples[trio],
    }
    assert again.samples_of("later") is None


def test_a_stored_run_is_not_measured_again() -> None:
    with pytest.raises(NotImplementedError):
        measured_before(Effort())


def test_what_is_no_run_is_refused_with_the_place() -> None:
    run = {"machine": {}, "rounds": 1, "seconds": 1.0, "share": 1.0, "figures": [{"name": 5}]}
    with pytest.raises(msgspec.ValidationError, match=r"`\$\.figures\[0\]\.name`"):
        run_in(json.dumps(run))


def test_the_machine_is_described_without_its_name() -> None:
    described = machine("1.14.0")
    assert described.keys() == {
        "python", "implementation", "trio", "elixir", "system", "cores", "switch interval",
    }  # fmt: skip
    assert described["elixir"] == "1.14.0"
