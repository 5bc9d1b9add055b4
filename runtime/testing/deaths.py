"""Who has died of what: the memory that lets a test ask after the fact."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from trio.lowlevel import RunVar

from runtime.current import current_table
from runtime.exits import ExitReason
from runtime.instruments import Event, Instrument, ProcessEnded
from runtime.pid import Pid

_deaths: Final[RunVar[dict[Pid, ExitReason]]] = RunVar("runtime_testing_deaths")


@contextmanager
def remember_deaths() -> Generator[None]:
    """Within the block ``assert_down`` also knows why processes ended that are dead already.

    In an open node. The ``node`` fixture does this by itself.
    """
    deaths: dict[Pid, ExitReason] = {}

    def note(event: Event) -> None:
        assert isinstance(event, ProcessEnded)
        deaths[event.pid] = event.reason

    instruments = current_table().instruments
    instrument = Instrument(note, (ProcessEnded,))
    instruments.add(instrument)
    token = _deaths.set(deaths)
    try:
        yield
    finally:
        _deaths.reset(token)
        instruments.remove(instrument)


def known_deaths() -> dict[Pid, ExitReason]:
    """What is remembered; empty outside of ``remember_deaths``."""
    return _deaths.get({})
