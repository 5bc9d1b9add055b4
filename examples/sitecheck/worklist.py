"""What is to be checked, who is at it, and what is done: the frontier's book-keeping.

No process, no clock and no I/O, so that it can be tested by itself.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from typing import Generic, TypeVar

import msgspec

Holder = TypeVar("Holder", bound=Hashable)

MAX_ATTEMPTS = 3


class Work(msgspec.Struct, frozen=True):
    """One address to check. ``hopeless``: whoever had it before died of it, so only say so."""

    url: str
    hopeless: bool = False


class WorkList(Generic[Holder]):
    """Addresses to check, each given to one holder at a time and at most ``limit`` in all."""

    def __init__(self, limit: int | None = None, done: int = 0) -> None:
        self.done = done
        self._limit = limit
        self._queue: deque[str] = deque()
        self._seen: set[str] = set()
        self._held: dict[Holder, str] = {}
        self._attempts: dict[str, int] = {}

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
        return not self._held and not self.has_work

    @property
    def has_work(self) -> bool:
        """Whether ``take`` would give something."""
        if self._limit is not None and self.done + len(self._held) >= self._limit:
            return False
        return bool(self._queue)

    def skip(self, url: str) -> None:
        """Never queue ``url``."""
        self._seen.add(url)

    def add(self, url: str) -> None:
        """Queue ``url`` unless it was added or skipped before."""
        if url not in self:
            self._seen.add(url)
            self._queue.append(url)

    def take(self, holder: Holder) -> Work:
        """Give the next address to ``holder``, who has none; there must be one (``has_work``)."""
        url = self._queue.popleft()
        self._held[holder] = url
        attempt = self._attempts[url] = self._attempts.get(url, 0) + 1
        return Work(url, hopeless=attempt > MAX_ATTEMPTS)

    def finish(self, holder: Holder) -> bool:
        """``holder`` has dealt with what it had; ``False`` if it had nothing."""
        url = self._held.pop(holder, None)
        if url is None:
            return False
        self._attempts.pop(url, None)
        self.done += 1
        return True

    def give_back(self, holder: Holder) -> None:
        """``holder`` is gone: what it had is next in the queue."""
        url = self._held.pop(holder, None)
        if url is not None:
            self._queue.appendleft(url)
