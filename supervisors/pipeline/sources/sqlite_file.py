"""One SQLite file that threads and programs share: opening it, and its transactions.

WAL, so that readers and the one writer do not wait for each other; a commit there survives the
death of the process that made it. A power cut can take back the last commits that were not
``durable``, and leaves the file whole. Writers take their turn with ``BEGIN IMMEDIATE``, so that
none finds out in the middle that it was too late.

One connection with a lock, not one for each thread: SQLite has one writer at a time, and threads
that wait for a lock are woken in order and at once, while connections that wait for each other ask
again and again.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final
from weakref import finalize

import msgspec

_OPENING: Final = 30.0
"""How long another program may hold the file while it is opened."""
_PAUSE: Final = 0.01


class UnusableFile(Exception):
    """The SQLite file is something else, of a later release, or nothing can be done with it."""


class Kind(msgspec.Struct, frozen=True):
    """What is in the file: ``application_id`` so that no other file is taken for one."""

    name: str
    application_id: int
    version: int
    schema: str


class SqliteFile:
    """An open file of a kind. Any thread may use it; ``close`` it, or drop it.

    ``busy_timeout`` is how long to wait for other programs; then ``sqlite3.OperationalError``.
    Not to be carried into a process made by ``fork``.
    """

    def __init__(self, path: str | Path, kind: Kind, *, busy_timeout: float = 30.0) -> None:
        self.path = Path(path)
        self._lock = threading.Lock()
        try:
            self._connection = _open(self.path, kind, busy_timeout)
        except sqlite3.Error as exc:
            raise UnusableFile(f"{self.path}: {exc}") from exc
        self.close = finalize(self, self._connection.close)
        """Close it, once no thread uses it; a second time nothing happens."""

    @contextmanager
    def writing(self, *, durable: bool = False) -> Generator[sqlite3.Connection]:
        """A transaction: all of it or, if the block raises, nothing. ``durable``: on the disk."""
        with self._lock:
            synchronous = "FULL" if durable else "NORMAL"
            self._connection.execute(f"PRAGMA synchronous = {synchronous}")
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    @contextmanager
    def reading(self) -> Generator[sqlite3.Connection]:
        """For single queries. Writers of this program are waited for, those of others are not."""
        with self._lock:
            yield self._connection


def _open(path: Path, kind: Kind, busy_timeout: float) -> sqlite3.Connection:
    deadline = time.monotonic() + _OPENING
    while True:
        try:
            return _connect(path, kind, busy_timeout)
        except sqlite3.OperationalError as exc:
            # The switch to WAL does not wait for another connection that does the same.
            if "locked" not in str(exc) or time.monotonic() >= deadline:
                raise
            time.sleep(_PAUSE)


def _connect(path: Path, kind: Kind, busy_timeout: float) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=busy_timeout, isolation_level=None, check_same_thread=False
    )
    with ExitStack() as stack:
        stack.callback(connection.close)
        connection.execute("BEGIN")  # so that what is read is of one moment
        claimed = _is_claimed(connection, path, kind)
        connection.execute("COMMIT")
        if not claimed:
            connection.execute("PRAGMA journal_mode = WAL")
            _claim(connection, path, kind)
        stack.pop_all()
    return connection


def _is_claimed(connection: sqlite3.Connection, path: Path, kind: Kind) -> bool:
    """Whether it is of this kind already; ``UnusableFile`` if it cannot be."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    if application == kind.application_id:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version != kind.version:
            raise UnusableFile(
                f"{path}: is {kind.name} of version {version}, known here is {kind.version}"
            )
        return True
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application or tables:
        raise UnusableFile(f"{path}: is a database, and not {kind.name}")
    return False


def _claim(connection: sqlite3.Connection, path: Path, kind: Kind) -> None:
    connection.execute("BEGIN IMMEDIATE")
    if not _is_claimed(connection, path, kind):  # somebody else may have been quicker
        for statement in kind.schema.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {kind.application_id}")
        connection.execute(f"PRAGMA user_version = {kind.version}")
    connection.execute("COMMIT")
