"""Every row of the group BW: pipelines."""

from __future__ import annotations

from tests.conformance.bw import (
    acknowledging,
    batching,
    declaring,
    draining,
    events,
    failing,
    limiting,
    ordering,
    processing,
    supervising,
    trying,
)
from tests.conformance.scenarios import every_row, scenarios_in

SCENARIOS = scenarios_in(
    declaring,
    supervising,
    processing,
    failing,
    batching,
    acknowledging,
    limiting,
    ordering,
    draining,
    trying,
    events,
)

test_row = every_row("BW", SCENARIOS)
