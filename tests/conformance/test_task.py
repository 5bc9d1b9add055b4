"""Every row of the group TASK: Task."""

from __future__ import annotations

from tests.conformance.scenarios import every_row, scenarios_in
from tests.conformance.task import awaiting, linking, many, places, shutting_down, yielding

SCENARIOS = scenarios_in(awaiting, linking, many, places, shutting_down, yielding)

test_row = every_row("TASK", SCENARIOS)
