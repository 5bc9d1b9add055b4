"""Every row of the group TSUP: TaskSupervisor."""

from __future__ import annotations

from tests.conformance.scenarios import every_row, scenarios_in
from tests.conformance.tsup import children, starting, stopping

SCENARIOS = scenarios_in(children, starting, stopping)

test_row = every_row("TSUP", SCENARIOS)
