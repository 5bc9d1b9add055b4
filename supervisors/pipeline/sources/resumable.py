"""What sources have in common that read something to its end and know what of it is done."""

from __future__ import annotations

import math
import sqlite3
from abc import abstractmethod
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Generic, Literal, TypeVar, cast, get_args

from runtime import Pid, self_
from runtime.containment import short_repr
from runtime.current import find_process
from runtime.handlers import handles
from runtime.inspection.views import Plain
from runtime.stages.subscription import StageCast
from supervisors.pipeline.message import Acknowledger, AnyMessage, Message
from supervisors.pipeline.sources.checkpoint_statements import CHECKPOINT
from supervisors.pipeline.sources.fetching import FetchingSource
from supervisors.pipeline.sources.file_commits import CommitsByRun, FileCommits

T = TypeVar("T")
R = TypeVar("R")

OfFailed = Literal["again", "done"]
"""What becomes of a message that failed: it comes again when the source starts anew, or never."""


class Answered(StageCast, frozen=True):
    """To the source: so many of its messages have come to an end."""

    count: int


class GivenBack(StageCast, frozen=True):
    """To the source: these are to be emitted again."""

    messages: list[AnyMessage]


class Progress(Acknowledger, Generic[R]):
    """Writes down what is done. The receipt of a message says what that is."""

    def __init__(
        self,
        commits: FileCommits,
        note: Callable[[sqlite3.Connection, list[R]], None],
        failed: OfFailed,
        source: Pid,
    ) -> None:
        self._commits = commits
        self._note = note
        self._failed = failed
        self._source = source

    def __repr__(self) -> str:
        return f"<progress in {self._commits.path}>"

    async def ack(
        self, reference: object, successful: Sequence[AnyMessage], failed: Sequence[AnyMessage]
    ) -> None:
        """The successful ones are done; those that failed if that was said of them."""
        done = [*successful, *failed] if self._failed == "done" else successful
        receipts = [cast("R", message.receipt) for message in done]
        if receipts:
            await self._commits.write(lambda db: self._note(db, receipts))
        _tell(self._source, Answered(len(successful) + len(failed)))

    def give_back(self, reference: object, messages: Sequence[AnyMessage]) -> None:
        """To the source that emitted them; if it has ended, its successor has them anyway."""
        _tell(self._source, GivenBack(list(messages)))


def _tell(source: Pid, message: StageCast) -> None:
    process = find_process(source)
    if process is not None:
        process.post_system(message)


class ResumableSource(FetchingSource[T], Generic[T, R]):
    """Emits what is not done yet, and ends ``Normal`` when all of it has come to an end.

    A subclass reads on with ``read(count)``, up to so many messages, none at the end; ``note``
    writes down what is done.
    """

    def __init__(self, checkpoint: str | Path, failed: OfFailed) -> None:
        super().__init__()
        if failed not in get_args(OfFailed):
            raise ValueError(f"failed: got {short_repr(failed)}, allowed are 'again' and 'done'")
        self._checkpoint = CommitsByRun(checkpoint, CHECKPOINT)
        self._failed: OfFailed = failed
        self._back: deque[Message[T]] = deque()
        self._under_way = 0
        self._at_end = False

    @abstractmethod
    async def read(self, count: int) -> list[Message[T]]:
        """Up to so many messages; none at the end."""

    @staticmethod
    @abstractmethod
    def note(db: sqlite3.Connection, receipts: list[R]) -> None:
        """They are done."""

    async def init(self) -> None:
        """Begin to read."""
        commits = self._checkpoint.current
        self._progress = Progress(commits, self.note, self._failed, self_())
        await super().init()

    async def fetch(self, count: int) -> list[Message[T]]:
        """What was given back, before anything new."""
        messages: list[Message[T]] = []
        while self._back and len(messages) < count:
            messages.append(self._back.popleft())
        if not messages and not self._at_end:
            messages = await self.read(count)
            self._at_end = not messages
        self._under_way += len(messages)
        return messages

    async def pause(self) -> None:
        """Until something is given back; or it is over, when nothing can be any more."""
        if self._back:
            return
        if self._under_way:
            await self.news(math.inf)
        else:
            self.over()

    @handles(Answered)
    def _answered(self, message: Answered) -> None:
        self._under_way -= message.count
        self.look()

    @handles(GivenBack)
    def _given_back(self, message: GivenBack) -> None:
        self._under_way -= len(message.messages)
        self._back.extend(message.messages)
        self.look()

    def facts(self) -> Mapping[str, Plain]:
        """With how many messages are under way, and how many were given back."""
        return {**super().facts(), "under way": self._under_way, "given back": len(self._back)}
