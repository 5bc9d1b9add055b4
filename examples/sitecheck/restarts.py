"""How often a supervisor restarted something: an instrument that counts."""

from __future__ import annotations

from collections import Counter

from runtime import ChildEnded, Event, Instrument


class RestartCount:
    """Give ``instrument`` to the node; ``by_child`` says how often each child was restarted.

    A child that is restarted only because another one was does not count.
    """

    def __init__(self) -> None:
        self.by_child: Counter[str] = Counter()
        self.instrument = Instrument(self._count, (ChildEnded,))

    def _count(self, event: Event) -> None:
        if isinstance(event, ChildEnded) and event.action.startswith("restart"):
            self.by_child[str(event.child_id)] += 1
