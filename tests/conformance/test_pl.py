"""Every row of the group PL: pools."""

from __future__ import annotations

from tests.conformance.pl import lending, replacing
from tests.conformance.scenarios import every_row, scenarios_in

SCENARIOS = scenarios_in(lending, replacing)

test_row = every_row("PL", SCENARIOS)
