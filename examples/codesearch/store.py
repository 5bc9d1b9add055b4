"""The store: one connection for all stages that write, each write a transaction in a thread.

SQLite has one writer at a time. With a connection for each writer they would wait for each other's
lock in the file by asking again and again; here they wait for a lock in memory.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import trio

from examples.codesearch.database import (
    Counts,
    count,
    failures,
    forget_files,
    open_index,
    save_files,
    stored_files,
)
from examples.codesearch.listing import Listed, compare
from examples.codesearch.parse import ParsedFile


class Store:
    """The index of the directory ``root`` in the file ``path``. To be closed.

    Opening raises ``WrongDatabase``.
    """

    def __init__(self, path: Path, root: Path) -> None:
        self.root = root
        self._connection = open_index(path, root)
        self._lock = threading.Lock()

    def close(self) -> None:
        """Nobody writes any more."""
        self._connection.close()

    async def save(self, files: Sequence[ParsedFile]) -> None:
        """Store files in one transaction. Raises ``sqlite3.Error``; then none is stored.

        A cancellation waits for the transaction: a thread cannot be stopped.
        """
        await trio.to_thread.run_sync(self._save, files)

    def _save(self, files: Sequence[ParsedFile]) -> None:
        with self._lock:
            save_files(self._connection, files)

    def compare(self) -> Listed:
        """What is new in the directory, and what is gone."""
        return compare(self.root, stored_files(self._connection))

    def forget(self, paths: Sequence[str]) -> None:
        """Remove files that are gone."""
        forget_files(self._connection, paths)

    def count(self) -> Counts:
        """How much is stored."""
        return count(self._connection)

    def failures(self) -> list[tuple[str, str]]:
        """The files that could not be parsed, with the reasons."""
        return failures(self._connection)
