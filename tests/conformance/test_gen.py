"""Every row of the group GEN: GenServer."""

from __future__ import annotations

from tests.conformance.gen import (
    callbacks,
    calling,
    ending,
    idle,
    naming,
    parents,
    starting,
    stopping,
)
from tests.conformance.scenarios import every_row, scenarios_in

SCENARIOS = scenarios_in(callbacks, calling, ending, idle, naming, parents, starting, stopping)

test_row = every_row("GEN", SCENARIOS)
