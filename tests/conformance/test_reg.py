"""Every row of the group REG: Registry."""

from __future__ import annotations

from tests.conformance.reg import (
    asking,
    dispatching,
    ending,
    listening,
    locking,
    naming,
    registering,
    running,
)
from tests.conformance.scenarios import every_row, scenarios_in

SCENARIOS = scenarios_in(
    asking, dispatching, ending, listening, locking, naming, registering, running
)

test_row = every_row("REG", SCENARIOS)
