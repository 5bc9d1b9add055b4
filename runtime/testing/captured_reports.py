"""What a node reports, as typed events instead of log lines. ExUnit: ``capture_log``."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import TypeVar, get_args

from runtime.current import current_table
from runtime.instruments import Event, Instrument
from runtime.reports import log_reports

E = TypeVar("E", bound=Event)


class Reports(list[Event]):
    """The events of a node, in the order in which it told them."""

    def of(self, kind: type[E]) -> list[E]:
        """Those of one class: ``reports.of(ProcessCrashed)``."""
        return [event for event in self if isinstance(event, kind)]


@contextmanager
def capture_reports() -> Generator[Reports]:
    """Within the block what the node reports is collected, and not logged.

    Every event that an instrument could get: starts and ends of processes, crashes, restarts,
    dropped and unexpected messages. In an open node. Instruments of your own go on as before.
    """
    reports = Reports()
    instruments = current_table().instruments
    instrument = Instrument(reports.append, get_args(Event))
    logged = instruments.remove(log_reports)
    instruments.add(instrument)
    try:
        yield reports
    finally:
        instruments.remove(instrument)
        if logged:
            instruments.add(log_reports)
