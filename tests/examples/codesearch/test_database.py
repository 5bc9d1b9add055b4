from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import msgspec
import pytest

from examples.codesearch.database import (
    Counts,
    WrongDatabase,
    count,
    failures,
    forget_files,
    open_index,
    read_index,
    root_of,
    save_files,
    stored_files,
    words_in,
)
from examples.codesearch.parse import ParsedFile
from examples.codesearch.symbols import Symbol
from tests.examples.codesearch.trees import content

ROOT = Path("/somewhere")


def function(name: str, line: int = 1) -> Symbol:
    return Symbol("def", name, line, f"def {name}()", "", f"def {name}(): pass")


def file(path: str, *names: str, digest: str = "1", changed_at: int = 5) -> ParsedFile:
    symbols = tuple(function(name, line) for line, name in enumerate(names))
    return ParsedFile(path, digest, 10, changed_at, len(names), symbols)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "index.db"


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(open_index(path, ROOT)) as connection:
        yield connection


def symbols(path: Path) -> list[tuple[object, object]]:
    return [(one[0], one[3]) for one in content(path)[1]]  # type: ignore[index]  # pyright: ignore[reportIndexIssue, reportUnknownVariableType]


def test_a_file_is_stored_with_what_is_in_it(connection: sqlite3.Connection, path: Path) -> None:
    save_files(connection, [file("a.py", "a.f", "a.g")])
    assert content(path) == (
        [("a.py", "1", 10, 5, 2, None)],
        [
            ("a.py", 0, "def", "a.f", "f", "def a.f()", "", "def a.f(): pass"),
            ("a.py", 1, "def", "a.g", "g", "def a.g()", "", "def a.g(): pass"),
        ],
    )
    assert stored_files(connection) == {"a.py": (10, 5)}


def test_saving_twice_is_saving_once(connection: sqlite3.Connection, path: Path) -> None:
    files = [file("a.py", "a.f"), file("b.py", "b.f")]
    save_files(connection, files)
    once = content(path)
    save_files(connection, [*files, *files])
    assert content(path) == once


def test_another_content_replaces_the_one_before(
    connection: sqlite3.Connection, path: Path
) -> None:
    save_files(connection, [file("a.py", "a.f", "a.g"), file("b.py", "b.f")])
    save_files(connection, [file("a.py", "a.h", digest="2")])
    assert symbols(path) == [("a.py", "a.h"), ("b.py", "b.f")]


def test_a_file_that_was_only_touched_keeps_its_symbols(
    connection: sqlite3.Connection, path: Path
) -> None:
    save_files(connection, [file("a.py", "a.f")])
    (before,) = connection.execute("SELECT id FROM symbols").fetchone()
    save_files(connection, [file("a.py", "a.f", changed_at=6)])
    assert connection.execute("SELECT id FROM symbols").fetchall() == [(before,)]
    assert stored_files(connection) == {"a.py": (10, 6)}


def test_a_file_that_fails_now_is_found_no_more_and_one_that_is_mended_is(
    connection: sqlite3.Connection, path: Path
) -> None:
    bad = ParsedFile("a.py", "2", 10, 6, error="no Python")
    save_files(connection, [file("a.py", "a.f")])
    save_files(connection, [bad])
    assert symbols(path) == []
    assert failures(connection) == [("a.py", "no Python")]
    save_files(connection, [file("a.py", "a.f")])
    assert symbols(path) == [("a.py", "a.f")]
    assert failures(connection) == []


def test_files_are_saved_all_or_none(connection: sqlite3.Connection, path: Path) -> None:
    bad = msgspec.structs.replace(file("b.py", "b.f"), digest=None)
    with pytest.raises(sqlite3.IntegrityError):
        save_files(connection, [file("a.py", "a.f"), bad])
    assert content(path) == ([], [])
    save_files(connection, [file("a.py", "a.f")])
    assert symbols(path) == [("a.py", "a.f")]


def test_files_that_are_gone_are_forgotten_with_their_words(
    connection: sqlite3.Connection, path: Path
) -> None:
    save_files(connection, [file("a.py", "a.f"), file("b.py", "b.f")])
    forget_files(connection, ["a.py", "unknown.py"])
    assert symbols(path) == [("b.py", "b.f")]
    assert stored_files(connection).keys() == {"b.py"}


def test_everything_is_counted(connection: sqlite3.Connection) -> None:
    assert count(connection) == Counts(0, 0, 0, 0, 0, 0)
    kinds = (Symbol("module", "a", 1, "", "", ""), Symbol("class", "a.C", 1, "", "", ""))
    one = msgspec.structs.replace(file("a.py"), symbols=(*kinds, function("f")), lines=7)
    save_files(connection, [one, ParsedFile("b.py", error="bad")])
    assert count(connection) == Counts(2, 1, 7, 1, 1, 1)


def test_an_index_can_be_read_by_another_connection(
    connection: sqlite3.Connection, path: Path
) -> None:
    save_files(connection, [file("a.py", "a.f")])
    with closing(read_index(path)) as reader:
        assert root_of(reader) == ROOT
        assert count(reader).files == 1


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("read_text", "read_text"),
        ("CancelScope", "CancelScope Cancel Scope"),
        ("HTTPServer", "HTTPServer HTTP Server"),
        ("utf8Decode", "utf8Decode utf8 Decode"),
        ("os", "os"),
    ],
)
def test_a_name_is_made_of_words(name: str, words: str) -> None:
    assert words_in(name) == words


# ---------------------------------------------------------------------- other files


def test_the_index_of_another_directory_is_refused(
    connection: sqlite3.Connection, path: Path
) -> None:
    with pytest.raises(WrongDatabase) as refused:
        open_index(path, Path("/elsewhere"))
    assert str(refused.value) == (
        f"{path}: is the index of /somewhere; give /elsewhere a file of its own"
    )
    open_index(path, ROOT).close()


def test_an_index_of_another_version_is_refused(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("PRAGMA user_version = 999")
    for opened in (partial(open_index, path, ROOT), partial(read_index, path)):
        with pytest.raises(WrongDatabase, match="was made by another version; delete it"):
            opened()


def test_a_database_of_something_else_is_refused_and_left_alone(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE precious (x)")
    before = path.read_bytes()
    for opened in (partial(open_index, path, ROOT), partial(read_index, path)):
        with pytest.raises(WrongDatabase, match=f"^{path}: is a database of something else$"):
            opened()
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_refused(path: Path) -> None:
    path.write_text("precious " * 1000)
    with pytest.raises(WrongDatabase, match=f"^{path}: file is not a database$"):
        open_index(path, ROOT)


def test_reading_makes_no_file(path: Path) -> None:
    with pytest.raises(WrongDatabase, match=r"there is no index yet; make one with: .* index --db"):
        read_index(path)
    assert not path.exists()


def test_an_empty_file_is_no_index_to_read_but_one_to_fill(path: Path) -> None:
    path.touch()
    with pytest.raises(WrongDatabase, match=r"is empty, and no index$"):
        read_index(path)
    open_index(path, ROOT).close()
    read_index(path).close()
