"""Every row of the group SYS: introspection and timers."""

from __future__ import annotations

from tests.conformance.scenarios import every_row, scenarios_in
from tests.conformance.sys import directing, looking_in, timers, tracing

SCENARIOS = scenarios_in(looking_in, directing, timers, tracing)

test_row = every_row("SYS", SCENARIOS)
