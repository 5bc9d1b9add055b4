"""Every row of the group PAR: PartitionSupervisor."""

from __future__ import annotations

from tests.conformance.par import life, routing, starting
from tests.conformance.scenarios import every_row, scenarios_in

SCENARIOS = scenarios_in(life, routing, starting)

test_row = every_row("PAR", SCENARIOS)
