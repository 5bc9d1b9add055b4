"""What a node holds, in numbers that can be added up over nodes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import msgspec


class BehaviourCounts(msgspec.Struct, frozen=True):
    """The processes of one behaviour: how many, and what waits in their mailboxes.

    ``messages`` are those that wait, together; ``longest`` is the longest mailbox among them.
    """

    processes: int
    messages: int
    longest: int

    def __add__(self, more: BehaviourCounts) -> BehaviourCounts:
        return BehaviourCounts(
            self.processes + more.processes,
            self.messages + more.messages,
            max(self.longest, more.longest),
        )


CountNode: TypeAlias = Callable[[], dict[str, BehaviourCounts]]
"""Counts the processes of an open node by behaviour; in any thread."""
