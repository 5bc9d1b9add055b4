"""The SQLite file: what each page was when it was last asked for, and where it links to.

Plain functions for a thread; ``store`` is the process around them. Everything is written by
upserts, so writing the same page twice is the same as writing it once.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from examples.sitecheck.page import Page

# "site", so that a file of another program is not taken for one of ours.
APPLICATION_ID = 0x73697465

SCHEMA = """
CREATE TABLE IF NOT EXISTS pages (
    url TEXT PRIMARY KEY,
    status INTEGER,
    error TEXT,
    seconds REAL NOT NULL,
    bytes INTEGER NOT NULL,
    content_type TEXT,
    checked_at REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS links (
    source TEXT NOT NULL,
    target TEXT NOT NULL,
    PRIMARY KEY (source, target)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS runs (
    started_at REAL PRIMARY KEY,
    start TEXT NOT NULL
) WITHOUT ROWID;
"""

UPSERT_PAGE = """
INSERT INTO pages (url, status, error, seconds, bytes, content_type, checked_at)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (url) DO UPDATE SET
    status = excluded.status,
    error = excluded.error,
    seconds = excluded.seconds,
    bytes = excluded.bytes,
    content_type = excluded.content_type,
    checked_at = excluded.checked_at
"""

# Everything that can be reached from the start page over stored links.
REACHABLE = """
WITH RECURSIVE reachable (url) AS (
    SELECT ?
    UNION
    SELECT links.target FROM links JOIN reachable ON links.source = reachable.url
)
"""


class WrongDatabase(Exception):
    """The file cannot be used: it is something else, or nothing can be done with it."""


class Known(msgspec.Struct, frozen=True):
    """A known address and what it was when last asked for; never: ``checked_at`` is ``None``."""

    url: str
    status: int | None
    checked_at: float | None


def open_database(path: Path) -> sqlite3.Connection:
    """Open or create the file. To be closed by the caller; any one thread at a time may use it.

    Raises ``WrongDatabase`` if it cannot be used.
    """
    try:
        return _open(path)
    except sqlite3.Error as error:
        raise WrongDatabase(f"{path}: {error}") from error


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=30.0, check_same_thread=False, isolation_level=None)
    try:
        _claim(connection, path)
        connection.execute("PRAGMA journal_mode = WAL")
        # In WAL mode a commit survives the death of the process; only a power cut can lose one.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.executescript(SCHEMA)
    except BaseException:
        connection.close()
        raise
    return connection


def _claim(connection: sqlite3.Connection, path: Path) -> None:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if application != APPLICATION_ID and tables:
        raise WrongDatabase(f"{path}: is a database of something else")
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")


def save_pages(connection: sqlite3.Connection, pages: Iterable[Page]) -> None:
    """Write pages and their links in one transaction: all of them are stored, or none."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        for page in pages:
            connection.execute(UPSERT_PAGE, _page_row(page))
            connection.execute("DELETE FROM links WHERE source = ?", (page.url,))
            connection.executemany(
                "INSERT OR IGNORE INTO links (source, target) VALUES (?, ?)",
                [(page.url, target) for target in page.links],
            )
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _page_row(page: Page) -> tuple[str | int | float | None, ...]:
    return (
        page.url,
        page.status,
        page.error,
        page.seconds,
        page.bytes,
        page.content_type,
        page.checked_at,
    )


def known_addresses(connection: sqlite3.Connection, start: str) -> list[Known]:
    """Every address that can be reached from ``start`` over stored links, ``start`` included."""
    rows = connection.execute(
        REACHABLE
        + """
        SELECT reachable.url, pages.status, pages.checked_at
        FROM reachable LEFT JOIN pages ON pages.url = reachable.url
        ORDER BY reachable.url
        """,
        (start,),
    )
    return [Known(*row) for row in rows]


def stored_pages(connection: sqlite3.Connection, start: str) -> list[Page]:
    """The pages that can be reached from ``start``, each with its links, in the order of URLs."""
    links: dict[str, list[str]] = {}
    for source, target in connection.execute("SELECT source, target FROM links ORDER BY 1, 2"):
        links.setdefault(source, []).append(target)
    rows = connection.execute(
        REACHABLE
        + """
        SELECT pages.url, status, error, seconds, bytes, content_type, checked_at
        FROM pages JOIN reachable ON pages.url = reachable.url
        ORDER BY pages.url
        """,
        (start,),
    )
    return [_page(row, links.get(row[0], [])) for row in rows]


def _page(row: tuple[Any, ...], links: list[str]) -> Page:
    url, status, error, seconds, size, content_type, checked_at = row
    return Page(url, status, error, seconds, size, content_type, checked_at, tuple(links))


def note_run(connection: sqlite3.Connection, start: str, started_at: float) -> None:
    """Remember that a run began at ``start``."""
    connection.execute("INSERT OR IGNORE INTO runs VALUES (?, ?)", (started_at, start))


def last_start(connection: sqlite3.Connection) -> str | None:
    """Where the latest run began; ``None`` before the first."""
    row = connection.execute("SELECT start FROM runs ORDER BY started_at DESC LIMIT 1").fetchone()
    return None if row is None else str(row[0])
