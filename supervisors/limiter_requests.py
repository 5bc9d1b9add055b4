"""What travels between a limiter and those who want its permits."""

from __future__ import annotations

import msgspec

from runtime import Pid, Ref
from runtime.messages import HandleCall, SystemCast
from supervisors.permits import Rate


class LimiterFull(Exception):
    """As many wait for a permit as ``max_queue`` allows, so this one was turned away at once.

    ``queued`` are waiting; ``limit`` is how many permits there are at once, ``None`` if only the
    rate is limited.
    """

    def __init__(self, limit: int | None, queued: int) -> None:
        super().__init__(f"{queued} are waiting for a permit, and max_queue allows no more")
        self.limit = limit
        self.queued = queued


class MaxKeys(Exception):
    """``limit`` keys have a limiter, as many as ``max_keys`` allows; this one has none."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"{limit} keys have a limiter, as many as max_keys allows")
        self.limit = limit


class Permit:
    """Leave to go on, from one incarnation of a limiter; equal only to itself."""

    __slots__ = ("_holder", "_limiter", "_number")

    def __init__(self, limiter: Ref, number: int, holder: Pid | None) -> None:
        self._limiter = limiter
        self._number = number
        self._holder = holder

    @property
    def limiter(self) -> Ref:
        """The incarnation of a limiter that gave it, which may have ended since."""
        return self._limiter

    @property
    def number(self) -> int:
        """Its place in the order in which the limiter gave its permits, from 1."""
        return self._number

    @property
    def holder(self) -> Pid | None:
        """The process it was given to; ``None`` for a plain Trio task."""
        return self._holder

    def __repr__(self) -> str:
        return f"<Permit {self._number} of {self._limiter.pid!r}>"


class LimiterStats(msgspec.Struct, frozen=True):
    """A limiter in numbers. Times are seconds; all counts begin with this incarnation.

    - ``limit``, ``rate``, ``per``, ``burst``: as set now; ``None`` what is not limited.
    - ``in_use``: permits that were given and not given back; 0 without a ``limit``.
    - ``queued``: callers that wait.
    - ``granted``: permits given so far.
    - ``refused``: turned away at once: by ``LimiterFull``, with ``None`` by ``try_acquire``, or by
      ``acquire(timeout=0)``.
    - ``abandoned``: callers that gave up before they were served: timed out, cancelled, dead.
    - ``reclaimed``: permits given back by the death of the process that held them.
    - ``longest_wait``, ``total_wait``: of those that were granted one, in the queue.
    """

    limit: int | None
    rate: float | None
    per: float | None
    burst: int | None
    in_use: int
    queued: int
    granted: int
    refused: int
    abandoned: int
    reclaimed: int
    longest_wait: float
    total_wait: float


class Acquire(HandleCall[Permit], frozen=True):
    """Give me a permit, as soon as there is one and it is my turn."""

    holder: Pid | None


class TryAcquire(HandleCall[Permit | None], frozen=True):
    """Give me a permit if there is one now."""

    holder: Pid | None


class GetStats(HandleCall[LimiterStats], frozen=True):
    """Say how things are."""


class Resize(HandleCall[None], frozen=True):
    """From now on so many at once."""

    limit: int | None


class SetRate(HandleCall[None], frozen=True):
    """From now on at this rate."""

    rate: Rate | None


class Release(SystemCast, frozen=True):
    """A permit is no longer used."""

    permit: Permit


class TokenReady(SystemCast, frozen=True):
    """The limiter to itself: it is ``at``, and the rate allows another permit."""

    at: float
