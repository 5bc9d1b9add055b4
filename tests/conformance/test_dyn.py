"""Every row of the group DYN: DynamicSupervisor."""

from __future__ import annotations

from tests.conformance.dyn import options, places, refused, restarts, starting, stopping
from tests.conformance.scenarios import every_row, scenarios_in

SCENARIOS = scenarios_in(options, places, refused, restarts, starting, stopping)

test_row = every_row("DYN", SCENARIOS)
