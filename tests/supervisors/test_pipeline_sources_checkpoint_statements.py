"""What of files is done: versions of a file, lines in any order, files of a directory."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from supervisors.pipeline.sources.checkpoint_statements import (
    CHECKPOINT,
    FileDone,
    LineDone,
    Looks,
    begin_file,
    files_done,
    files_left,
    lines_done,
)
from supervisors.pipeline.sources.sqlite_file import SqliteFile

LOOKS = Looks("7", 100, b"head")


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with SqliteFile(tmp_path / "checkpoint", CHECKPOINT).writing() as db:
        yield db


def begin(db: sqlite3.Connection, looks: Looks = LOOKS) -> tuple[int, list[tuple[int, int]]]:
    version, done = begin_file(db, b"a", looks)
    return version, list(done)


def test_what_is_done_of_a_file_is_known_when_it_is_begun_again(db: sqlite3.Connection) -> None:
    assert begin(db) == (1, [])
    lines_done(db, [LineDone(b"a", 1, 10, 20), LineDone(b"b", 1, 0, 5)])
    lines_done(db, [LineDone(b"a", 1, 0, 10), LineDone(b"a", 1, 30, 40)])
    assert begin(db) == (1, [(0, 20), (30, 40)])
    assert begin_file(db, b"b", LOOKS)[0] == 1
    assert list(begin_file(db, b"b", LOOKS)[1]) == []


OTHERS = {
    "another inode": Looks("8", 100, b"head"),
    "shorter than what is done": Looks("7", 19, b"head"),
    "another beginning": Looks("7", 100, b"tail"),
    "less than its beginning": Looks("7", 100, b"hea"),
}


@pytest.mark.parametrize("what", OTHERS)
def test_another_file_at_the_same_place_begins_anew(db: sqlite3.Connection, what: str) -> None:
    begin(db)
    lines_done(db, [LineDone(b"a", 1, 0, 20)])
    assert begin(db, OTHERS[what]) == (2, [])
    lines_done(db, [LineDone(b"a", 1, 20, 30)])
    assert begin(db, OTHERS[what]) == (2, [])
    lines_done(db, [LineDone(b"a", 2, 0, 10)])
    assert begin(db, OTHERS[what]) == (2, [(0, 10)])


def test_a_file_that_has_grown_is_the_same_and_known_better(db: sqlite3.Connection) -> None:
    begin(db, Looks("7", 4, b"head"))
    lines_done(db, [LineDone(b"a", 1, 0, 4)])
    assert begin(db, Looks("7", 10, b"head, more")) == (1, [(0, 4)])
    assert begin(db, Looks("7", 10, b"head, else")) == (2, [])


def test_a_file_is_done_as_it_is(db: sqlite3.Connection) -> None:
    file = FileDone(b"folder", b"a", 10, 1000)
    changed = [
        FileDone(b"other", b"a", 10, 1000),
        FileDone(b"folder", b"b", 10, 1000),
        FileDone(b"folder", b"a", 11, 1000),
        FileDone(b"folder", b"a", 10, 1001),
    ]
    assert files_left(db, [file, *changed]) == [file, *changed]
    files_done(db, [file])
    assert files_left(db, [file, *changed]) == changed
    files_done(db, [changed[-1]])
    assert files_left(db, [file, *changed]) == [file, *changed[:-1]]
