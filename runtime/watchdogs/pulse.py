"""Whether the loop of a node turns, seen from other threads.

Asking puts one callback into the loop, which it runs at its next turn. Nothing is locked: an answer
to anybody's question says that the loop has turned since everybody's.
"""

from __future__ import annotations

import time
from contextlib import suppress

import trio
from trio.lowlevel import TrioToken


class Pulse:
    """One question at a time. ``asked_at`` is when, monotonic, and ``None`` once it is answered."""

    __slots__ = ("_token", "asked_at")

    def __init__(self, token: TrioToken) -> None:
        self._token = token
        self.asked_at: float | None = None

    def ask(self) -> None:
        """Let the loop answer, unless it still owes an answer."""
        if self.asked_at is None:
            self.asked_at = time.monotonic()
            with suppress(trio.RunFinishedError):
                self._token.run_sync_soon(self._answer)

    def late(self) -> float:
        """For how many seconds the loop has owed an answer; 0 if it owes none."""
        asked_at = self.asked_at  # another thread may change it between two lines
        return 0.0 if asked_at is None else time.monotonic() - asked_at

    def _answer(self) -> None:
        self.asked_at = None
