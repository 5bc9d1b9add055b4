from __future__ import annotations

from pathlib import Path

import pytest

from examples.sitecheck.options import parse


def test_without_arguments_the_built_in_site_is_checked() -> None:
    options = parse([])
    assert options.url is None
    assert (options.workers, options.limit, options.chaos, options.db) == (8, None, 0, None)


def test_everything_can_be_said(tmp_path: Path) -> None:
    db = tmp_path / "x.db"
    line = "HTTP://Site.test --limit 10 --workers 3 --chaos 5 --timeout 0.5 --seed 7 --quiet --full"
    options = parse([*line.split(), "--db", str(db)])
    assert options.url == "http://site.test/"
    assert (options.limit, options.workers, options.db) == (10, 3, db)
    assert (options.chaos, options.timeout, options.seed) == (5, 0.5, 7)
    assert options.quiet
    assert options.full


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["ftp://x.test/"], "argument URL: 'ftp://x.test/' is a bad URL: not http or https"),
        (["site.test"], "argument URL: 'site.test' is a bad URL: not http or https"),
        (["http://"], "argument URL: 'http://' is a bad URL: no host"),
        (["--limit", "0"], "argument --limit: '0' is not a whole number, 1 or more"),
        (["--limit", "many"], "argument --limit: 'many' is not a whole number, 1 or more"),
        (["--workers", "0"], "argument --workers: '0' is not a whole number, 1 to 64"),
        (["--workers", "65"], "argument --workers: '65' is not a whole number, 1 to 64"),
        (["--workers", "2.5"], "argument --workers: '2.5' is not a whole number, 1 to 64"),
        (["--chaos", "-1"], "argument --chaos: '-1' is not a whole number, 0 to 10"),
        (["--timeout", "0"], "argument --timeout: '0' is not a number, 0.001 or more"),
        (["--timeout", "nan"], "argument --timeout: 'nan' is not a number, 0.001 or more"),
        (["--timeout", "inf"], "argument --timeout: 'inf' is not a number, 0.001 or more"),
        (["--db", "/no/such/dir/x.db"], "argument --db: there is no directory '/no/such/dir'"),
        (["--db", "/"], "argument --db: '/' is a directory, not a file"),
        (["--what"], "unrecognized arguments: --what"),
        (["--limit"], "argument --limit: expected one argument"),
        (
            ["http://x.test/", "--modules", "3"],
            "--modules is for the built-in site: leave out URL or --modules",
        ),
    ],
)
def test_a_bad_value_is_one_clear_line_and_status_2(
    arguments: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as leaving:
        parse(arguments)
    assert leaving.value.code == 2
    assert capsys.readouterr().err == f"sitecheck: {line}\n"
