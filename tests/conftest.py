"""What every test has at hand: a node that is checked for leaks, and its events.

Virtual time and the seed of the schedule come from the plugin that users have too,
``supervisors.fixtures``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import get_args

import pytest

from runtime import Event, Instrument, Node, open_node
from runtime.process import Process, table_var
from runtime.process_table import ProcessTable
from runtime.testing import Reports

# What scenarios and parts assert is shown like what tests assert.
pytest.register_assert_rewrite(
    "tests.conformance", "tests.models", "tests.oracle", "tests.runtime", "tests.supervisors"
)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many lines differ from Elixir's, if they were compared, also by workers of xdist."""
    from tests.oracle.comparing import summary

    compared = (one for reports in terminalreporter.stats.values() for one in reports)
    if any((getattr(one, "nodeid", None) or "").startswith("tests/oracle/") for one in compared):
        terminalreporter.write_line(f"{summary()} (python -m tests.oracle --differences)")


class Recorder(Reports):
    """The events of a node from its first moment on, in order."""

    @property
    def instrument(self) -> Instrument:
        """Subscribed to everything."""
        return Instrument(self.append, get_args(Event))


@pytest.fixture
def events() -> Recorder:
    """What the ``node`` fixture's node has told so far."""
    return Recorder()


@pytest.fixture
async def node(events: Recorder) -> AsyncIterator[Node]:
    """An open node. What the test leaves running the node must end, to the last process."""
    tables: list[ProcessTable[Process]] = []
    async with open_node(instruments=[events.instrument]) as node:
        tables.append(table_var.get())
        yield node
    (table,) = tables
    assert table.by_pid == {}, "processes are left"
    assert table.by_name == {}, "names are left"
    assert table.roots == {}, "roots are left"
    assert table.tables == {}, "tables are left"
