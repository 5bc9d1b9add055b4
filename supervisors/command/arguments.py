"""The command line of ``otp``: what may be said, and one clear line about what may not."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import NoReturn

import msgspec


class Arguments(msgspec.Struct, frozen=True, kw_only=True):
    """The command line, checked. ``service`` is a name, the beginning of one, or a socket."""

    command: str
    service: str | None = None
    json: bool = False
    everything: bool = False
    limit: int = 20
    target: str = ""
    source: str = ""
    tree: str = ""
    name: str | None = None


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say it in one line; argparse would print the usage as well."""
        self.exit(2, f"{self.prog}: {message}\n")


def parse(arguments: Sequence[str]) -> Arguments:
    """Read the command line; leave with status 2 and one line if it is wrong."""
    return Arguments(**vars(_parser().parse_args(arguments)))


def _parser() -> _Parser:
    parser = _Parser(
        prog="otp",
        description="Look into running services that have a console: run(..., console=True).",
        epilog="SERVICE is a name as in `otp list`, the beginning of one, or the path of a "
        "socket; it can be left out while there is only one.",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _add(commands, "list", "the running services")
    _with_service(_add(commands, "attach", "a prompt inside a service", json=False))
    tree = _with_service(_add(commands, "tree", "the processes of a service"))
    tree.add_argument("--all", dest="everything", action="store_true", help="leave no sibling out")
    _with_service(_add(commands, "top", "the busiest processes, as they change", json=False))
    info = _add(commands, "info", "one process in detail")
    info.add_argument("target", metavar="PROCESS", help="its name or its number")
    _with_service(info)
    _with_service(_add(commands, "stack", "what the loop does now, also while it is stuck"))
    crashes = _with_service(_add(commands, "crashes", "the last crashes, with tracebacks"))
    crashes.add_argument(
        "--limit", type=_count, default=20, metavar="N", help="so many at most (default 20)"
    )
    run = _add(commands, "eval", "run Python in a service; status 1 if it raises", json=False)
    run.add_argument("source", metavar="CODE", help='what to run, "-" reads it from stdin')
    _with_service(run)
    repl = _add(commands, "repl", "start a tree and a prompt on it", json=False)
    repl.add_argument(
        "tree", metavar="MODULE:TREE", help="a list of children, or a function that returns it"
    )
    repl.add_argument("--name", help="of the service (default: the module's)")
    return parser


def _add(
    commands: argparse._SubParsersAction[_Parser], name: str, what: str, json: bool = True
) -> _Parser:
    command = commands.add_parser(name, help=what, description=what)
    if json:
        command.add_argument("--json", action="store_true", help="for programs")
    return command


def _with_service(command: _Parser) -> _Parser:
    command.add_argument("service", nargs="?", metavar="SERVICE", help="which one")
    return command


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number, 1 or more")
    return int(text)
