"""The SQLite file: every file of the tree with what is defined in it, and the words of all that.

Plain functions for a thread. A file is written as a whole, keyed by its path, and only if its
content is another than the one stored; so writing it twice is the same as writing it once.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path

import msgspec

from examples.codesearch.parse import ParsedFile
from examples.codesearch.symbols import Symbol

# "code", so that a file of another program is not taken for one of ours.
APPLICATION_ID = 0x636F6465
# A new number makes every index be made anew: for another schema, or other symbols.
VERSION = 1

SCHEMA = """
CREATE TABLE tree (
    root TEXT NOT NULL
);
CREATE TABLE files (
    id INTEGER PRIMARY KEY,
    path TEXT NOT NULL UNIQUE,
    digest TEXT NOT NULL,
    size INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    lines INTEGER NOT NULL,
    error TEXT
);
CREATE TABLE symbols (
    id INTEGER PRIMARY KEY,
    file INTEGER NOT NULL REFERENCES files (id),
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    line INTEGER NOT NULL,
    words TEXT NOT NULL,
    signature TEXT NOT NULL,
    doc TEXT NOT NULL,
    text TEXT NOT NULL
);
CREATE INDEX symbols_of_a_file ON symbols (file);
CREATE VIRTUAL TABLE search USING fts5 (
    name, words, signature, doc, text,
    content = 'symbols', content_rowid = 'id', tokenize = 'porter unicode61'
);
CREATE TRIGGER symbols_come AFTER INSERT ON symbols BEGIN
    INSERT INTO search (rowid, name, words, signature, doc, text)
    VALUES (new.id, new.name, new.words, new.signature, new.doc, new.text);
END;
CREATE TRIGGER symbols_go AFTER DELETE ON symbols BEGIN
    INSERT INTO search (search, rowid, name, words, signature, doc, text)
    VALUES ('delete', old.id, old.name, old.words, old.signature, old.doc, old.text);
END;
"""

UPSERT_FILE = """
INSERT INTO files (path, digest, size, changed_at, lines, error)
VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (path) DO UPDATE SET
    digest = excluded.digest,
    size = excluded.size,
    changed_at = excluded.changed_at,
    lines = excluded.lines,
    error = excluded.error
RETURNING id
"""

INSERT_SYMBOL = """
INSERT INTO symbols (file, kind, name, line, words, signature, doc, text)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""

HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


class WrongDatabase(Exception):
    """The file cannot be used: it is something else, or of another tree, or not there."""


class Counts(msgspec.Struct, frozen=True):
    """How much is in an index."""

    files: int
    failed: int
    lines: int
    modules: int
    classes: int
    functions: int


def open_index(path: Path, root: Path) -> sqlite3.Connection:
    """Open or create the index of the directory ``root``. To be closed by the caller.

    Raises ``WrongDatabase`` if the file is something else or the index of another directory.
    """
    with _told(path):
        connection = _connect(path)
        try:
            _create(connection, path, root)
        except BaseException:
            connection.close()
            raise
    return connection


def read_index(path: Path) -> sqlite3.Connection:
    """Open an index that is there. To be closed by the caller; raises ``WrongDatabase``."""
    with _told(path):
        if not path.exists():
            raise WrongDatabase(
                f"{path}: there is no index yet; "
                f"make one with: python -m examples.codesearch index --db {path}"
            )
        connection = _connect(path)
        try:
            if not _is_ours(connection, path):
                raise WrongDatabase(f"{path}: is empty, and no index")
        except BaseException:
            connection.close()
            raise
    return connection


@contextmanager
def _told(path: Path) -> Generator[None, None, None]:
    try:
        yield
    except sqlite3.Error as error:
        raise WrongDatabase(f"{path}: {error}") from error


def _connect(path: Path) -> sqlite3.Connection:
    """A connection that any one thread at a time may use."""
    return sqlite3.connect(path, timeout=30.0, check_same_thread=False, isolation_level=None)


def _create(connection: sqlite3.Connection, path: Path, root: Path) -> None:
    _is_ours(connection, path)  # nothing is changed in a file of somebody else
    connection.execute("PRAGMA journal_mode = WAL")
    # What is acknowledged must be on the disk, also after a power cut.
    connection.execute("PRAGMA synchronous = FULL")
    with _transaction(connection):
        if not _is_ours(connection, path):
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {VERSION}")
            for statement in _statements(SCHEMA):
                connection.execute(statement)
            connection.execute("INSERT INTO tree VALUES (?)", (str(root),))
    indexed = root_of(connection)
    if indexed != root:
        raise WrongDatabase(f"{path}: is the index of {indexed}; give {root} a file of its own")


def _is_ours(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether it is an index, and not a new file. Raises ``WrongDatabase`` if it is neither."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if not tables:
        return False
    if application != APPLICATION_ID:
        raise WrongDatabase(f"{path}: is a database of something else")
    if version != VERSION:
        raise WrongDatabase(f"{path}: was made by another version; delete it and index again")
    return True


def _statements(script: str) -> Generator[str, None, None]:
    """One by one: ``executescript`` would end the transaction."""
    statement = ""
    for line in script.splitlines():
        statement += f"{line}\n"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Generator[None, None, None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


# ---------------------------------------------------------------------- writing


def save_files(connection: sqlite3.Connection, files: Iterable[ParsedFile]) -> None:
    """Write files in one transaction: all of them are stored, or none."""
    with _transaction(connection):
        for file in files:
            _save(connection, file)


def _save(connection: sqlite3.Connection, file: ParsedFile) -> None:
    stored = connection.execute(
        "SELECT id, digest, error FROM files WHERE path = ?", (file.path,)
    ).fetchone()
    row = (file.path, file.digest, file.size, file.changed_at, file.lines, file.error)
    (key,) = connection.execute(UPSERT_FILE, row).fetchone()
    if stored is not None:
        if stored[1:] == (file.digest, file.error):
            return
        connection.execute("DELETE FROM symbols WHERE file = ?", (key,))
    connection.executemany(INSERT_SYMBOL, [_symbol_row(key, one) for one in file.symbols])


def _symbol_row(file: int, symbol: Symbol) -> tuple[int | str, ...]:
    return (
        file,
        symbol.kind,
        symbol.name,
        symbol.line,
        words_in(symbol.name.rpartition(".")[2]),
        symbol.signature,
        symbol.doc,
        symbol.text,
    )


def words_in(name: str) -> str:
    """A name and the words it is made of: ``CancelScope`` is found by ``cancel scope`` too."""
    words = HUMP.sub(" ", name)
    return name if words == name else f"{name} {words}"


def forget_files(connection: sqlite3.Connection, paths: Iterable[str]) -> None:
    """Remove files that are gone, in one transaction."""
    with _transaction(connection):
        for path in paths:
            which = "(SELECT id FROM files WHERE path = ?)"
            connection.execute(f"DELETE FROM symbols WHERE file = {which}", (path,))
            connection.execute("DELETE FROM files WHERE path = ?", (path,))


# ---------------------------------------------------------------------- reading


def root_of(connection: sqlite3.Connection) -> Path:
    """The directory that is indexed."""
    (root,) = connection.execute("SELECT root FROM tree").fetchone()
    return Path(root)


def stored_files(connection: sqlite3.Connection) -> dict[str, tuple[int, int]]:
    """Path -> (size, change) of every file as it was when it was stored."""
    rows = connection.execute("SELECT path, size, changed_at FROM files")
    return {path: (size, changed_at) for path, size, changed_at in rows}


def failures(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    """Every file that has nothing to be found in, with the reason, by path."""
    query = "SELECT path, error FROM files WHERE error IS NOT NULL ORDER BY path"
    return connection.execute(query).fetchall()


def count(connection: sqlite3.Connection) -> Counts:
    """How much there is of everything."""
    files, failed, lines = connection.execute(
        "SELECT count(*), count(error), coalesce(sum(lines), 0) FROM files"
    ).fetchone()
    kinds = dict(connection.execute("SELECT kind, count(*) FROM symbols GROUP BY kind").fetchall())
    return Counts(
        files=files,
        failed=failed,
        lines=lines,
        modules=kinds.get("module", 0),
        classes=kinds.get("class", 0),
        functions=kinds.get("def", 0),
    )
