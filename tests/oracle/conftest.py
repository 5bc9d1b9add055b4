"""How many lines differ from Elixir's is said after every run of these tests."""

from __future__ import annotations

import pytest

from tests.oracle.comparing import summary


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    terminalreporter.write_line(f"{summary()} (python -m tests.oracle --differences)")
