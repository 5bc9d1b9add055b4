"""What each command does, on a terminal or for a program."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from typing import Final

from rich.console import Console

from supervisors.command.answers import (
    evaluate,
    interrupting,
    show_crashes,
    show_info,
    show_services,
    show_stack,
    show_tree,
    write,
)
from supervisors.command.arguments import Arguments
from supervisors.command.client import Client, connect
from supervisors.command.keyboard import terminal_keyboard
from supervisors.command.problems import Problem
from supervisors.command.prompt import Prompt, history_file, open_history
from supervisors.command.repl import run_repl
from supervisors.command.services import services, socket_of
from supervisors.command.top import Top

WIDE: Final = 200


def perform(arguments: Arguments) -> None:
    """Do what the command line says. Raises ``Problem``."""
    console = Console(highlight=False, width=_width())
    match arguments.command:
        case "list":
            show_services(services(), console, arguments.json)
        case "repl":
            _check_terminal("repl")
            run_repl(arguments.tree, arguments.name)
        case "attach" | "top" as command:
            _check_terminal(command)
            with closing(connect(socket_of(arguments.service), write)) as client:
                _sit(command, client, console)
        case command:
            with closing(connect(socket_of(arguments.service), write)) as client:
                _ask(command, client, console, arguments)


def _width() -> int | None:
    """That of the terminal. Where there is none nothing is cut; $COLUMNS is for rich."""
    return None if sys.stdout.isatty() or "COLUMNS" in os.environ else WIDE


def _check_terminal(command: str) -> None:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Problem(f"{command} needs a terminal; `otp eval`, `otp tree --json` do not")


def _sit(command: str, client: Client, console: Console) -> None:
    if command == "attach":
        Prompt(client, interrupting, history=open_history(history_file())).run()
        return
    with terminal_keyboard(client.fileno()) as keyboard:
        Top(client, console, keyboard).run()


def _ask(command: str, client: Client, console: Console, arguments: Arguments) -> None:
    json = arguments.json
    match command:
        case "tree":
            show_tree(client, console, json, arguments.everything)
        case "info":
            show_info(client, console, json, arguments.target)
        case "stack":
            show_stack(client, console, json)
        case "crashes":
            show_crashes(client, console, json, arguments.limit)
        case _:
            source = sys.stdin.read() if arguments.source == "-" else arguments.source
            evaluate(client, source)
