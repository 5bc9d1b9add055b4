"""What a durable queue tells: leases, messages, dead letters, numbers."""

from __future__ import annotations

from typing import NamedTuple

import msgspec


class Lease(NamedTuple):
    """The right to answer for a message, until its time is over and somebody else has it.

    ``delivery`` counts how often the message was leased, so an old lease is never taken for a new
    one.
    """

    message: int
    delivery: int


class Leased(msgspec.Struct, frozen=True):
    """A message that was leased, for the ``attempt``-th time; one that was given back counts not.

    ``until`` and ``put_at`` are times of the wall clock; ``last_failure`` is why the attempt before
    failed, ``None`` before the first failure.
    """

    lease: Lease
    data: bytes
    key: str | None
    attempt: int
    put_at: float
    until: float
    last_failure: str | None


class Failure(msgspec.Struct, frozen=True):
    """That a message has failed: it comes again in ``delay`` seconds; ``None``: it never does.

    After its last attempt it never does either.
    """

    lease: Lease
    reason: str
    delay: float | None = 0.0


class StoredLetter(msgspec.Struct, frozen=True):
    """A dead letter as it is stored."""

    id: int
    data: bytes
    key: str | None
    attempts: int
    put_at: float
    died_at: float
    reason: str


class QueueStatistics(msgspec.Struct, frozen=True):
    """How many messages there are: ready to be taken, not due yet, leased, and dead letters.

    A message whose lease has run out is ready. ``oldest`` is the age in seconds of the oldest
    message that is no dead letter, 0.0 without one.
    """

    ready: int
    delayed: int
    leased: int
    dead: int
    oldest: float
