from __future__ import annotations

import json

from benchmarks.effort import QUICK, Effort, Values
from benchmarks.figure import OURS, TRIO, Contender, Figure, Row, Subject, Target
from benchmarks.rounds import Plan, Samples
from benchmarks.saving import as_json, machine


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
    saved = as_json(Plan(2, QUICK), [(subject, figure, samples)])
    assert json.loads(json.dumps(saved)) == {
        "machine": machine(),
        "rounds": 2,
        "seconds": 0.0005,
        "share": 0.0005,
        "figures": [
            {
                "name": "late",
                "subject": "clocks",
                "section": "Clocks",
                "title": "lateness",
                "operation": "one timer",
                "rows": [
                    {
                        "name": "p50",
                        "unit": "ms",
                        "target": {"most": 1.5, "beside": "trio"},
                        "contenders": [
                            {"side": "ours", "way": "", "samples": [1.0, 3.0]},
                            {"side": "trio", "way": "deque", "samples": [5.0, 6.0]},
                        ],
                    },
                    {
                        "name": "p75",
                        "unit": "ms",
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


def test_the_machine_is_described_without_its_name() -> None:
    assert machine().keys() == {
        "python", "implementation", "trio", "system", "cores", "switch interval",
    }  # fmt: skip
