"""Every row of the group PROC: mailbox, links, monitors, exit signals."""

from __future__ import annotations

from tests.conformance.proc import ends, facts, links, mailbox, monitors, names, signals
from tests.conformance.scenarios import every_row, scenarios_in

SCENARIOS = scenarios_in(ends, facts, links, mailbox, monitors, names, signals)

test_row = every_row("PROC", SCENARIOS)
