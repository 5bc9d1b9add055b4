"""One SQLite file that many share: what it refuses, its transactions, opening it together."""

from __future__ import annotations

import gc
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from supervisors.pipeline.sources.sqlite_file import Kind, SqliteFile, UnusableFile

NOTES = Kind(
    "a pad", 0x6E6F7465, 1, "CREATE TABLE notes (text TEXT); CREATE INDEX i ON notes (text)"
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "notes.sqlite"


def write(file: SqliteFile, text: str, *, durable: bool = False) -> None:
    with file.writing(durable=durable) as db:
        db.execute("INSERT INTO notes VALUES (?)", (text,))


def read(file: SqliteFile) -> list[str]:
    with file.reading() as db:
        return [text for (text,) in db.execute("SELECT text FROM notes ORDER BY text")]


def synchronous(file: SqliteFile) -> int:
    with file.reading() as db:
        (level,) = db.execute("PRAGMA synchronous").fetchone()
    return int(level)


def test_what_is_written_is_there_for_whoever_opens_it(path: Path) -> None:
    file = SqliteFile(str(path), NOTES)
    assert file.path == path
    write(file, "a")
    file.close()
    file.close()
    with pytest.raises(sqlite3.ProgrammingError):
        write(file, "b")
    assert read(SqliteFile(path, NOTES)) == ["a"]


def test_a_durable_transaction_is_on_the_disk_and_others_need_not_be(path: Path) -> None:
    file = SqliteFile(path, NOTES)
    write(file, "a", durable=True)
    assert synchronous(file) == 2
    write(file, "b")
    assert synchronous(file) == 1
    with file.reading() as db:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_transaction_that_raises_has_changed_nothing_and_the_next_can_begin(path: Path) -> None:
    file = SqliteFile(path, NOTES)
    with pytest.raises(ZeroDivisionError), file.writing() as db:
        db.execute("INSERT INTO notes VALUES ('a')")
        raise ZeroDivisionError
    write(file, "b")
    assert read(file) == ["b"]


def test_a_file_that_nobody_holds_is_closed(path: Path) -> None:
    file = SqliteFile(path, NOTES)
    with file.reading() as db:
        connection = db
    del file, db
    gc.collect()
    with pytest.raises(sqlite3.ProgrammingError):
        connection.execute("SELECT 1")


# ---------------------------------------------------------------------- what is refused


def test_a_database_of_something_else_is_refused_and_left_as_it_was(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE others (x)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(UnusableFile, match=r"notes\.sqlite: is a database, and not a pad$"):
        SqliteFile(path, NOTES)
    assert path.read_bytes() == before


def test_a_file_of_another_kind_is_refused_though_it_is_empty(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA application_id = 7")
    connection.close()
    with pytest.raises(UnusableFile, match="is a database, and not a pad"):
        SqliteFile(path, NOTES)


def test_a_file_of_another_version_is_refused(path: Path) -> None:
    SqliteFile(path, msgspec.structs.replace(NOTES, version=2)).close()
    with pytest.raises(UnusableFile, match="is a pad of version 2, known here is 1"):
        SqliteFile(path, NOTES)


def test_a_place_where_no_file_can_be_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableFile, match="unable to open database file"):
        SqliteFile(tmp_path / "nowhere" / "notes", NOTES)


def test_a_file_that_is_held_for_too_long_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("supervisors.pipeline.sources.sqlite_file._OPENING", 0.05)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(UnusableFile, match="database is locked"):
        SqliteFile(path, NOTES, busy_timeout=0.0)
    holder.close()


# ---------------------------------------------------------------------- together


def test_a_writer_waits_for_another_program_as_long_as_it_may(path: Path) -> None:
    patient, hasty = SqliteFile(path, NOTES), SqliteFile(path, NOTES, busy_timeout=0.0)
    other = SqliteFile(path, NOTES)
    with other.writing() as db:
        db.execute("INSERT INTO notes VALUES ('first')")
        assert read(hasty) == []
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            write(hasty, "never")
        waiting = threading.Thread(target=write, args=(patient, "second"))
        waiting.start()
    waiting.join()
    assert read(hasty) == ["first", "second"]


def test_many_may_open_a_new_file_at_once(path: Path) -> None:
    start = threading.Barrier(8)

    def work(number: int) -> None:
        start.wait()
        file = SqliteFile(path, NOTES)
        write(file, str(number))
        file.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert read(SqliteFile(path, NOTES)) == [str(number) for number in range(8)]


def test_threads_share_one_file(path: Path) -> None:
    file = SqliteFile(path, NOTES)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: write(file, f"{number:03}"), range(100)))
    assert read(file) == [f"{number:03}" for number in range(100)]
