"""What every test has at hand: a node that is checked for leaks, and its events.

Virtual time and the seed of the schedule come from the plugin that users have too,
``supervisors.fixtures``.
"""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator

import pytest
from _pytest.mark import ParameterSet
from hypothesis import settings

from runtime import Instrument, Node, open_node
from runtime.instruments import REPORTS
from runtime.process import Process, table_var
from runtime.process_table import SWITCH, ProcessTable
from runtime.testing import Reports

# What scenarios and parts assert is shown like what tests assert.
pytest.register_assert_rewrite(
    "tests.conformance", "tests.models", "tests.oracle", "tests.runtime", "tests.supervisors"
)

# How long an example takes is the machine's business: no test is about real time.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--queued``: the other way to dispatch calls."""
    parser.addoption(
        "--queued",
        action="store_true",
        help=f"every call goes by the mailbox, as with {SWITCH}=0 in the environment",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Also for the programs that tests start."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job ignores it
    if config.getoption("--queued"):
        os.environ[SWITCH] = "0"


def pytest_report_header() -> str:
    """Printed first, so that whatever fails can be repeated."""
    return f"calls: {'queued' if is_queued() else 'inline'}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How calls went, as the header is not shown with ``-q``; how many lines differ from Elixir's.

    The last if they were compared, also by workers of xdist.
    """
    from tests.oracle.comparing import summary

    if is_queued() and terminalreporter.stats.get("failed"):
        terminalreporter.write_line("and calls are dispatched as they were with --queued")
    compared = (one for reports in terminalreporter.stats.values() for one in reports)
    if any((getattr(one, "nodeid", None) or "").startswith("tests/oracle/") for one in compared):
        terminalreporter.write_line(f"{summary()} (python -m tests.oracle --differences)")


def is_queued() -> bool:
    """Whether every call of this run goes by the mailbox."""
    return os.environ.get(SWITCH) == "0"


@pytest.fixture
def dispatch(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How nodes opened from now on dispatch calls: ``inline``, ``queued`` or ``as ever``."""
    mode = str(request.param)
    if mode == "queued":
        monkeypatch.setenv(SWITCH, "0")
    elif mode == "inline":
        monkeypatch.delenv(SWITCH, raising=False)
    return mode


def in_both_modes(*names: str) -> list[ParameterSet]:
    """Each name, as the run dispatches calls, and as ``NAME-queued`` with all of them queued."""
    return [
        pytest.param(name, mode, id=name if mode == "as ever" else f"{name}-{mode}")
        for mode in ("as ever", "queued")
        for name in names
    ]


class Recorder(Reports):
    """The events of a node from its first moment on, in order."""

    @property
    def instrument(self) -> Instrument:
        """Subscribed to everything but what ordinary work tells."""
        return Instrument(self.append, REPORTS)


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
