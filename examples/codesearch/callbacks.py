"""What the pipeline does with a file: parse it in a worker process, store it with others.

A file that is no Python is a failed message, and its reason is stored by ``handle_failed``: so it
is known, and not read again before it changes. A message can fail for another reason, which says
nothing about its file: the disk is full, say. Such a file is left for the next run.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from examples.codesearch.chaos import Chaos
from examples.codesearch.parse import ParsedFile, as_text
from examples.codesearch.store import Store
from examples.codesearch.tally import Tally
from examples.codesearch.workers import Workers
from runtime import Crashed
from supervisors.pipeline import BatchInfo, Message, Pipeline


class Indexing(Pipeline[Path]):
    """What a file becomes: a ``ParsedFile``, or ``None`` if there is nothing new about it.

    A file can be delivered more than once, after a kill say. What is stored is not parsed again,
    and what is stored twice is stored once.
    """

    def __init__(self, store: Store, workers: Workers, tally: Tally, chaos: Chaos) -> None:
        self._store = store
        self._workers = workers
        self._tally = tally
        self._chaos = chaos

    async def handle_message(self, message: Message[Path]) -> Message[ParsedFile | None]:
        path = str(message.data.relative_to(self._store.root))
        if as_text(path) not in self._tally.left:
            return message.replace(None)
        parsed = await self._workers.parse(path)
        self._tally.note_parsed(parsed.path)
        await self._chaos.caught_up()
        answer = message.replace(parsed)
        return answer if parsed.error is None else answer.fail(parsed.error)

    async def handle_batch(
        self, messages: list[Message[ParsedFile | None]], batch: BatchInfo
    ) -> list[Message[ParsedFile | None]]:
        files = [message.data for message in messages if message.data is not None]
        if files:
            await self._store.save(files)
            self._tally.note_stored(file.path for file in files)
        return messages

    async def handle_failed(self, messages: list[Message[Any]]) -> list[Message[Any]]:
        rejected: list[ParsedFile] = []
        for message in messages:
            match message.data:
                case ParsedFile(error=str()) as file:
                    rejected.append(file)
                case ParsedFile(path=path):
                    self._tally.note_lost([path], _why(message))
                case Path() as path:
                    relative = path.relative_to(self._store.root)
                    self._tally.note_lost([as_text(str(relative))], _why(message))
                case _:
                    pass  # there was nothing new about it
        if rejected:
            paths = [file.path for file in rejected]
            try:
                await self._store.save(rejected)
            except sqlite3.Error as error:
                self._tally.note_lost(paths, f"cannot be stored: {error}")
            else:
                self._tally.note_failed(paths)
        return messages


def _why(message: Message[Any]) -> str:
    """Why a message failed that says nothing against its file."""
    reason = message.failure
    error = reason.exception if isinstance(reason, Crashed) else reason
    return f"cannot be stored: {error}" if isinstance(error, sqlite3.Error) else repr(error)
