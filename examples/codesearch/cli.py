"""``python -m examples.codesearch``: from a command line to what it prints and an exit status.

0: done, or stopped by SIGTERM; what could not be parsed is no failure of the program. 1: nothing
was found, or something could not be stored. 2: the command line makes no sense. 130: ctrl-C. What
is stored is consistent after all of them, and the next ``index`` goes on from it.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from rich.console import Console

from examples.codesearch.database import WrongDatabase, count, failures, read_index, root_of
from examples.codesearch.options import FindOptions, IndexOptions, Options, StatusOptions, parse
from examples.codesearch.search import NothingToLookFor, find
from examples.codesearch.show import found_lines, status_lines

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; the exit status is returned."""
    options = parse(sys.argv[1:] if arguments is None else arguments)
    try:
        status = _run(options)
    except WrongDatabase as error:
        return _refuse(f"argument --db: {error}", 2)
    except NothingToLookFor as error:
        return _refuse(f"argument WORDS: {error}", 2)
    except sqlite3.Error as error:
        return _refuse(str(error), 1)
    except KeyboardInterrupt:
        return _refuse("interrupted", INTERRUPTED)
    if status == INTERRUPTED:
        return _refuse("interrupted: what is stored stays, and the next index goes on", status)
    return status


def _run(options: Options) -> int:
    match options:
        case FindOptions():
            return _find(options)
        case StatusOptions():
            return _status(options)
        case IndexOptions():
            # A search is not to wait for what only indexing needs.
            from examples.codesearch.indexing import index  # noqa: PLC0415

            return index(options)


def _find(options: FindOptions) -> int:
    with closing(read_index(options.db)) as connection:
        found = find(connection, options.words, options.kind, options.limit)
        root = root_of(connection)
    console = Console(highlight=False, soft_wrap=True)
    for line in found_lines(found, root, Path.cwd()):
        console.print(line)
    return 0 if found.hits else _refuse(f"nothing has {options.words!r}", 1)


def _status(options: StatusOptions) -> int:
    with closing(read_index(options.db)) as connection:
        lines = status_lines(
            root_of(connection), count(connection), failures(connection), full=options.full
        )
    console = Console(highlight=False, soft_wrap=True)
    for line in lines:
        console.print(line)
    return 0


def _refuse(line: str, status: int) -> int:
    print(f"codesearch: {line}", file=sys.stderr)
    return status
