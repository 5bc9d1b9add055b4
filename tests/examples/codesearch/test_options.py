from __future__ import annotations

import os
import re
import shlex
import sysconfig
from pathlib import Path

import pytest

from examples.codesearch.options import FindOptions, IndexOptions, StatusOptions, parse


def test_without_a_directory_the_standard_library_is_indexed() -> None:
    options = parse(["index"])
    assert options == IndexOptions(
        root=Path(sysconfig.get_path("stdlib")).resolve(),
        db=Path("codesearch.db"),
        workers=os.cpu_count() or 1,
        batch=50,
        chaos=0,
        seed=0,
        quiet=False,
        console=False,
    )


def test_everything_can_be_said(tmp_path: Path) -> None:
    db = tmp_path / "x.db"
    line = ["index", str(tmp_path), "--db", str(db)]
    line += "--workers 3 --batch 7 --chaos 5 --seed 9 --quiet --console".split()
    assert parse(line) == IndexOptions(
        tmp_path, db, workers=3, batch=7, chaos=5, seed=9, quiet=True, console=True
    )
    assert parse(["find", "--db", str(db), "two", "words", "--kind", "class", "--limit", "3"]) == (
        FindOptions("two words", db, "class", 3)
    )
    assert parse(["status", "--db", str(db), "--full"]) == StatusOptions(db, full=True)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["search"], "argument COMMAND: invalid choice: 'search' (choose from "),
        (["index", "/no/such"], "argument DIRECTORY: '/no/such' is not there"),
        (["index", __file__], f"argument DIRECTORY: {__file__!r} is a file, not a directory"),
        (["index", "--db", "/no/x.db"], "argument --db: there is no directory '/no'"),
        (["index", "--db", "/"], "argument --db: '/' is a directory, not a file"),
        (["status", "--db", "/"], "argument --db: '/' is a directory, not a file"),
        (["index", "--workers", "0"], "argument --workers: '0' is not a whole number, 1 to 64"),
        (["index", "--workers", "65"], "argument --workers: '65' is not a whole number, 1 to 64"),
        (["index", "--batch", "x"], "argument --batch: 'x' is not a whole number, 1 or more"),
        (["index", "--chaos", "-1"], "argument --chaos: '-1' is not a whole number, 0 to 100"),
        (["find"], "the following arguments are required: WORDS"),
        (["find", "x", "--kind", "method"], "argument --kind: invalid choice: 'method'"),
        (["find", "x", "--limit", "0"], "argument --limit: '0' is not a whole number, 1 or more"),
        (["status", "--what"], "unrecognized arguments: --what"),
    ],
)
def test_a_bad_value_is_one_clear_line_and_status_2(
    arguments: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as leaving:
        parse(arguments)
    assert leaving.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith(f"codesearch: {line}")
    assert said.count("\n") == 1


def test_what_the_readme_says_can_be_typed() -> None:
    text = (Path(__file__).parents[3] / "README.md").read_text()
    typed = re.findall(r"python -m examples\.codesearch (.*)$", text, re.MULTILINE)
    assert [type(parse(shlex.split(line))) for line in typed] == [IndexOptions, FindOptions]
