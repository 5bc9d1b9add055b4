"""What is to be checked, who is at it, and what is done: the frontier's book-keeping.

No process, no clock and no I/O, so that it can be tested by itself.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Hashable
from typing import Generic, TypeVar

Holder = TypeVar("Holder", bound=Hashable)

MAX_ATTEMPTS = 3


class WorkList(Generic[Holder]):
    """Addresses to check, each given to one holder at a time and at most ``limit`` in all."""

    def __init__(self, limit: int | None = None, done: int = 0) -> None:
        self.done = done
        self._limit = limit
        self._queue: deque[str] = deque()
        self._seen: set[str] = set()
        self._held: dict[Holder, str] = {}
        self._deaths: Counter[str] = Counter()

    def __contains__(self, url: str) -> bool:
        """Whether ``url`` was added or skipped before."""
        return url in self._seen

    @property
    def total(self) -> int:
        """How many will have been checked when all that is known now is done."""
        total = self.done + len(self._held) + len(self._queue)
        return total if self._limit is None else min(total, self._limit)

    @property
    def is_finished(self) -> bool:
        """Whether nothing is in hand and nothing more may be taken."""
        return not self._held and self.next is None

    @property
    def next(self) -> str | None:
        """What ``take`` would give; ``None`` if there is nothing to take."""
        if self._limit is not None and self.done + len(self._held) >= self._limit:
            return None
        return self._queue[0] if self._queue else None

    def skip(self, url: str) -> None:
        """Never queue ``url``."""
        self._seen.add(url)

    def add(self, url: str) -> None:
        """Queue ``url`` unless it was added or skipped before."""
        if url not in self:
            self._seen.add(url)
            self._queue.append(url)

    def take(self, holder: Holder) -> None:
        """Give ``next``, which must be there, to ``holder``, who has none."""
        self._held[holder] = self._queue.popleft()

    def finish(self, holder: Holder) -> None:
        """``holder`` has dealt with what it had, if it had any."""
        url = self._held.pop(holder, None)
        if url is not None:
            del self._deaths[url]
            self.done += 1

    def give_back(self, holder: Holder) -> None:
        """``holder`` is gone: what it had is next in the queue."""
        url = self._held.pop(holder, None)
        if url is not None:
            self._queue.appendleft(url)

    def count_death(self, holder: Holder) -> str | None:
        """``holder`` has died of what it had; that is returned if it was one too many."""
        url = self._held.get(holder)
        if url is None:
            return None
        self._deaths[url] += 1
        return url if self._deaths[url] >= MAX_ATTEMPTS else None
