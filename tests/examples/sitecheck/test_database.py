from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from examples.sitecheck.database import (
    Known,
    WrongDatabase,
    known_addresses,
    last_start,
    note_run,
    open_database,
    save_pages,
    stored_pages,
)
from examples.sitecheck.page import Page


def page(url: str, *links: str, status: int | None = 200, checked_at: float = 1.0) -> Page:
    return Page(url, status, None, 0.1, 10, "text/html", checked_at, links)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = open_database(tmp_path / "site.db")
    yield connection
    connection.close()


def test_what_is_saved_is_read_back(connection: sqlite3.Connection) -> None:
    pages = [page("a", "b", "c"), page("b", status=None), page("c", "a", status=404)]
    save_pages(connection, pages)
    assert stored_pages(connection, "a") == pages


def test_saving_twice_is_saving_once(connection: sqlite3.Connection) -> None:
    save_pages(connection, [page("a", "b"), page("a", "b")])
    save_pages(connection, [page("a", "b")])
    assert stored_pages(connection, "a") == [page("a", "b")]


def test_a_page_saved_anew_replaces_what_was_known_of_it(connection: sqlite3.Connection) -> None:
    save_pages(connection, [page("a", "b", "c")])
    anew = page("a", "d", status=500, checked_at=2.0)
    save_pages(connection, [anew])
    assert stored_pages(connection, "a") == [anew]


def test_pages_are_saved_all_or_none(connection: sqlite3.Connection) -> None:
    bad = msgspec.structs.replace(page("b"), url=None)
    with pytest.raises(sqlite3.IntegrityError):
        save_pages(connection, [page("a"), bad])
    assert stored_pages(connection, "a") == []
    save_pages(connection, [page("a")])
    assert stored_pages(connection, "a") == [page("a")]


def test_known_is_what_can_be_reached_from_the_start(connection: sqlite3.Connection) -> None:
    save_pages(connection, [page("a", "b", "c"), page("b", "a"), page("elsewhere", "x")])
    assert known_addresses(connection, "a") == [
        Known("a", 200, 1.0),
        Known("b", 200, 1.0),
        Known("c", None, None),
    ]
    assert known_addresses(connection, "new") == [Known("new", None, None)]


def test_the_last_start_is_remembered(connection: sqlite3.Connection) -> None:
    assert last_start(connection) is None
    note_run(connection, "a", 1.0)
    note_run(connection, "b", 2.0)
    note_run(connection, "b", 2.0)
    assert last_start(connection) == "b"


def test_the_database_is_in_wal_mode(connection: sqlite3.Connection) -> None:
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_database_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE precious (x)")
    other.close()
    before = path.read_bytes()
    with pytest.raises(WrongDatabase, match="database of something else"):
        open_database(path)
    assert path.read_bytes() == before


def test_what_is_not_a_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database, " * 100)
    with pytest.raises(WrongDatabase, match=r"notes\.txt: file is not a database"):
        open_database(path)
