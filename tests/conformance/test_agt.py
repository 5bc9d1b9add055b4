"""Every row of the group AGT: agents."""

from __future__ import annotations

from tests.conformance.agt import failing, living, working
from tests.conformance.scenarios import every_row, scenarios_in

SCENARIOS = scenarios_in(failing, living, working)

test_row = every_row("AGT", SCENARIOS)
