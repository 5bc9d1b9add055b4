"""The command line: what may be said, and one clear line about what may not."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

import msgspec

from examples.sitecheck.urls import normalise, problem

MAX_WORKERS = 64
MAX_CHAOS = 10  # half of the restarts that the tree allows


class Options(msgspec.Struct, frozen=True):
    """The command line, checked."""

    url: str | None
    limit: int | None
    workers: int
    db: Path | None
    chaos: int
    timeout: float
    modules: int | None
    seed: int
    quiet: bool
    full: bool
    console: bool


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say it in one line; argparse would print the usage as well."""
        self.exit(2, f"{self.prog}: {message}\n")


def parse(arguments: Sequence[str]) -> Options:
    """Read the command line; leave with status 2 and one line if it is wrong."""
    parser = _parser()
    options = Options(**vars(parser.parse_args(arguments)))
    if options.url is not None and options.modules is not None:
        parser.error("--modules is for the built-in site: leave out URL or --modules")
    if options.db is not None and not options.db.parent.is_dir():
        parser.error(f"argument --db: there is no directory {str(options.db.parent)!r}")
    if options.db is not None and options.db.is_dir():
        parser.error(f"argument --db: {str(options.db)!r} is a directory, not a file")
    return options


def _parser() -> _Parser:
    parser = _Parser(
        prog="sitecheck",
        description="Check the links of a web site, page by page, and remember what was found.",
    )
    parser.add_argument(
        "url",
        nargs="?",
        type=_url,
        metavar="URL",
        help="where to start; without it, check the built-in site (needs no network)",
    )
    whole, positive = _number(int, 0), _number(int, 1)
    parser.add_argument("--limit", type=positive, metavar="N", help="check N pages at most")
    parser.add_argument(
        "--workers",
        type=_number(int, 1, MAX_WORKERS),
        default=8,
        metavar="N",
        help="fetch N pages at a time (default 8)",
    )
    parser.add_argument(
        "--db",
        type=Path,
        metavar="FILE",
        help="keep the results in FILE and go on from what is there (default: forget them)",
    )
    parser.add_argument(
        "--chaos",
        type=_number(int, 0, MAX_CHAOS),
        default=0,
        metavar="N",
        help=f"kill N processes on the way, {MAX_CHAOS} at most, and a fetch before each",
    )
    parser.add_argument(
        "--timeout",
        type=_number(float, 0.001),
        default=10.0,
        metavar="S",
        help="give a page S seconds (default 10)",
    )
    parser.add_argument(
        "--modules", type=positive, metavar="N", help="make the built-in site N modules small"
    )
    parser.add_argument("--seed", type=whole, default=0, metavar="N", help="vary the chaos")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    parser.add_argument("--full", action="store_true", help="show every broken link")
    parser.add_argument(
        "--console", action="store_true", help="let `otp` look inside while it crawls"
    )
    return parser


def _number(
    kind: type[int | float], least: float, most: float = math.inf
) -> Callable[[str], float]:
    """A type for argparse: a number from ``least`` to ``most``."""
    allowed = f"{least:g} or more" if most == math.inf else f"{least:g} to {most:g}"
    noun = "a whole number" if kind is int else "a number"

    def convert(text: str) -> float:
        try:
            number = kind(text)
        except ValueError:
            number = kind(-1)
        if not least <= number <= most or number == math.inf:
            raise argparse.ArgumentTypeError(f"{text!r} is not {noun}, {allowed}")
        return number

    return convert


def _url(text: str) -> str:
    bad = problem(text)
    if bad is not None:
        raise argparse.ArgumentTypeError(f"{text!r} is a {bad}")
    return normalise(text.partition("#")[0])
