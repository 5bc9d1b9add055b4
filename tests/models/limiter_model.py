"""What a limiter promises, as plain data: a queue, permits that are out, a bucket of tokens.

Written from section 19 of the contract and the docstrings of ``RateLimiter``, ``RateLimiterRef``
and ``LimiterStats``. The bucket is the textbook's: a number of tokens that grows with time, in
fractions. While the limiter is suspended what comes waits in ``inbox``; time passes all the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

Outcome = tuple[object, ...]
CHANGE_PATIENCE = 5.0


@dataclass(eq=False)
class Ask:
    """One caller; ``holder`` is its process. ``tries`` is what it gets instead of a wait."""

    holder: str | None
    deadline: float = math.inf
    tries: Outcome | None = None
    in_block: bool = False
    since: float = 0.0
    outcome: Outcome | None = None  # what the call ended with, and when
    number: int = 0  # of its permit
    given_by: LimiterModel | None = None

    def end(self, now: float, *outcome: object) -> None:
        """The call ends, in one way (3.1)."""
        if self.outcome is None:
            self.outcome = (*outcome, now)

    def give_back(self) -> None:
        """The permit comes back to whom it is from; one that has ended takes nothing back."""
        if self.given_by is not None:
            self.given_by.release(self.number)

    def leave_block(self) -> None:
        """By whatever way."""
        if self.in_block:
            self.in_block = False
            self.give_back()


@dataclass
class Bucket:
    """Tokens that come at a rate and are kept up to ``size``."""

    rate: float
    per: float
    size: int
    tokens: Fraction
    at: Fraction

    @classmethod
    def full(cls, rate: float, per: float, burst: int | None, now: float) -> Bucket:
        """By default as many are kept as the rate says, whole ones, and at least 1."""
        size = max(1, int(rate)) if burst is None else burst
        return cls(rate, per, size, Fraction(size), Fraction(now))

    def fill(self, now: float) -> None:
        """Time has passed."""
        came = (Fraction(now) - self.at) * Fraction(self.rate) / Fraction(self.per)
        self.tokens, self.at = min(Fraction(self.size), self.tokens + came), Fraction(now)

    def has(self, tokens: int, now: float) -> float:
        """When it has so many, if none is taken."""
        missing = max(Fraction(0), tokens - self.tokens)
        return max(now, float(self.at + missing * Fraction(self.per) / Fraction(self.rate)))


@dataclass(eq=False)
class LimiterModel:
    """One incarnation."""

    now: float
    limit: int | None
    bucket: Bucket | None
    max_queue: int | None
    idle_stop: float | None
    running: bool = True
    suspended: bool = False
    waiting: list[Ask] = field(default_factory=list[Ask])
    held: dict[int, str | None] = field(default_factory=dict[int, str | None])
    inbox: list[Callable[[], None]] = field(default_factory=list[Callable[[], None]])
    unread: list[Ask] = field(default_factory=list[Ask])  # the callers in it
    granted: int = 0
    refused: int = 0
    abandoned: int = 0
    reclaimed: int = 0
    longest_wait: float = 0.0
    total_wait: float = 0.0
    used_at: float = 0.0  # when there was last a permit in use, a waiter or a request
    token_told: bool = False
    ended: tuple[str, float] | None = None

    def __post_init__(self) -> None:
        self.used_at = self.now

    # -- messages -----------------------------------------------------------------------------

    def request(self, message: Callable[[], None] = lambda: None) -> None:
        """A use of it, also if it is refused."""

        def use() -> None:
            message()
            self._serve()
            self.used_at = self.now

        self.post(use)

    def post(self, message: Callable[[], None]) -> None:
        """Handled at once, or when the limiter is resumed; as such no reason to stay (19.12)."""
        if not self.running:
            return
        if self.suspended:
            self.inbox.append(message)
        else:
            message()

    def resume(self) -> None:
        """What has come meanwhile is handled in its order."""
        self.suspended = False
        while self.inbox:
            self.inbox.pop(0)()
        self.unread.clear()
        self.token_told = False
        self._end_if_idle()

    def ask(self, ask: Ask) -> None:
        """Somebody wants a permit."""
        if not self.running:
            ask.end(self.now, "CallExit", "NoProcess")
            return
        if self.suspended:
            self.unread.append(ask)
        self.request(lambda: self._ask(ask))

    def _ask(self, ask: Ask) -> None:
        self._serve()
        if ask.outcome is not None:
            self.abandoned += 1
        elif self._has_room():
            self._grant(ask)
        elif ask.tries is not None:
            self.refused += 1
            ask.end(self.now, *ask.tries)
        elif self.max_queue is not None and len(self.waiting) >= self.max_queue:
            self.refused += 1
            ask.end(self.now, "LimiterFull", self.limit, len(self.waiting))
        else:
            ask.since = self.now
            self.waiting.append(ask)

    def give_up(self, ask: Ask, outcome: str) -> None:
        """A caller times out, is cancelled or dies; its place is free in the same step (19.4)."""
        if ask.outcome is None:
            ask.end(self.now, outcome)
            if ask in self.waiting:
                self.waiting.remove(ask)
                self.abandoned += 1
                self.used_at = self.now

    def release(self, number: int) -> None:
        """A permit comes back, once (19.6)."""
        self.request(lambda: self._forget(number))

    def _forget(self, number: int) -> None:
        self.held.pop(number, "nobody")

    def holder_died(self, holder: str) -> None:
        """All it holds comes back (19.5); of who holds nothing no limiter hears."""

        def reclaim() -> None:
            for number in [number for number, one in self.held.items() if one == holder]:
                del self.held[number]
                self.reclaimed += 1
                self.used_at = self.now
            self._serve()

        self.post(reclaim)

    def change(self, ask: Ask, change: Callable[[], str]) -> None:
        """Another limit or another rate; who is patient for so long hears that it is made."""
        ask.deadline = self.now + CHANGE_PATIENCE
        if not self.running:
            ask.end(self.now, "CallExit", "NoProcess")
            return
        if self.suspended:
            self.unread.append(ask)

        def made() -> None:
            ask.end(self.now, change())

        self.request(made)

    def resize(self, limit: int | None) -> str:
        """Refused if nothing would be limited."""
        if limit is None and self.bucket is None:
            return "ValueError"
        self.limit = limit
        return "done"

    def set_rate(self, rate: float | None, per: float, burst: int | None) -> str:
        """What is saved stays, up to the new burst; who had no rate begins with a full bucket."""
        if rate is None:
            if self.limit is None:
                return "ValueError"
            self.bucket = None
            return "done"
        old, self.bucket = self.bucket, Bucket.full(rate, per, burst, self.now)
        if old is not None:
            old.fill(self.now)
            self.bucket.tokens = min(self.bucket.tokens, old.tokens)
        return "done"

    def end(self, reason: str) -> None:
        """Who waits hears of it (19.7)."""
        self.running, self.ended = False, (reason, self.now)
        for ask in (*self.waiting, *self.unread):
            ask.end(self.now, "CallExit", reason)
        self.waiting.clear()
        self.inbox.clear()

    # -- giving -------------------------------------------------------------------------------

    def _has_room(self) -> bool:
        if self.bucket is not None:
            self.bucket.fill(self.now)
            if self.bucket.tokens < 1:
                return False
        return self.limit is None or len(self.held) < self.limit

    def _grant(self, ask: Ask) -> None:
        if self.bucket is not None:
            self.bucket.tokens -= 1
        self.granted += 1
        ask.number, ask.given_by = self.granted, self
        ask.end(self.now, "permit", self.granted, ask.holder)
        if self.limit is not None:
            self.held[self.granted] = ask.holder

    def _serve(self) -> None:
        while self.waiting and self._has_room():
            ask = self.waiting.pop(0)
            self.used_at = self.now
            waited = self.now - ask.since
            self.longest_wait = max(self.longest_wait, waited)
            self.total_wait += waited
            self._grant(ask)

    # -- time ---------------------------------------------------------------------------------

    def advance(self, seconds: float) -> None:
        """From one thing that is due to the next."""
        end = self.now + seconds
        while (due := self._next_due()) <= end:
            self.now = due
            for ask in (*self.waiting, *self.unread):
                if ask.deadline <= due:
                    self.give_up(ask, "CallTimeout")
            if self._token_due() <= due:
                if self.suspended:
                    self.inbox.append(self._serve)
                    self.token_told = True
                else:
                    self._serve()
            self._end_if_idle()
        self.now = end

    def _next_due(self) -> float:
        if not self.running:
            return math.inf
        callers = [ask for ask in (*self.waiting, *self.unread) if ask.outcome is None]
        deadlines = [ask.deadline for ask in callers]
        return min([*deadlines, self._token_due(), self._idle_due()])

    def _token_due(self) -> float:
        """When the first in the queue can be served, if nothing comes back."""
        full = self.limit is not None and len(self.held) >= self.limit
        if not self.waiting or full or self.token_told or self.bucket is None:
            return math.inf
        return self.bucket.has(1, self.now)

    def _idle_due(self) -> float:
        if self.idle_stop is None or self.held or self.waiting or self.suspended or self.inbox:
            return math.inf
        full_at = self.now if self.bucket is None else self.bucket.has(self.bucket.size, self.now)
        return max(self.used_at + self.idle_stop, full_at)

    def _end_if_idle(self) -> None:
        if self.running and self._idle_due() <= self.now:
            self.end("Normal")
