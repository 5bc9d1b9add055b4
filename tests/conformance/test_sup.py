"""Every row of the group SUP: Supervisor."""

from __future__ import annotations

from tests.conformance.scenarios import every_row, scenarios_in
from tests.conformance.sup import (
    intensity,
    nested,
    requests,
    restart_types,
    retrying,
    significant,
    specs,
    starting,
    stopping,
    strategies,
)

SCENARIOS = scenarios_in(
    starting, specs, strategies, restart_types, intensity, retrying, requests, stopping, nested,
    significant,
)  # fmt: skip

test_row = every_row("SUP", SCENARIOS)
