"""The command line: what may be said, and one clear line about what may not."""

from __future__ import annotations

import argparse
import math
import os
import sysconfig
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn, TypeAlias

import msgspec

from examples.codesearch.symbols import KINDS, Kind

DATABASE = "codesearch.db"
MAX_WORKERS = 64
MAX_CHAOS = 100


class IndexOptions(msgspec.Struct, frozen=True):
    """``index``, checked."""

    root: Path
    db: Path
    workers: int
    batch: int
    chaos: int
    seed: int
    quiet: bool
    console: bool


class FindOptions(msgspec.Struct, frozen=True):
    """``find``, checked."""

    words: str
    db: Path
    kind: Kind | None
    limit: int


class StatusOptions(msgspec.Struct, frozen=True):
    """``status``, checked."""

    db: Path
    full: bool


Options: TypeAlias = IndexOptions | FindOptions | StatusOptions


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say it in one line; argparse would print the usage as well."""
        self.exit(2, f"codesearch: {message}\n")


def parse(arguments: Sequence[str]) -> Options:
    """Read the command line; leave with status 2 and one line if it is wrong."""
    parser = _parser()
    said = vars(parser.parse_args(arguments))
    command = said.pop("command")
    db: Path = said["db"]
    if db.is_dir():
        parser.error(f"argument --db: {str(db)!r} is a directory, not a file")
    match command:
        case "find":
            return FindOptions(**{**said, "words": " ".join(said["words"])})
        case "status":
            return StatusOptions(**said)
        case _:
            if not db.parent.is_dir():
                parser.error(f"argument --db: there is no directory {str(db.parent)!r}")
            return IndexOptions(**said)


def _parser() -> _Parser:
    parser = _Parser(
        prog="codesearch",
        description="Index Python code, and find what is defined in it.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _index(commands.add_parser("index", help="index a directory, or what is new in it"))
    _find(commands.add_parser("find", help="find modules, classes and functions by words"))
    _status(commands.add_parser("status", help="say what is in an index, and what is not and why"))
    return parser


def _index(parser: argparse.ArgumentParser) -> None:
    whole, positive = _number(0), _number(1)
    parser.description = "Index a directory. Stopped or killed, it goes on where it was."
    parser.add_argument(
        "root",
        nargs="?",
        type=_directory,
        default=Path(sysconfig.get_path("stdlib")).resolve(),
        metavar="DIRECTORY",
        help="what to index (default: the standard library of this Python)",
    )
    _db(parser)
    parser.add_argument(
        "--workers",
        type=_number(1, MAX_WORKERS),
        default=os.cpu_count() or 1,
        metavar="N",
        help="parse in N processes of the system (default: one for each processor)",
    )
    parser.add_argument(
        "--batch",
        type=positive,
        default=50,
        metavar="N",
        help="write up to N files in one transaction (default 50)",
    )
    parser.add_argument(
        "--chaos",
        type=_number(0, MAX_CHAOS),
        default=0,
        metavar="N",
        help=f"kill N stages and worker processes in all on the way, {MAX_CHAOS} at most",
    )
    parser.add_argument("--seed", type=whole, default=0, metavar="N", help="vary the chaos")
    parser.add_argument("--quiet", action="store_true", help="show no progress")
    parser.add_argument(
        "--console", action="store_true", help="let `otp` look inside while it works"
    )


def _find(parser: argparse.ArgumentParser) -> None:
    parser.description = "Find what has all of the words, in a name, a docstring or the code."
    parser.add_argument(
        "words",
        nargs="+",
        metavar="WORDS",
        help="what to look for; 'encod*' is every word that begins so",
    )
    _db(parser)
    parser.add_argument("--kind", choices=KINDS, help="only these")
    parser.add_argument(
        "--limit", type=_number(1), default=10, metavar="N", help="show N at most (default 10)"
    )


def _status(parser: argparse.ArgumentParser) -> None:
    parser.description = "Say what is in an index, and which files are not and why."
    _db(parser)
    parser.add_argument("--full", action="store_true", help="show every file that failed")


def _db(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--db",
        type=Path,
        default=Path(DATABASE),
        metavar="FILE",
        help=f"the file of the index (default {DATABASE})",
    )


def _number(least: int, most: float = math.inf) -> Callable[[str], int]:
    """A type for argparse: a whole number from ``least`` to ``most``."""
    allowed = f"{least} or more" if most == math.inf else f"{least} to {most}"

    def convert(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number, {allowed}")
        return number

    return convert


def _directory(text: str) -> Path:
    path = Path(text)
    if not path.is_dir():
        wrong = "is a file, not a directory" if path.exists() else "is not there"
        raise argparse.ArgumentTypeError(f"{text!r} {wrong}")
    return path.resolve()
