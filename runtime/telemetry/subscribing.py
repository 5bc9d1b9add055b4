"""Adding instruments to a node that runs, from anywhere in it."""

from __future__ import annotations

from runtime.current import current_table
from runtime.instruments import Instrument


def add_instrument(instrument: Instrument) -> None:
    """Let the open node tell ``instrument`` its events too, from now on.

    Those that the node opens with are given to ``run``, ``open_supervisor`` or ``open_node``. Added
    twice it is told twice.
    """
    current_table().instruments.add(instrument)


def remove_instrument(instrument: Instrument) -> bool:
    """Tell ``instrument`` nothing any more; whether it was there. Also ``log_reports`` can go."""
    return current_table().instruments.remove(instrument)
