"""How far a run has come: what is left to do, and who waits for that.

A plain object that the stages of the pipeline write to and others read. All of them run in the one
thread of Trio, so it needs neither a lock nor a process; and no kill of a stage can take it away.
"""

from __future__ import annotations

from collections.abc import Iterable

import trio


class Tally:
    """Of the files of one run, which were parsed, stored, recorded as failed, or lost.

    A file is counted once, however often it is handled. ``lost`` are those whose outcome could not
    be stored, with the reason: the next run has them again.
    """

    def __init__(self, paths: Iterable[str]) -> None:
        self.left = set(paths)
        self.total = len(self.left)
        self.parsed: set[str] = set()
        self.stored = 0
        self.failed = 0
        self.lost: dict[str, str] = {}
        self._changed = trio.Event()

    @property
    def done(self) -> int:
        """How many files are dealt with, one way or another."""
        return self.total - len(self.left)

    @property
    def is_finished(self) -> bool:
        """Whether nothing is left."""
        return not self.left

    def note_parsed(self, path: str) -> None:
        """A worker has answered for the file."""
        self.parsed.add(path)
        self._tell()

    def note_stored(self, paths: Iterable[str]) -> None:
        """The symbols of these are on the disk."""
        self.stored += self._finish(paths)

    def note_failed(self, paths: Iterable[str]) -> None:
        """That these have none is on the disk, with the reason."""
        self.failed += self._finish(paths)

    def note_lost(self, paths: Iterable[str], reason: str) -> None:
        """Nothing about these could be stored."""
        lost = self.left.intersection(paths)
        self.lost |= dict.fromkeys(lost, reason)
        self._finish(lost)

    async def changed(self) -> None:
        """Wait until anything is noted."""
        await self._changed.wait()

    async def finished(self) -> None:
        """Wait until nothing is left."""
        while not self.is_finished:
            await self.changed()

    def _finish(self, paths: Iterable[str]) -> int:
        news = self.left.intersection(paths)
        self.left -= news
        self._tell()
        return len(news)

    def _tell(self) -> None:
        self._changed.set()
        self._changed = trio.Event()
