"""The program from the outside: command line, exit status, tables, signals, the database."""

from __future__ import annotations

import re
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from examples.sitecheck.site_process import PydocSite
from tests.examples.programs import finish, start
from tests.examples.sitecheck.found import Found, expected, found
from tests.examples.sitecheck.server import Site, anchors, answer, serve
from tests.examples.sitecheck.slow_site import SlowSite
from tests.examples.sitecheck.walk import walk

SITECHECK = ("-m", "examples.sitecheck")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "site.db"


def number(output: str, label: str) -> int:
    """The number that the table has for ``label``."""
    match = re.search(rf"^│ *{label} +│ +(\d+) │$", output, re.MULTILINE)
    assert match is not None, output
    return int(match[1])


def check_integrity(database: Path) -> None:
    """Nothing half-written: SQLite says so, and every link stands on a stored page."""
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        orphans = "SELECT count(*) FROM links WHERE source NOT IN (SELECT url FROM pages)"
        assert connection.execute(orphans).fetchone() == (0,)


def started_at(database: Path) -> str:
    with closing(sqlite3.connect(database)) as connection:
        (url,) = connection.execute("SELECT start FROM runs").fetchone()
    return str(url)


def check_against_walk(site: PydocSite, url: str, database: Path, output: str) -> None:
    """The database and the table say what a walk over the files says."""
    walked = walk(site.directory)
    crawled = found(url, database)
    assert crawled == expected(walked, url)
    broken = {path for path, status in walked.statuses.items() if status == 404}
    assert number(output, "pages") == len(walked.statuses)
    assert number(output, "links") == len(walked.links)
    assert number(output, "broken links") == sum(target in broken for _, target in walked.links)
    assert number(output, "broken addresses") == len(broken)


def test_the_main_job_finds_what_a_walk_over_the_files_finds(
    whole_site: PydocSite, database: Path
) -> None:
    done = finish(*SITECHECK, "--db", str(database))
    assert done.returncode == 0, done.stderr
    check_against_walk(whole_site, started_at(database), database, done.stdout)
    assert number(done.stdout, "restarts") == 0


def test_the_main_job_with_chaos_finds_the_same(whole_site: PydocSite, database: Path) -> None:
    arguments = (whole_site.url, "--chaos", "5", "--db", str(database), "--workers", "2")
    done = finish(*SITECHECK, *arguments)
    assert done.returncode == 0, done.stderr
    check_against_walk(whole_site, whole_site.url, database, done.stdout)
    assert number(done.stdout, "restarts") == 5
    assert number(done.stdout, "of store") >= 1
    assert number(done.stdout, "of frontier") >= 1


def test_broken_links_are_shown_with_the_pages_they_stand_on() -> None:
    with serve(
        {"/": anchors("a", "gone"), "/a": anchors("gone", "down"), "/down": answer("", 500)}
    ) as site:
        done = finish(*SITECHECK, site.url)
    assert done.returncode == 0
    assert re.search(r"│ /gone +│ 404 +│ /, /a ", done.stdout)
    assert re.search(r"│ /down +│ 500 +│ /a ", done.stdout)
    assert "slowest pages" in done.stdout
    assert done.stderr == ""


def test_a_second_run_goes_on_from_the_first(database: Path) -> None:
    arguments = ("--modules", "5", "--db", str(database))
    first = finish(*SITECHECK, *arguments)
    again = finish(*SITECHECK, *arguments)
    assert (first.returncode, again.returncode) == (0, 0)
    assert number(again.stdout, "pages") == number(first.stdout, "pages")
    with closing(sqlite3.connect(database)) as connection:
        runs = connection.execute("SELECT started_at FROM runs ORDER BY 1").fetchall()
        (latest,) = connection.execute("SELECT max(checked_at) FROM pages").fetchone()
    assert len(runs) == 2
    assert latest < runs[1][0]


def stop_half_way(
    slow: SlowSite, site: Site, database: Path, how: signal.Signals
) -> tuple[int, str]:
    """Start a crawl, send it a signal in the middle; its exit status and output."""
    with start(*SITECHECK, site.url, "--db", str(database), "--workers", "2") as program:
        assert slow.half_way.wait(30)
        program.send_signal(how)
        output, errors = program.communicate(timeout=30)
    assert "Traceback" not in errors
    assert ("interrupted: the tables show" in errors) == (how == signal.SIGINT)
    return program.returncode, output


@pytest.mark.parametrize(("how", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_a_signal_is_an_orderly_end(how: signal.Signals, status: int, database: Path) -> None:
    slow = SlowSite(pages=40)
    with serve(slow.routes) as site:
        returncode, output = stop_half_way(slow, site, database, how)
        pages = found(site.url, database).statuses
    assert returncode == status
    assert 0 < len(pages) < 40
    assert number(output, "pages") == len(pages)
    check_integrity(database)
    assert not database.with_name("site.db-wal").exists()


def test_after_a_kill_the_next_run_goes_on_and_nothing_stored_is_lost(database: Path) -> None:
    slow = SlowSite(pages=40)
    with serve(slow.routes) as site:
        returncode, _ = stop_half_way(slow, site, database, signal.SIGKILL)
        assert returncode == -signal.SIGKILL
        check_integrity(database)
        before = found(site.url, database)
        assert 0 < len(before.statuses) < 40
        asked = len(site.asked)

        assert finish(*SITECHECK, site.url, "--db", str(database)).returncode == 0
        again = {site.at(path) for path in site.asked[asked:]} - {site.at("/5")}
        after = found(site.url, database)
        statuses = {site.at(path): code for path, code in slow.statuses.items()}
    assert not again & before.statuses.keys()
    assert after.statuses == statuses
    assert is_contained(before, after)


def is_contained(before: Found, after: Found) -> bool:
    """Whether everything that was known before is known after."""
    return before.statuses.items() <= after.statuses.items() and before.links <= after.links


def test_ctrl_c_while_the_built_in_site_is_rendered_ends_it_as_well() -> None:
    with start(*SITECHECK) as program:
        assert program.stderr is not None
        assert "rendering" in program.stderr.readline()
        program.send_signal(signal.SIGINT)
        _, errors = program.communicate(timeout=30)
    assert (program.returncode, errors) == (130, "sitecheck: interrupted\n")


def test_a_service_that_cannot_go_on_gives_up_with_status_1(database: Path) -> None:
    slow = SlowSite(pages=40)
    with serve(slow.routes) as site:
        with start(*SITECHECK, site.url, "--db", str(database), "--workers", "2") as program:
            assert slow.half_way.wait(30)
            with closing(sqlite3.connect(database)) as connection:
                connection.execute("ALTER TABLE pages RENAME TO pages_away")
                connection.execute("CREATE VIEW pages AS SELECT * FROM pages_away WHERE false")
            _, errors = program.communicate(timeout=30)
    assert program.returncode == 1, errors
    assert "cannot modify pages" in errors


def test_a_site_that_is_not_there_is_a_row_and_no_failure() -> None:
    done = finish(*SITECHECK, "http://nosuchhost.invalid/")
    assert done.returncode == 0
    assert "unknown host" in done.stdout
    assert "(the start page)" in done.stdout
    assert number(done.stdout, "pages") == 1


@pytest.mark.parametrize("arguments", [("--workers", "none"), ("ftp://x.test/",)])
def test_a_bad_command_line_is_one_line_and_status_2(arguments: tuple[str, ...]) -> None:
    done = finish(*SITECHECK, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1


def test_a_file_that_is_no_database_is_one_line_and_status_2(tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("precious " * 1000)
    done = finish(*SITECHECK, "--db", str(notes))
    assert done.returncode == 2
    assert done.stderr == f"sitecheck: argument --db: {notes}: file is not a database\n"
    assert notes.read_text() == "precious " * 1000
