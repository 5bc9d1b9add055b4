"""A SQLite file of many tasks: the work of those who ask at the same time is one transaction.

A commit costs more than the statements in it. So the first task that has work goes to a thread with
it, those that come meanwhile wait, and the next of them takes the work of all along. Work that
raises undoes the whole transaction, and then each is done by itself, so nobody pays for another.

Each file has a thread of its own to go to at a time, so it never waits for the blocking work of
others.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar, cast
from weakref import WeakValueDictionary

import trio

from runtime.containment import attempt
from supervisors.pipeline.sources.sqlite_file import Kind, SqliteFile

R = TypeVar("R")


class _Work(Generic[R]):
    """What one task wants done, and what came of it."""

    def __init__(self, work: Callable[[sqlite3.Connection], R], *, durable: bool) -> None:
        self.work = work
        self.durable = durable
        self.is_done = False
        self.result: R | None = None
        self.error: Exception | None = None

    def answer(self) -> R:
        """What the work returned; what it raised is raised."""
        if self.error is not None:
            raise self.error
        return cast("R", self.result)


class FileCommits:
    """One SQLite file in one run of Trio. Opened with the first work, closed when it is dropped."""

    def __init__(self, path: Path, kind: Kind) -> None:
        self.path = path
        self._kind = kind
        self._file: SqliteFile | None = None
        self._waiting: dict[object, _Work[object]] = {}  # in order
        self._is_busy = False
        self._turns = trio.lowlevel.ParkingLot()
        self._writer = trio.CapacityLimiter(1)
        self._readers = trio.CapacityLimiter(1)

    async def write(self, work: Callable[[sqlite3.Connection], R], *, durable: bool = False) -> R:
        """Do it in a transaction, in a thread: it is committed when this returns.

        Cancelled, it has been done or not, as with any transaction; never half of it. It may be
        called twice, the first time in a transaction that is undone.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        mine: _Work[R] = _Work(work, durable=durable)
        self._waiting[mine] = cast("_Work[object]", mine)
        try:
            while not mine.is_done:
                if self._is_busy:
                    await self._turns.park()
                else:
                    await self._do_all()
        finally:
            self._waiting.pop(mine, None)
        return mine.answer()

    async def read(self, query: Callable[[sqlite3.Connection], R]) -> R:
        """Ask in a thread, between two transactions of this program."""

        def ask() -> R:
            with self._opened().reading() as db:
                return query(db)

        return await trio.to_thread.run_sync(ask, limiter=self._readers)

    async def _do_all(self) -> None:
        lot, self._waiting = self._waiting, {}
        self._is_busy = True
        try:
            await trio.to_thread.run_sync(self._commit, [*lot.values()], limiter=self._writer)
        finally:
            if not all(one.is_done for one in lot.values()):  # cancelled before it began
                self._waiting = lot | self._waiting
            self._is_busy = False
            self._turns.unpark_all()

    # -- in the thread ----------------------------------------------------------------------

    def _commit(self, lot: list[_Work[object]]) -> None:
        _, error = attempt(self._transact, lot)
        if error is not None:
            for one in lot:
                _, one.error = attempt(self._transact, [one])
        for one in lot:
            one.is_done = True

    def _transact(self, lot: list[_Work[object]]) -> None:
        with self._opened().writing(durable=any(one.durable for one in lot)) as db:
            for one in lot:
                one.result = one.work(db)

    def _opened(self) -> SqliteFile:
        file = self._file
        if file is None:
            file = self._file = SqliteFile(self.path, self._kind)
        return file


class CommitsByRun:
    """The file for a handle that outlives runs of Trio. Whoever holds it keeps the file open."""

    def __init__(self, path: str | Path, kind: Kind) -> None:
        self.path = Path(path)
        self._kind = kind
        self._held: tuple[trio.lowlevel.TrioToken, FileCommits] | None = None

    @property
    def current(self) -> FileCommits:
        """That of this run."""
        run = trio.lowlevel.current_trio_token()
        if self._held is None or self._held[0] is not run:
            self._held = run, commits_of(self.path, self._kind)
        return self._held[1]


_files: trio.lowlevel.RunVar[WeakValueDictionary[str, FileCommits]] = trio.lowlevel.RunVar(
    "supervisors.pipeline.sources.file_commits"
)


def commits_of(path: str | Path, kind: Kind) -> FileCommits:
    """The one of this file, for everybody in the run who holds it at the same time."""
    files = _files_of_this_run()
    key = os.path.realpath(path)
    found = files.get(key)
    if found is None:
        found = files[key] = FileCommits(Path(path), kind)
    return found


def _files_of_this_run() -> WeakValueDictionary[str, FileCommits]:
    try:
        return _files.get()
    except LookupError:
        files: WeakValueDictionary[str, FileCommits] = WeakValueDictionary()
        _files.set(files)
        return files
