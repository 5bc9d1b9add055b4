"""Processors: ``prepare_messages`` and ``handle_message``. Elixir: ``Broadway``'s of that name.

There are two kinds, as a stage is one or the other: those that hand messages on to batchers, and
those that are the last.
"""

from __future__ import annotations
