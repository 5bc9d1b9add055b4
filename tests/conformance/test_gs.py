"""Every row of the group GS: stages."""

from __future__ import annotations

from tests.conformance.gs import (
    broadcast,
    buffering,
    by_demand,
    by_partition,
    cancelling,
    demand,
    manual,
    middle,
    supervised,
)
from tests.conformance.scenarios import every_row, scenarios_in

SCENARIOS = scenarios_in(
    demand, buffering, middle, by_demand, broadcast, by_partition, cancelling, manual, supervised
)

test_row = every_row("GS", SCENARIOS)
