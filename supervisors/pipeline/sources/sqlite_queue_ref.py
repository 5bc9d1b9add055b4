"""``SqliteQueueRef``: the durable queue for whoever puts, looks or puts back, in a Trio program."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, Generic, TypeVar

import msgspec

import supervisors.pipeline.sources.queue_statements as statements
from runtime.containment import attempt
from runtime.outcomes import check_seconds
from supervisors.permits import check_count
from supervisors.pipeline.sources.file_commits import CommitsByRun, FileCommits
from supervisors.pipeline.sources.queue_store import DAY
from supervisors.pipeline.sources.queue_values import QueueStatistics, StoredLetter
from supervisors.pipeline.sources.wakeups import wake

T = TypeVar("T")

_JSON: Final = msgspec.json.Encoder()


class DeadLetter(msgspec.Struct, Generic[T], frozen=True):
    """A message that nobody will try again unless it is put back.

    ``data`` is ``None`` if ``raw``, what is stored, cannot be read as what the queue holds.
    ``put_at`` and ``died_at`` are times of the wall clock, ``reason`` says why.
    """

    id: int
    data: T | None
    raw: bytes
    key: str | None
    attempts: int
    put_at: float
    died_at: float
    reason: str


class SqliteQueueRef(Generic[T]):
    """A queue of ``kind``, any type that ``msgspec`` can write as JSON, in the file at ``path``.

    For whoever puts messages and for a ``SqliteQueue`` in the same program, which hears of them at
    once; other programs may use the file as well, with a ref of their own or a ``QueueStore``. What
    is put at the same time is one commit. ``encode`` and ``decode`` together replace JSON. The
    rest is as in ``QueueStore``: ``remember_keys``, what a key does, ``UnusableFile`` from the
    first method that uses a file that is something else. Cancelled, a method has done everything or
    nothing.
    """

    def __init__(
        self,
        path: str | Path,
        kind: type[T],
        *,
        encode: Callable[[T], bytes] | None = None,
        decode: Callable[[bytes], T] | None = None,
        remember_keys: float = DAY,
    ) -> None:
        check_seconds("remember_keys", remember_keys)
        if (encode is None) != (decode is None):
            raise TypeError("encode, decode: got one of them, allowed are both or neither")
        self.path = Path(path)
        self.encode: Callable[[T], bytes] = _JSON.encode if encode is None else encode
        self.decode: Callable[[bytes], T] = (
            msgspec.json.Decoder(kind).decode if decode is None else decode
        )
        self.remember_keys = remember_keys
        self._kind = kind
        self._commits = CommitsByRun(path, statements.QUEUE)

    def __repr__(self) -> str:
        return f"<SqliteQueueRef {self.path} of {getattr(self._kind, '__name__', self._kind)}>"

    # -- who puts -----------------------------------------------------------------------

    async def put(self, data: T, *, key: str | None = None, delay: float = 0.0) -> bool:
        """Add a message, to be taken after ``delay`` seconds; whether it was added.

        It is on the disk when this returns. It is not added if ``key`` is that of a message which
        waits, is leased, is a dead letter, or was done less than ``remember_keys`` seconds ago.
        """
        return await self._put([(self.encode(data), key)], delay) == 1

    async def put_many(
        self, data: Iterable[T], *, key: Callable[[T], str] | None = None, delay: float = 0.0
    ) -> int:
        """Add messages in one transaction, all or none; how many were new. ``key`` makes keys."""
        return await self._put(
            [(self.encode(one), None if key is None else key(one)) for one in data], delay
        )

    async def _put(self, items: list[tuple[bytes, str | None]], delay: float) -> int:
        check_seconds("delay", delay)
        statements.check_items(items)
        added = await self.commits.write(
            lambda db: statements.put(db, items, time.time(), delay), durable=True
        )
        wake(self.path)
        return added

    # -- who looks ----------------------------------------------------------------------

    async def statistics(self) -> QueueStatistics:
        """How many messages there are, of each kind."""
        return await self.commits.read(lambda db: statements.statistics(db, time.time()))

    async def dead_letters(self, *, limit: int = 100, after: int = 0) -> list[DeadLetter[T]]:
        """The dead letters with ids greater than ``after``, in the order of their ids."""
        check_count("limit", limit, 0)
        stored = await self.commits.read(lambda db: statements.dead_letters(db, limit, after))
        return [self._read(letter) for letter in stored]

    def _read(self, letter: StoredLetter) -> DeadLetter[T]:
        data, _ = attempt(self.decode, letter.data)
        return DeadLetter(
            letter.id,
            data,
            letter.data,
            letter.key,
            letter.attempts,
            letter.put_at,
            letter.died_at,
            letter.reason,
        )

    async def put_back(self, ids: Iterable[int] | None = None) -> int:
        """Let dead letters be tried anew, with all their attempts; how many of these there were.

        Without ``ids`` all of them.
        """
        chosen = None if ids is None else list(ids)
        revived = await self.commits.write(
            lambda db: statements.revive(db, chosen, time.time()), durable=True
        )
        wake(self.path)
        return revived

    async def discard(self, ids: Iterable[int] | None = None) -> int:
        """Remove dead letters for ever; how many of these there were. Without ``ids`` all."""
        chosen = None if ids is None else list(ids)
        return await self.commits.write(
            lambda db: statements.discard(db, chosen, time.time(), self.remember_keys),
            durable=True,
        )

    # -- for the source -------------------------------------------------------------------

    @property
    def commits(self) -> FileCommits:
        """The file in this run of Trio. Whoever keeps it keeps the file open."""
        return self._commits.current
