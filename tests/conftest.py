"""What every test has at hand: virtual time, a node that is checked for leaks, its events."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TypeVar, get_args

import pytest
import trio
import trio.testing

from runtime import Event, Instrument, Node, open_node
from runtime.process import Process, table_var
from runtime.process_table import ProcessTable

T = TypeVar("T")

END_OF_TIME = 1e12


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


class Recorder(list[Event]):
    """The events of a node, in order."""

    def of(self, kind: type[T]) -> list[T]:
        """Those of one class."""
        return [event for event in self if isinstance(event, kind)]

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
