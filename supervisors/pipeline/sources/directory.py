"""``Directory``: the files of a directory as the source of a pipeline."""

from __future__ import annotations

import os
import sqlite3
from collections import deque
from collections.abc import Iterable
from pathlib import Path

import trio

import supervisors.pipeline.sources.checkpoint_statements as statements
from supervisors.pipeline.message import Message
from supervisors.pipeline.sources.checkpoint_statements import FileDone
from supervisors.pipeline.sources.fetching import MOST
from supervisors.pipeline.sources.finding_files import Files, Found
from supervisors.pipeline.sources.resumable import OfFailed, ResumableSource


class Directory(ResumableSource[Path, FileDone]):
    """A message for each file in a directory and those below it whose name matches a pattern.

    ``checkpoint`` is a SQLite file, made if it is not there, that says which files are done; any
    number of sources may share it. Started again, the source goes on with those that are not: each
    file is delivered at least once, and one whose success was acknowledged comes again only if its
    size or its time of change is another by then. The source looks once, and ends ``Normal`` when
    all files have come to an end.

    ``pattern`` is one or several, as in ``fnmatch``, for the name of a file alone; directories
    whose name matches ``skip`` are not entered. Files come in the order of their paths, part by
    part. A link to a directory is not followed; one to a file is a file like any other if it leads
    to one inside the directory. A file that vanishes meanwhile is passed over; a directory that
    cannot be read is a crash. A file that failed comes again when the source starts anew; with
    ``failed="done"`` it does not until it changes.

    The data of a message is the path of the file, with that of the directory in front; its
    metadata: ``relative``, ``size``, ``modified`` in nanoseconds.
    """

    def __init__(
        self,
        path: str | Path,
        checkpoint: str | Path,
        *,
        pattern: str | Iterable[str] = "*",
        skip: str | Iterable[str] = (),
        failed: OfFailed = "again",
    ) -> None:
        super().__init__(checkpoint, failed)
        self._path = Path(path)
        self._folder = b""
        self._files = Files(self._path, pattern, skip)
        self._found: deque[Found] = deque()

    async def read(self, count: int) -> list[Message[Path]]:
        """The next files that are not done."""
        while not self._found:
            found = await trio.to_thread.run_sync(self._files.take, MOST, limiter=self.threads)
            if not found:
                return []
            await self._leave_out_what_is_done(found)
        several = [self._found.popleft() for _ in range(min(count, len(self._found)))]
        return [self._message(found) for found in several]

    async def _leave_out_what_is_done(self, found: list[Found]) -> None:
        if not self._folder:
            real = await trio.to_thread.run_sync(os.path.realpath, self._path, limiter=self.threads)
            self._folder = os.fsencode(real)
        by_receipt = {self._receipt(one): one for one in found}
        left = await self._checkpoint.current.read(lambda db: statements.files_left(db, by_receipt))
        self._found.extend(by_receipt[receipt] for receipt in left)

    def _receipt(self, found: Found) -> FileDone:
        return FileDone(self._folder, os.fsencode(found.relative), found.size, found.modified)

    def _message(self, found: Found) -> Message[Path]:
        return Message(
            found.path,
            self._progress,
            receipt=self._receipt(found),
            metadata={
                "relative": found.relative,
                "size": found.size,
                "modified": found.modified,
            },
        )

    @staticmethod
    def note(db: sqlite3.Connection, receipts: list[FileDone]) -> None:
        """These files are done."""
        statements.files_done(db, receipts)
