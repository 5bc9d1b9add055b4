"""What every test has at hand: virtual time, a schedule that replays, a node that is checked for
leaks, its events."""

from __future__ import annotations

import inspect
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TypeVar, get_args

import pytest
import trio
import trio.testing

from runtime import Event, Instrument, Node, open_node
from runtime.process import Process, table_var
from runtime.process_table import ProcessTable
from runtime.testing import Reports

T = TypeVar("T")

END_OF_TIME = 1e12

# What scenarios and parts assert is shown like what tests assert.
pytest.register_assert_rewrite(
    "tests.conformance", "tests.models", "tests.oracle", "tests.runtime", "tests.supervisors"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--schedule`` repeats the order of tasks of another run."""
    parser.addoption(
        "--schedule",
        type=int,
        default=random.randrange(1_000_000),
        metavar="SEED",
        help="the seed of Trio's scheduler, by default another one in each run",
    )


def pytest_report_header(config: pytest.Config) -> str:
    """Printed first, so that whatever fails can be repeated."""
    return f"schedule: {schedule_of(config)}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Printed last as well, since the header is not shown with ``-q``."""
    if terminalreporter.stats.get("failed"):
        seed = schedule_of(terminalreporter.config)
        terminalreporter.write_line(f"the order of tasks is repeated with --schedule {seed}")


def schedule_of(config: pytest.Config) -> int:
    """The seed of this run."""
    return int(str(config.getoption("--schedule")))


def pytest_runtest_call(item: pytest.Item) -> None:
    """Seed the order in which Trio runs tasks that are ready at once; each test its own way."""
    trio._core._run._r.seed(f"{schedule_of(item.config)} {item.nodeid}")


def run_in_virtual_time(
    fn: Callable[[], Awaitable[T]],
    *,
    clock: trio.abc.Clock | None,
    instruments: Sequence[trio.abc.Instrument],
) -> T:
    """``trio.run`` on a clock that jumps to the next deadline whenever all tasks wait.

    A test that hangs is one that waits for ever: it fails at once, at the end of virtual time.
    """

    async def until_the_end_of_time() -> T:
        with trio.fail_after(END_OF_TIME):
            return await fn()

    virtual = clock or trio.testing.MockClock(autojump_threshold=0)
    return trio.run(until_the_end_of_time, clock=virtual, instruments=instruments)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every async test runs in virtual time, unless it is marked ``real_clock``."""
    for item in items:
        if inspect.iscoroutinefunction(getattr(item, "function", None)) and (
            item.get_closest_marker("real_clock") is None
        ):
            item.add_marker(pytest.mark.trio(run=run_in_virtual_time))


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
