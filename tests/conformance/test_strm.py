"""Every row of the group STRM: streams."""

from __future__ import annotations

from tests.conformance.scenarios import every_row, scenarios_in
from tests.conformance.strm import leaving, limits, pulling, task_ends, together

SCENARIOS = scenarios_in(pulling, task_ends, limits, leaving, together)

test_row = every_row("STRM", SCENARIOS)
