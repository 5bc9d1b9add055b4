"""``QueueStore``: the durable queue as a plain class, for threads and programs without Trio."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import supervisors.pipeline.sources.queue_statements as statements
from runtime.outcomes import check_seconds
from supervisors.permits import check_count
from supervisors.pipeline.sources.queue_values import (
    Failure,
    Lease,
    Leased,
    QueueStatistics,
    StoredLetter,
)
from supervisors.pipeline.sources.sqlite_file import SqliteFile
from supervisors.pipeline.sources.wakeups import wake

DAY: Final = 86_400.0


class QueueStore:
    """A queue in a SQLite file, which any number of threads and programs may use at once.

    What ``put`` returned for is on the disk. A message is leased for a time; whoever holds the
    lease answers by ``acknowledge``, ``fail`` or ``give_back``. One that nobody answers for is
    leased again when its lease has ended, and a message whose attempts are used up becomes a dead
    letter: so each is handled at least once, or is a dead letter, whatever crashes. An answer for
    a lease that somebody else has by now changes nothing.

    ``remember_keys`` is for how many seconds the key of a message that is done is still taken.
    Times are those of the wall clock, so that they mean the same to all programs; a clock that is
    set forward ends leases early, one that is set back ends them late, and lets what
    waits wait until it has caught up. The file has to be on a
    local disk. ``UnusableFile`` if it is something else. ``busy_timeout`` is how long a method
    waits for other programs before it raises ``sqlite3.OperationalError``.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        remember_keys: float = DAY,
        busy_timeout: float = 30.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        check_seconds("remember_keys", remember_keys)
        check_seconds("busy_timeout", busy_timeout)
        if busy_timeout > DAY:
            raise ValueError(f"busy_timeout: got {busy_timeout!r}, allowed is a day at most")
        self._file = SqliteFile(path, statements.QUEUE, busy_timeout=busy_timeout)
        self._remember_keys = remember_keys
        self.clock = clock

    @property
    def path(self) -> Path:
        """The file."""
        return self._file.path

    def close(self) -> None:
        """Close the file; dropping the store does so too."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    # -- who puts -----------------------------------------------------------------------

    def put(self, data: bytes, *, key: str | None = None, delay: float = 0.0) -> bool:
        """Add a message, to be taken after ``delay`` seconds; whether it was added.

        It is not if ``key`` is that of a message which waits, is leased, is a dead letter, or was
        done less than ``remember_keys`` seconds ago.
        """
        return self.put_many([(data, key)], delay=delay) == 1

    def put_many(self, items: Iterable[tuple[bytes, str | None]], *, delay: float = 0.0) -> int:
        """Add messages with their keys in one transaction: all or none; how many were new."""
        check_seconds("delay", delay)
        lot = list(items)
        statements.check_items(lot)
        with self._file.writing(durable=True) as db:
            added = statements.put(db, lot, self.clock(), delay)
        wake(self.path)
        return added

    # -- who takes ----------------------------------------------------------------------

    def lease(self, count: int, seconds: float, *, max_attempts: int = 5) -> list[Leased]:
        """Take up to ``count`` messages for so many seconds, those first that wait longest.

        A message that has been leased ``max_attempts`` times without an answer is taken no more:
        it becomes a dead letter here.
        """
        check_count("count", count, 0)
        check_seconds("seconds", seconds)
        check_count("max_attempts", max_attempts, 1)
        if count == 0 or not self._is_due():
            return []  # whoever polls an empty queue keeps nobody from writing
        with self._file.writing() as db:
            now = self.clock()
            return statements.lease(db, count, now, now + seconds, max_attempts)

    def _is_due(self) -> bool:
        with self._file.reading() as db:
            return statements.is_due(db, self.clock())

    def acknowledge(self, leases: Iterable[Lease]) -> int:
        """They are done and gone; how many of these leases were still held."""
        lot = list(leases)
        with self._file.writing() as db:
            return statements.acknowledge(db, lot, self.clock(), self._remember_keys)

    def fail(self, failures: Iterable[Failure], *, max_attempts: int = 5) -> int:
        """They come again after their delay, or become dead letters; how many were still held."""
        check_count("max_attempts", max_attempts, 1)
        lot = list(failures)
        with self._file.writing() as db:
            return statements.fail(db, lot, self.clock(), max_attempts)

    def give_back(self, leases: Iterable[Lease]) -> int:
        """They can be taken at once, and this was no attempt; how many were still held."""
        lot = list(leases)
        with self._file.writing() as db:
            return statements.give_back(db, lot, self.clock())

    def extend(self, leases: Iterable[Lease], seconds: float) -> list[Lease]:
        """Hold them for so many seconds from now; those that were still held."""
        check_seconds("seconds", seconds)
        lot = list(leases)
        with self._file.writing() as db:
            return statements.extend(db, lot, self.clock() + seconds)

    def next_due(self) -> float | None:
        """In how many seconds there is something to lease, 0.0 for now; ``None`` for nothing."""
        with self._file.reading() as db:
            due_at = statements.next_due(db)
        return None if due_at is None else max(0.0, due_at - self.clock())

    # -- dead letters, numbers ------------------------------------------------------------

    def dead_letters(self, *, limit: int = 100, after: int = 0) -> list[StoredLetter]:
        """The dead letters with ids greater than ``after``, in the order of their ids."""
        check_count("limit", limit, 0)
        with self._file.reading() as db:
            return statements.dead_letters(db, limit, after)

    def put_back(self, ids: Iterable[int] | None = None) -> int:
        """Let dead letters be tried anew, with all their attempts; how many of these there were.

        Without ``ids`` all of them.
        """
        lot = None if ids is None else list(ids)
        with self._file.writing(durable=True) as db:
            revived = statements.revive(db, lot, self.clock())
        wake(self.path)
        return revived

    def discard(self, ids: Iterable[int] | None = None) -> int:
        """Remove dead letters for ever; how many of these there were. Without ``ids`` all."""
        lot = None if ids is None else list(ids)
        with self._file.writing(durable=True) as db:
            return statements.discard(db, lot, self.clock(), self._remember_keys)

    def statistics(self) -> QueueStatistics:
        """How many messages there are, of each kind."""
        with self._file.reading() as db:
            return statements.statistics(db, self.clock())
