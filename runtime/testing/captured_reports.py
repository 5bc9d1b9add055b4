"""What a node reports, as typed events instead of log lines. ExUnit: ``capture_log``."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final, TypeVar

from trio.lowlevel import RunVar

from runtime.instruments import REPORTS, Event, Instrument, Instruments
from runtime.reports import log_reports
from runtime.testing.nodes import table_of_test

E = TypeVar("E", bound=Event)

# Whose log is silent: the node's, once for each block that is open. The last to leave turns it on.
_silent: Final[RunVar[tuple[Instruments, ...]]] = RunVar("runtime_testing_silent", ())


class Reports(list[Event]):
    """The events of a node, in the order in which it told them."""

    def of(self, kind: type[E]) -> list[E]:
        """Those of one class: ``reports.of(ProcessCrashed)``."""
        if not any(kind is one for one in REPORTS):
            allowed = "allowed is a class of events such as ProcessCrashed"
            raise TypeError(f"kind: got {kind!r}, {allowed}")
        return [event for event in self if isinstance(event, kind)]


@contextmanager
def capture_reports() -> Generator[Reports]:
    """Within the block what the node reports is collected, and not logged.

    Starts and ends of processes, crashes, restarts, dropped and unexpected messages: every event
    that an instrument could get but ``CallEnded`` and ``PermitsGranted``, which ordinary work
    tells. In an open node. Instruments of your own go on as before.
    """
    reports = Reports()
    instruments = table_of_test().instruments
    instrument = Instrument(reports.append, REPORTS)
    silent = instruments.remove(log_reports) or instruments in _silent.get()
    if silent:
        _silent.set((*_silent.get(), instruments))
    instruments.add(instrument)
    try:
        yield reports
    finally:
        instruments.remove(instrument)
        if silent:
            others = list(_silent.get())
            others.remove(instruments)
            _silent.set(tuple(others))
            if instruments not in others:
                instruments.add(log_reports)
