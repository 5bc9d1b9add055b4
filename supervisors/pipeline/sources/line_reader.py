"""Reading the lines of one file that are not done yet, with the bytes they are at. In a thread."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, NamedTuple
from weakref import finalize

from supervisors.pipeline.sources.checkpoint_statements import HEAD, Looks
from supervisors.pipeline.sources.ranges import Ranges

_PIECE: Final = 1 << 16


class Line(NamedTuple):
    """The bytes of a line without its end, and where they and its end are in the file.

    Of one that is longer than allowed, which is not ``is_whole``, ``data`` is the beginning.
    """

    data: bytes
    start: int
    end: int
    is_whole: bool = True


class LineReader:
    r"""An open file. Lines end with ``\n`` or ``\r\n``, the last one also with the file.

    What is appended while it is open may be read or not.
    """

    def __init__(self, path: Path, max_line: int) -> None:
        self._file = path.open("rb")
        self.close = finalize(self, self._file.close)
        """Close the file; dropping the reader does so too, as when its source was killed."""
        self.key = os.fsencode(os.path.realpath(path))
        self._max_line = max_line
        self._position = 0
        self._done = Ranges()

    def looks(self) -> Looks:
        """What the file can be known by."""
        status = os.fstat(self._file.fileno())
        head = self._file.read(HEAD)
        self._file.seek(0)
        return Looks(str(status.st_ino), status.st_size, head)

    def skip(self, done: Ranges) -> None:
        """These are not to be read."""
        self._done = done

    def read(self, count: int) -> list[Line]:
        """Up to so many lines; none at the end."""
        lines: list[Line] = []
        while len(lines) < count:
            end = self._done.end_of(self._position)
            if end is not None:
                self._position = end
                self._file.seek(end)
                continue
            line = self._next()
            if line is None:
                break
            lines.append(line)
        return lines

    def _next(self) -> Line | None:
        start = self._position
        data = self._file.readline(self._max_line + 2)
        if not data:
            return None
        self._position += len(data)
        if len(data) == self._max_line + 2 and not data.endswith(b"\n"):
            self._skip_rest()
        text = data.removesuffix(b"\r\n") if data.endswith(b"\r\n") else data.removesuffix(b"\n")
        return Line(
            text[: self._max_line], start, self._position, is_whole=len(text) <= self._max_line
        )

    def _skip_rest(self) -> None:
        while rest := self._file.readline(_PIECE):
            self._position += len(rest)
            if rest.endswith(b"\n"):
                break
