"""``FileLines``: the lines of files as the source of a pipeline."""

from __future__ import annotations

import codecs
import sqlite3
from collections import deque
from collections.abc import Iterable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import NamedTuple

import trio

import supervisors.pipeline.sources.checkpoint_statements as statements
from runtime import ExitReason
from runtime.containment import attempt
from supervisors.permits import check_count
from supervisors.pipeline.message import Message
from supervisors.pipeline.sources.checkpoint_statements import LineDone
from supervisors.pipeline.sources.line_reader import Line, LineReader
from supervisors.pipeline.sources.resumable import OfFailed, ResumableSource


class LineTooLong(ValueError):
    """Why a message has failed before it was handled: its line is longer than ``max_line``."""


class FileLines(ResumableSource[str, LineDone]):
    r"""A message for each line of a file, or of several, one after the other.

    ``checkpoint`` is a SQLite file, made if it is not there, that says which lines are done; any
    number of sources may share it. Started again, the source goes on with those that are not: each
    line is delivered at least once, and a line whose success was acknowledged never again, in
    whatever order that was. It knows a file by its path, its inode and its first bytes; one that
    was replaced, or is shorter than what was done of it, begins anew. The source ends ``Normal``
    when all lines have come to an end.

    A line that failed comes again when the source starts anew; with ``failed="done"`` it does not.
    A line that cannot be decoded is a message that has failed already, with the error: as in
    ``bytes.decode``, ``errors`` says what cannot; so is one of more than ``max_line`` bytes, which
    is cut. The encoding must have the line ends of ASCII. They end with ``\n`` or ``\r\n``, which
    are no part of them; an empty line is one too; the last one need not have an end. What is
    appended to a file while it is read may wait for the next start; then it is a line of its own,
    so a writer should append whole lines.

    The metadata of a message: ``path``, ``start`` and ``end``, the place of its bytes.
    """

    def __init__(
        self,
        paths: str | Path | Iterable[str | Path],
        checkpoint: str | Path,
        *,
        encoding: str = "utf-8",
        errors: str = "strict",
        max_line: int = 1 << 24,
        failed: OfFailed = "again",
    ) -> None:
        super().__init__(checkpoint, failed)
        check_encoding(encoding, errors)
        check_count("max_line", max_line, 1)
        several = [paths] if isinstance(paths, str | Path) else paths
        self._paths = deque(Path(path) for path in several)
        self._encoding, self._errors, self._max_line = encoding, errors, max_line
        self._open_file: _OpenFile | None = None

    async def read(self, count: int) -> list[Message[str]]:
        """The next lines that are not done, of the first file that has any."""
        while self._open_file is not None or self._paths:
            if self._open_file is None:
                self._open_file = await self._open(self._paths[0])
            file = self._open_file
            lines = await trio.to_thread.run_sync(file.reader.read, count, limiter=self.threads)
            if lines:
                return [self._message(file, line) for line in lines]
            self._close()
            self._paths.popleft()
        return []

    async def _open(self, path: Path) -> _OpenFile:
        opening = partial(LineReader, path, self._max_line)
        reader = await trio.to_thread.run_sync(opening, limiter=self.threads)
        with ExitStack() as stack:
            stack.callback(reader.close)
            version, done = await self._checkpoint.current.write(
                lambda db: statements.begin_file(db, reader.key, reader.looks())
            )
            reader.skip(done)
            stack.pop_all()
        return _OpenFile(path, version, reader)

    def _close(self) -> None:
        if self._open_file is not None:
            self._open_file.reader.close()
            self._open_file = None

    def _message(self, file: _OpenFile, line: Line) -> Message[str]:
        data, error = attempt(line.data.decode, self._encoding, self._errors)
        if not line.is_whole:
            error = LineTooLong(f"{file.path}, byte {line.start}: more than {self._max_line} bytes")
        if data is None or error is not None:
            data = line.data.decode(self._encoding, "replace")
        message: Message[str] = Message(
            data,
            self._progress,
            receipt=LineDone(file.reader.key, file.version, line.start, line.end),
            metadata={"path": file.path, "start": line.start, "end": line.end},
        )
        return message if error is None else message.fail(error)

    @staticmethod
    def note(db: sqlite3.Connection, receipts: list[LineDone]) -> None:
        """These lines are done."""
        statements.lines_done(db, receipts)

    def terminate(self, reason: ExitReason) -> None:
        """Close the file that is being read."""
        self._close()


class _OpenFile(NamedTuple):
    path: Path
    version: int
    reader: LineReader


def check_encoding(encoding: str, errors: str) -> None:
    """Refuse an encoding that there is not, or whose line ends are not those of ASCII."""
    try:
        ends = "\r\n".encode(encoding)
        codecs.lookup_error(errors)
    except LookupError as exc:
        raise ValueError(f"encoding, errors: got {encoding!r}, {errors!r}: {exc}") from exc
    if ends != b"\r\n":
        raise ValueError(f"encoding: got {encoding!r}, allowed is one with the line ends of ASCII")
