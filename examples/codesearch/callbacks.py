"""What the pipeline does with a file: parse it in a worker process, store it with others.

A file that is no Python is a failed message, and its reason is stored by ``handle_failed``: so it
is known, and not read again before it changes. A message can fail for another reason, which says
nothing about its file: the disk is full, say. Such a file is left for the next run.
"""

from __future__ import annotations

import sqlite3
from typing import Any

from examples.codesearch.chaos import Chaos
from examples.codesearch.parse import ParsedFile, as_text
from examples.codesearch.store import Store
from examples.codesearch.tally import Tally
from examples.codesearch.workers import Workers
from runtime import Crashed
from supervisors.pipeline import BatchInfo, Message, Pipeline


class Indexing(Pipeline[str]):
    """The stages of the pipeline share one; what is handed over twice is stored once."""

    def __init__(self, store: Store, workers: Workers, tally: Tally, chaos: Chaos) -> None:
        self._store = store
        self._workers = workers
        self._tally = tally
        self._chaos = chaos

    async def handle_message(self, message: Message[str]) -> Message[ParsedFile]:
        parsed = await self._workers.parse(message.data)
        self._tally.note_parsed(parsed.path)
        await self._chaos.caught_up()
        answer = message.replace(data=parsed)
        return answer if parsed.error is None else answer.fail(parsed.error)

    async def handle_batch(
        self, messages: list[Message[ParsedFile]], batch: BatchInfo
    ) -> list[Message[ParsedFile]]:
        await self._store.save([message.data for message in messages])
        self._tally.note_stored(message.data.path for message in messages)
        return messages

    async def handle_failed(self, messages: list[Message[Any]]) -> list[Message[Any]]:
        rejected = [one.data for one in messages if _is_rejected(one.data)]
        for one in messages:
            if not _is_rejected(one.data):
                self._tally.note_lost([_path(one.data)], _why(one))
        if rejected:
            paths = [file.path for file in rejected]
            try:
                await self._store.save(rejected)
            except sqlite3.Error as error:
                self._tally.note_lost(paths, f"cannot be stored: {error}")
            else:
                self._tally.note_failed(paths)
        return messages


def _is_rejected(data: str | ParsedFile) -> bool:
    """Whether its file was read, and is none to index."""
    return isinstance(data, ParsedFile) and data.error is not None


def _path(data: str | ParsedFile) -> str:
    return data.path if isinstance(data, ParsedFile) else as_text(data)


def _why(message: Message[Any]) -> str:
    """Why a message failed that says nothing against its file."""
    reason = message.failure
    error = reason.exception if isinstance(reason, Crashed) else reason
    return f"cannot be stored: {error}" if isinstance(error, sqlite3.Error) else repr(error)
