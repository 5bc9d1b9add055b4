"""The store: the one process that writes to the database.

``Save`` is answered after the commit and not before, so whoever got the answer may forget the page
whatever happens next. Pages that arrive while a commit is under way are written together by the
next one. Nothing that matters is only in this process's memory: it can be killed at any moment.

The choice: one store that writes in batches. SQLite has one writer, and a commit costs more than
the rows in it, so what counts is how many pages share one. Measured with 8 pages waiting at any
time: a commit for each page took 3.1 times as long as batches did, and a ``PartitionSupervisor``
over two stores or four 1.2 and 2.0 times as long, since they split the batches and wait for each
other's lock; with 64 pages 4.5, 1.3 and 1.5 times. What would change our mind: a database with
many writers, or one file for each partition.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing

import msgspec
import trio

from examples.sitecheck.crawl import Crawl
from examples.sitecheck.database import (
    Known,
    known_addresses,
    note_run,
    open_database,
    save_pages,
)
from examples.sitecheck.page import Page
from runtime import Call, ExitReason, GenServer, NoReply, ReplyTo, handles, named, self_, send

STORE = named("store")
SAVE_TIMEOUT = 60.0
MAX_BATCH = 200


class Save(Call[None]):
    """Write a page; the reply says that it is on disk."""

    page: Page


class KnownAddresses(Call[list[Known]]):
    """Every address of the site that is known, with what it was when last checked."""


class Flush(msgspec.Struct, frozen=True):
    """Write what has gathered: sent by the store to itself, behind what is queued already."""


class Store(GenServer):
    """Owns the connection. All work on it is done in a thread, one piece at a time."""

    connection: sqlite3.Connection

    def __init__(self, crawl: Crawl) -> None:
        self.crawl = crawl
        self.batch: list[tuple[Page, ReplyTo[None]]] = []

    async def init(self) -> None:
        self.connection = await trio.to_thread.run_sync(open_database, self.crawl.database)
        await self.enter(closing(self.connection))
        await trio.to_thread.run_sync(
            note_run, self.connection, self.crawl.start, self.crawl.started_at
        )

    @handles(Save)
    async def save(self, request: Save, reply_to: ReplyTo[None]) -> NoReply:
        self.batch.append((request.page, reply_to))
        if len(self.batch) == 1:
            send(self_(), Flush())
        if len(self.batch) >= MAX_BATCH:
            await self._flush()
        return NoReply()

    @handles(Flush)
    async def flush(self, message: Flush) -> None:
        await self._flush()

    @handles(KnownAddresses)
    async def known_addresses(self, request: KnownAddresses) -> list[Known]:
        return await trio.to_thread.run_sync(known_addresses, self.connection, self.crawl.start)

    async def terminate(self, reason: ExitReason) -> None:
        await self._flush()

    async def _flush(self) -> None:
        try:
            pages = [page for page, _ in self.batch]
            await trio.to_thread.run_sync(save_pages, self.connection, pages)
        except sqlite3.Error:
            self.batch = []  # `terminate` need not try again
            raise
        # Only now: if this was interrupted, `terminate` writes them again, which does no harm.
        batch, self.batch = self.batch, []
        for _, reply_to in batch:
            reply_to.reply(None)
