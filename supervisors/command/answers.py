"""The commands that ask once, print and leave: ``list tree info stack crashes eval``."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from functools import partial
from types import FrameType

import msgspec
from rich.console import Console, RenderableType
from rich.table import Table

from runtime.console.frames import AskCrashes, AskInfo, AskStack, AskTree, InfoView, StackView
from runtime.inspection.views import CrashView, Snapshot
from supervisors.command.client import Client
from supervisors.command.info_screen import crashes_screen, info_screen, stack_screen
from supervisors.command.services import ServiceView
from supervisors.command.tree_screen import SHOWN_SIBLINGS, tree_screen
from supervisors.command.wording import harmless, line, seconds


def show_services(found: Sequence[ServiceView], console: Console, json: bool) -> None:
    """What is running."""
    _show(found, services_screen, console, json)


def show_tree(client: Client, console: Console, json: bool, everything: bool) -> None:
    """The whole node."""
    snapshot = client.ask(AskTree, Snapshot)
    siblings = None if everything else SHOWN_SIBLINGS
    screen = partial(tree_screen, service=client.welcome.service, siblings=siblings)
    _show(snapshot, screen, console, json)


def show_info(client: Client, console: Console, json: bool, target: str) -> None:
    """One process."""
    _show(client.ask(partial(AskInfo, target=target), InfoView), info_screen, console, json)


def show_stack(client: Client, console: Console, json: bool) -> None:
    """What the loop does now."""
    _show(client.ask(AskStack, StackView), stack_screen, console, json)


def show_crashes(client: Client, console: Console, json: bool, limit: int) -> None:
    """The last crashes."""
    crashes = client.ask(partial(AskCrashes, limit=limit), list[CrashView])
    _show(crashes, crashes_screen, console, json)


def evaluate(client: Client, source: str) -> None:
    """Run Python over there: output as it comes, then the value. Raises ``Declined``."""
    with interrupting(client):
        value = client.evaluate(source)
    if value is not None:
        client.tell(f"{value}\n")


@contextmanager
def interrupting(client: Client) -> Generator[None]:
    """ctrl-C ends the evaluation over there and not this program. For the main thread."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        client.interrupt()

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def write(text: str) -> None:
    """Output of an evaluation: for a program as it is, for a terminal without what that obeys."""
    sys.stdout.write(harmless(text) if sys.stdout.isatty() else text)
    sys.stdout.flush()


def services_screen(found: Sequence[ServiceView]) -> RenderableType:
    """The running services as a table."""
    table = Table.grid(padding=(0, 2))
    for _ in range(5):
        table.add_column()
    table.add_row("service", "os pid", "python", "up", "socket", style="bold")
    for one in found:
        pid = None if one.os_pid is None else str(one.os_pid)
        where = line(one.socket) if one.problem is None else line(one.problem, "red")
        table.add_row(line(one.name, "bold"), line(pid), line(one.python), seconds(one.up), where)
    return table


def _show(
    value: object, screen: Callable[..., RenderableType], console: Console, json: bool
) -> None:
    if json:
        write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")
    elif console.is_terminal:
        console.print(screen(value))
    else:
        # What goes to a file or a program ends where its words end.
        with console.capture() as captured:
            console.print(screen(value))
        console.file.writelines(f"{one.rstrip()}\n" for one in captured.get().splitlines())
