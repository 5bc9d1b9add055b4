"""The program from the outside: command line, exit status, what it prints, signals, the index."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from examples.codesearch.cli import main
from examples.codesearch.database import open_index, save_files
from examples.codesearch.parse import parse_file
from tests.examples.codesearch.trees import ZOO, write
from tests.examples.programs import finish

CODESEARCH = ("-m", "examples.codesearch")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write(tmp_path / "tree", ZOO)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "index.db"


@pytest.fixture
def zoo(root: Path, database: Path) -> Path:
    """The index of the zoo, made without a pipeline."""
    with closing(open_index(database, root)) as connection:
        save_files(connection, [parse_file(str(root), path) for path in ZOO])
    return database


# ---------------------------------------------------------------------- asking


def test_what_is_found_is_two_lines_with_the_place_first(zoo: Path, root: Path) -> None:
    done = finish(*CODESEARCH, "find", "snow leopard", "--db", str(zoo))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        f"{root}/zoo/animals.py:20 class zoo.animals.SnowLeopard(Animal)\n"
        '    class SnowLeopard(Animal): """Rare, and spotted."""\n'
    )


def test_words_need_no_quotes_and_a_kind_and_a_limit_are_kept(
    zoo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["find", "give", "something", "to", "eat", "--db", str(zoo)]) == 0
    assert ":11 def zoo.animals.Animal.feed(self, food: str" in capsys.readouterr().out
    assert main(["find", "zoo", "--kind", "module", "--limit", "1", "--db", str(zoo)]) == 0
    assert re.fullmatch(r".*/zoo/__init__.py:1 module zoo\n    .*\n", capsys.readouterr().out)


def test_nothing_found_is_said_and_status_1(zoo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["find", "unicorn", "--db", str(zoo)]) == 1
    assert capsys.readouterr() == ("", "codesearch: nothing has 'unicorn'\n")


def test_no_word_is_one_line_and_status_2(zoo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["find", "++", "--db", str(zoo)]) == 2
    said = "codesearch: argument WORDS: '++' has no word in it: letters or digits are looked for\n"
    assert capsys.readouterr() == ("", said)


def test_the_status_tells_what_is_there_and_what_failed_and_why(
    zoo: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["status", "--db", str(zoo)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [" ".join(line.split()) for line in lines] == [
        f"index of {root}",
        "4 files",
        "26 lines",
        "2 modules",
        "2 classes",
        "2 functions",
        "2 files that failed",
        "zoo/broken.py: no Python: line 1: invalid syntax",
        "zoo/latin.py: cannot be decoded: invalid or missing encoding declaration",
    ]


@pytest.mark.parametrize("command", [["find", "x"], ["status"]])
def test_an_index_that_is_not_there_is_one_line_that_says_how_to_make_it(
    command: list[str], database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, "--db", str(database)]) == 2
    said = (
        f"codesearch: argument --db: {database}: there is no index yet; "
        f"make one with: python -m examples.codesearch index --db {database}\n"
    )
    assert capsys.readouterr() == ("", said)
    assert not database.exists()


def test_a_file_that_is_no_database_is_one_line_and_left_alone(
    tmp_path: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("precious " * 1000)
    for command in (["find", "x"], ["status"], ["index", str(root)]):
        assert main([*command, "--db", str(notes)]) == 2
        assert capsys.readouterr().err == (
            f"codesearch: argument --db: {notes}: file is not a database\n"
        )
    assert notes.read_text() == "precious " * 1000


def test_a_damaged_index_is_one_line_and_status_1(
    zoo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(sqlite3.connect(zoo)) as connection:
        connection.execute("DROP TABLE symbols")
    assert main(["find", "x", "--db", str(zoo)]) == 1
    assert re.fullmatch(r"codesearch: no such table: .*\n", capsys.readouterr().err)
