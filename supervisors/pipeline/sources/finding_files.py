"""Going through the files of a directory in order, a few at a time. In a thread."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from runtime.containment import short_repr


class Found(NamedTuple):
    """A file: its path, that from the directory on, its size and when it was changed."""

    path: Path
    relative: Path
    size: int
    modified: int


class Files:
    """The files whose names match, in the order of their paths, part by part.

    One level of directories is known at a time for each depth, so memory does not grow with the
    number of files below.
    """

    def __init__(self, root: Path, pattern: str | Iterable[str], skip: str | Iterable[str]) -> None:
        self._root = root
        self._patterns = check_patterns("pattern", pattern)
        self._skip = check_patterns("skip", skip)
        if not self._patterns:
            raise ValueError("pattern: got none, allowed is one or several")
        self._walk = self._files_in(Path())

    def take(self, count: int) -> list[Found]:
        """The next of them; none at the end."""
        return list(islice(self._walk, count))

    def _files_in(self, below: Path) -> Iterator[Found]:
        for entry in self._entries(below):
            if entry.is_dir(follow_symlinks=False):
                if not _matches(entry.name, self._skip):
                    yield from self._files_in(below / entry.name)
            elif _matches(entry.name, self._patterns):
                found = self._look(below / entry.name)
                if found is not None:
                    yield found

    def _entries(self, below: Path) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(self._root / below) as entries:
                return sorted(entries, key=lambda entry: entry.name)
        except FileNotFoundError:
            if below == Path():
                raise
            return []  # it is gone

    def _look(self, relative: Path) -> Found | None:
        path = self._root / relative
        try:
            status = path.stat()
        except FileNotFoundError:
            return None  # it is gone, or a link to nothing
        if not stat.S_ISREG(status.st_mode) or not self._is_inside(path):
            return None
        return Found(path, relative, status.st_size, status.st_mtime_ns)

    def _is_inside(self, path: Path) -> bool:
        return not path.is_symlink() or path.resolve().is_relative_to(self._root.resolve())


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def check_patterns(what: str, patterns: str | Iterable[str]) -> tuple[str, ...]:
    """Refuse what is no pattern of a name."""
    several = (patterns,) if isinstance(patterns, str) else tuple(patterns)
    for one in several:
        if not isinstance(one, str) or not one or "/" in one:
            raise ValueError(
                f"{what}: got {short_repr(one)}, allowed is a pattern of a name, without a /"
            )
    return several
