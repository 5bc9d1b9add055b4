"""Indexing from the outside: what is in the index then, exit status, progress, signals, chaos."""

from __future__ import annotations

import re
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.examples.codesearch.trees import ZOO, content, indexed, write, write_many
from tests.examples.programs import finish, start

INDEX = ("-m", "examples.codesearch", "index")
pytestmark = pytest.mark.real_clock


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "index.db"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write(tmp_path / "tree", ZOO)


def index(root: Path, database: Path, *more: str) -> tuple[str, str]:
    """What it printed, once it has ended well."""
    done = finish(*INDEX, str(root), "--db", str(database), *more)
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def test_a_directory_is_indexed_and_what_failed_is_recorded(root: Path, database: Path) -> None:
    shown, progress = index(root, database)
    assert content(database) == indexed(root)
    assert re.fullmatch(r"indexed 2 files, 2 failed, in \d+\.\d s; status says why\n", shown)
    assert progress.startswith("codesearch: 4 of 4 files are new\n")
    assert progress.endswith("codesearch: 4 of 4 files\n")


def test_a_second_run_has_only_what_is_new_and_forgets_what_is_gone(
    root: Path, database: Path
) -> None:
    index(root, database)
    shown, progress = index(root, database)
    assert (shown, progress) == ("nothing is new in 4 files\n", "")
    (root / "zoo/animals.py").write_text("class Newt: pass\n")
    (root / "zoo/latin.py").unlink()
    write(root, {"zoo/broken.py": "def whole(): pass\n"})
    shown, progress = index(root, database)
    assert shown.startswith("indexed 2 files, in ")
    assert progress.startswith("codesearch: 2 of 3 files are new, 1 is gone\n")
    assert content(database) == indexed(root)


def test_quiet_says_nothing_but_the_outcome(root: Path, database: Path) -> None:
    shown, progress = index(root, database, "--quiet")
    assert shown.startswith("indexed 2 files, 2 failed")
    assert progress == ""


def test_a_directory_without_python_is_one_line_and_status_2(
    tmp_path: Path, database: Path
) -> None:
    (tmp_path / "empty").mkdir()
    done = finish(*INDEX, str(tmp_path / "empty"), "--db", str(database))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"codesearch: argument DIRECTORY: there is no Python file below {tmp_path / 'empty'}\n"
    )


def test_what_cannot_be_stored_is_status_1_and_the_next_run_has_it_again(
    root: Path, database: Path
) -> None:
    index(root, database)
    write(root, {"new/good.py": "", "new/full.py": ""})
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(
            "CREATE TRIGGER full BEFORE INSERT ON files WHEN new.path = 'new/full.py'"
            " BEGIN SELECT raise(ABORT, 'disk full'); END"
        )
    done = finish(*INDEX, str(root), "--db", str(database), "--batch", "1")
    assert done.returncode == 1
    assert re.fullmatch(
        r"indexed 1 files, in \d+\.\d s\nnot stored: new/full.py: cannot be stored: disk full\n",
        done.stdout,
    )
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("DROP TRIGGER full")
    _, progress = index(root, database)
    assert progress.startswith("codesearch: 1 of 6 files are new\n")
    assert content(database) == indexed(root)


def test_a_file_that_was_away_for_a_while_is_indexed_again(root: Path, database: Path) -> None:
    index(root, database)
    file = root / "zoo/animals.py"
    file.rename(root / "away")
    index(root, database)
    assert len(content(database)[0]) == 3
    (root / "away").rename(file)
    index(root, database)
    assert content(database) == indexed(root)


def test_nothing_is_left_beside_the_index(root: Path, database: Path) -> None:
    index(root, database)
    assert [file.name for file in database.parent.glob("index*")] == ["index.db"]


@pytest.mark.parametrize("seed", [1, 2])
def test_with_chaos_the_index_is_the_same(seed: int, tmp_path: Path, database: Path) -> None:
    root = write_many(tmp_path / "tree", 150)
    more = ("--batch", "8", "--chaos", "12", "--seed", str(seed), "--workers", "2")
    shown, _ = index(root, database, *more)
    assert content(database) == indexed(root)
    assert re.search(r"^killed 12: ", shown, re.MULTILINE)


@pytest.mark.parametrize(("how", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_a_signal_is_an_orderly_end(
    how: signal.Signals, status: int, tmp_path: Path, database: Path
) -> None:
    root = write_many(tmp_path / "tree", 400)
    with start(*INDEX, str(root), "--db", str(database), "--batch", "5") as program:
        assert program.stderr is not None
        assert program.stderr.readline() == "codesearch: 400 of 400 files are new\n"
        assert program.stderr.readline().startswith("codesearch: ")
        program.send_signal(how)
        shown, errors = program.communicate(timeout=30)
    assert program.returncode == status, errors
    assert "Traceback" not in errors
    assert ("interrupted: what is stored stays" in errors) == (how == signal.SIGINT)
    left = re.search(r"^(\d+) files are left", shown, re.MULTILINE)
    assert left is not None
    files, symbols = content(database)
    assert len(files) == 400 - int(left[1]) > 0
    all_files, all_symbols = indexed(root)
    assert {*files} < {*all_files}
    assert {*symbols} < {*all_symbols}
    assert not database.with_name("index.db-wal").exists()
    index(root, database)
    assert content(database) == (all_files, all_symbols)
