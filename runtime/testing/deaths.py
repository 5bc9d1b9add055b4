"""Who has died of what: the memory that lets a test ask after the fact."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Final

from trio.lowlevel import RunVar

from runtime.current import current_table
from runtime.exits import ExitReason
from runtime.instruments import Event, Instrument, ProcessEnded
from runtime.pid import Pid

# What each block that is open has noted: they may overlap, in any order.
_noted: Final[RunVar[tuple[dict[Pid, ExitReason], ...]]] = RunVar("runtime_testing_deaths", ())


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
    _noted.set((*_noted.get(), deaths))
    try:
        yield
    finally:
        _noted.set(tuple(noted for noted in _noted.get() if noted is not deaths))
        instruments.remove(instrument)


def known_deaths() -> Mapping[Pid, ExitReason]:
    """What any open block remembers; empty outside of ``remember_deaths``."""
    return ChainMap(*_noted.get())
