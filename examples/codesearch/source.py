"""The source of the pipeline: the files that are new, each delivered until it is acknowledged.

What is to be delivered outlives the source, as it belongs to the run: a source that was killed is
followed by one that goes on. What a killed stage had in hand comes back and is delivered again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from runtime import Normal, Pid, Stop, handles, self_, send
from supervisors.pipeline import Acknowledger, Message, Source


class Files(Acknowledger):
    """The files of one run: which wait, and how many are under way."""

    def __init__(self, paths: Iterable[str]) -> None:
        self.source: Pid | None = None
        self._waiting = deque(paths)
        self._under_way = 0

    @property
    def is_finished(self) -> bool:
        """Whether every file has been acknowledged."""
        return not self._waiting and not self._under_way

    def take(self, count: int) -> list[Message[str]]:
        """Up to so many, in order."""
        taken = [self._waiting.popleft() for _ in range(min(count, len(self._waiting)))]
        self._under_way += len(taken)
        return [Message(path, self, receipt=path) for path in taken]

    def ack(
        self, reference: object, successful: Sequence[Message[Any]], failed: Sequence[Message[Any]]
    ) -> None:
        """Stored or recorded as failed: done, either way."""
        self._under_way -= len(successful) + len(failed)
        self._tell()

    def give_back(self, reference: object, messages: Sequence[Message[Any]]) -> None:
        """Nobody has finished with these: they are the next to be delivered."""
        self._under_way -= len(messages)
        self._waiting.extendleft(str(message.receipt) for message in reversed(messages))
        self._tell()

    def _tell(self) -> None:
        if self.source is not None:
            send(self.source, Look())


class Look(msgspec.Struct, frozen=True):
    """To the source: there may be something to deliver, or nothing left to wait for."""


class FileSource(Source[str]):
    """Delivers what is asked for as soon as it is there, and ends when all is acknowledged."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._unmet = 0

    def init(self) -> None:
        self._files.source = self_()

    def handle_demand(self, demand: int) -> list[Message[str]]:
        self._unmet += demand
        return self._take()

    @handles(Look)
    def look(self, message: Look) -> Stop | None:
        self.emit(self._take())
        return Stop(Normal()) if self._files.is_finished else None

    def _take(self) -> list[Message[str]]:
        taken = self._files.take(self._unmet)
        self._unmet -= len(taken)
        return taken
