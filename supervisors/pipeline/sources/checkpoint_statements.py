"""What is done to the tables of a checkpoint file. Each function is a part of a transaction.

A SQLite file and not one that is replaced by ``rename``: a directory may have a hundred thousand
files that are done, and writing them all down again for each lot would take longer the more are
done. And many sources can share it. What is done is written in the transaction that reads it, so
stages of a source that has ended may still say what they have done, after its successor began.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Final, NamedTuple

import msgspec

from supervisors.pipeline.sources.ranges import Ranges
from supervisors.pipeline.sources.sqlite_file import Kind

CHECKPOINT: Final = Kind(
    name="a checkpoint",
    application_id=0x63686B70,  # "chkp"
    version=1,
    schema="""
CREATE TABLE lines (
    file BLOB PRIMARY KEY,
    version INTEGER NOT NULL,
    inode TEXT NOT NULL,
    head BLOB NOT NULL,
    done BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE files (
    folder BLOB NOT NULL,
    path BLOB NOT NULL,
    size INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    PRIMARY KEY (folder, path)
) WITHOUT ROWID
""",
)

HEAD: Final = 256
"""How many bytes from its beginning a file is known by."""


class Looks(NamedTuple):
    """How a file looks now. One that only grew since is still the same file."""

    inode: str
    size: int
    head: bytes


class LineDone(NamedTuple):
    """The bytes of a line of one version of a file."""

    file: bytes
    version: int
    start: int
    end: int


class FileDone(NamedTuple):
    """A file as it was when it was found."""

    folder: bytes
    path: bytes
    size: int
    modified: int


# ---------------------------------------------------------------------- lines of a file


def begin_file(db: sqlite3.Connection, file: bytes, looks: Looks) -> tuple[int, Ranges]:
    """The version of a file, and what of it is done: nothing if it is not the file that was."""
    row = db.execute(
        "SELECT version, inode, head, done FROM lines WHERE file = ?", (file,)
    ).fetchone()
    version, done = 1, Ranges()
    if row is not None:
        version, inode, head, stored = row
        done = _ranges(stored)
        if inode != looks.inode or looks.size < done.end or not looks.head.startswith(head):
            version, done = version + 1, Ranges()
    db.execute(
        "INSERT OR REPLACE INTO lines (file, version, inode, head, done) VALUES (?, ?, ?, ?, ?)",
        (file, version, looks.inode, looks.head, _stored(done)),
    )
    return version, done


def lines_done(db: sqlite3.Connection, lines: Iterable[LineDone]) -> None:
    """These are done; nothing happens for another version of their file than that of now."""
    by_file: dict[tuple[bytes, int], list[LineDone]] = {}
    for line in lines:
        by_file.setdefault((line.file, line.version), []).append(line)
    for which, done in by_file.items():
        row = db.execute("SELECT done FROM lines WHERE file = ? AND version = ?", which).fetchone()
        if row is None:
            continue
        ranges = _ranges(row[0])
        for line in done:
            ranges.add(line.start, line.end)
        db.execute("UPDATE lines SET done = ? WHERE file = ?", (_stored(ranges), which[0]))


def _ranges(stored: bytes) -> Ranges:
    return Ranges(msgspec.json.decode(stored, type=list[tuple[int, int]]))


def _stored(ranges: Ranges) -> bytes:
    return msgspec.json.encode(list(ranges))


# ---------------------------------------------------------------------- files of a directory


def files_left(db: sqlite3.Connection, found: Iterable[FileDone]) -> list[FileDone]:
    """Those that are not done as they are now."""
    return [
        file
        for file in found
        if db.execute(
            "SELECT 1 FROM files WHERE folder = ? AND path = ? AND size = ? AND modified = ?", file
        ).fetchone()
        is None
    ]


def files_done(db: sqlite3.Connection, files: Iterable[FileDone]) -> None:
    """These are done, as they were when they were found."""
    db.executemany(
        "INSERT OR REPLACE INTO files (folder, path, size, modified) VALUES (?, ?, ?, ?)", files
    )
