"""``python -m examples.sitecheck``: from a command line to tables and an exit status.

0: the crawl is complete, whatever it found, or was stopped by SIGTERM. 1: the service gave up.
2: the command line makes no sense. 130: ctrl-C. What is stored is consistent after all of them.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import trio
from rich.console import Console

from examples.sitecheck.client import open_client
from examples.sitecheck.crawl import Crawl
from examples.sitecheck.database import WrongDatabase, last_start, open_database, stored_pages
from examples.sitecheck.logs import configure_logs
from examples.sitecheck.options import Options, parse
from examples.sitecheck.restarts import RestartCount
from examples.sitecheck.robots import read_robots
from examples.sitecheck.site_process import SiteFailed, pydoc_site
from examples.sitecheck.summary import summarise
from examples.sitecheck.tables import render
from examples.sitecheck.tree import TREE, children
from runtime import log_reports
from supervisors import run

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; the exit status is returned."""
    options = parse(sys.argv[1:] if arguments is None else arguments)
    configure_logs()
    try:
        with ExitStack() as stack:
            database = stack.enter_context(_database(options))
            start = options.url or stack.enter_context(_built_in_site(options, database))
            status = _check(options, start, database)
        if status == INTERRUPTED:
            return _refuse("interrupted: the tables show what was found before", status)
        return status
    except WrongDatabase as error:
        return _refuse(f"argument --db: {error}", 2)
    except (SiteFailed, sqlite3.Error) as error:
        return _refuse(str(error), 1)
    except KeyboardInterrupt:
        return _refuse("interrupted", INTERRUPTED)


def _check(options: Options, start: str, database: Path) -> int:
    """Run the tree to its end and show what is in the database then, however it ended."""
    crawl = Crawl(
        start=start,
        database=database,
        started_at=time.time(),
        robots=trio.run(_robots, start, options.timeout),
        workers=options.workers,
        limit=options.limit,
        timeout=options.timeout,
        chaos=options.chaos,
        seed=options.seed,
        quiet=options.quiet,
    )
    restarts = RestartCount()
    status = _run(crawl, restarts, options.console)
    with closing(open_database(database)) as connection:
        summary = summarise(stored_pages(connection, start), start)
    seconds = time.time() - crawl.started_at
    Console().print(render(summary, start, seconds, restarts.by_child, full=options.full))
    return status


def _run(crawl: Crawl, restarts: RestartCount, console: bool) -> int:
    try:
        run(
            children(crawl),
            instruments=[log_reports, restarts.instrument],
            console=console,
            **TREE,
        )
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else 1
    return 0


async def _robots(start: str, timeout: float) -> str:
    async with open_client() as client:
        return await read_robots(client, start, timeout)


@contextmanager
def _database(options: Options) -> Generator[Path, None, None]:
    """The file that was asked for, or one for this run only; made sure to be usable."""
    if options.db is not None:
        open_database(options.db).close()
        yield options.db
        return
    with tempfile.TemporaryDirectory(prefix="sitecheck-") as directory:
        yield Path(directory) / "sitecheck.db"


@contextmanager
def _built_in_site(options: Options, database: Path) -> Generator[str, None, None]:
    """The start page of the built-in site, at the address of the last run if that is free."""
    with closing(open_database(database)) as connection:
        before = last_start(connection)
    port = (before and urlsplit(before).port) or 0
    print("sitecheck: rendering the built-in site ...", file=sys.stderr)
    with pydoc_site(options.modules, port) as site:
        yield site.url


def _refuse(line: str, status: int) -> int:
    print(f"sitecheck: {line}", file=sys.stderr)
    return status
