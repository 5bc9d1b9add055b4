"""The screen of ``otp top``. Pure: from what was answered and what is looked at to a layout."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import msgspec
from rich.console import Group, RenderableType
from rich.layout import Layout
from rich.table import Table
from rich.text import Text

from runtime.console.frames import InfoView, StackView
from runtime.inspection.views import ProcessView, Snapshot, Sort
from supervisors.command.info_screen import info_screen, stack_screen
from supervisors.command.process_words import alarm_lines, heading, status_text
from supervisors.command.top_keys import Do, Look, selected
from supervisors.command.wording import line, number, per_second, seconds, share, title_of

TRACE_LINES: Final = 12


class Seen(msgspec.Struct, frozen=True):
    """What the service has answered last. ``stack`` is there while its loop does not turn."""

    service: str
    snapshot: Snapshot
    info: InfoView | None = None
    stack: StackView | None = None
    traced: tuple[str, ...] = ()


def top_screen(seen: Seen, look: Look, height: int) -> Layout:
    """The whole screen, ``height`` lines of it."""
    above = _above(seen, look)
    screen = Layout()
    parts = [Layout(Group(*above), size=len(above))]
    if seen.stack is not None:
        parts.append(Layout(stack_screen(seen.stack)))
    elif look.mode == "detail" or look.after == "detail":
        parts.append(Layout(_detail(seen.info)))
        if look.traced is not None:
            parts.append(Layout(_trace(seen.traced), size=TRACE_LINES + 1))
    else:
        parts.append(Layout(_list(seen.snapshot, look, height - len(above) - 2)))
    screen.split_column(*parts, Layout(_below(look), size=1))
    return screen


def _above(seen: Seen, look: Look) -> list[Text]:
    found = Text(f"  find: {look.find}", style="yellow") if look.find else Text()
    paused = Text("  paused", style="bold yellow") if look.paused else Text()
    lines = [heading(seen.snapshot, seen.service) + found + paused]
    if seen.stack is not None:
        turned = f"! the loop has not turned for {seconds(seen.stack.turned)}"
        lines.append(Text(turned, style="bold red"))
    lines += alarm_lines(seen.snapshot)
    lines.append(Text())
    for one in lines:
        one.no_wrap, one.overflow = True, "ellipsis"
    return lines


def _list(snapshot: Snapshot, look: Look, rows: int) -> RenderableType:
    if not snapshot.processes:
        return Text("nothing found" if look.find else "no processes", style="dim")
    table = Table.grid(padding=(0, 2), expand=True)
    for column in COLUMNS.values():
        table.add_column(
            justify="right" if column.right else "left",
            no_wrap=True,
            overflow="ellipsis",
            ratio=column.ratio,
        )
    table.add_row(
        *(
            Text(name, style="bold reverse" if column.sort == look.sort else "bold")
            for name, column in COLUMNS.items()
        )
    )
    here = selected(look, snapshot.processes)
    for process in window(snapshot.processes, here, rows):
        table.add_row(
            *(column.show(process) for column in COLUMNS.values()),
            style="reverse" if process is here else "",
        )
    return table


def window(
    processes: Sequence[ProcessView], here: ProcessView | None, rows: int
) -> Sequence[ProcessView]:
    """So many of them that the screen has room for, the one under the cursor among them."""
    rows = max(rows, 1)
    at = 0 if here is None else processes.index(here)
    first = max(0, at - rows + 1)
    return processes[first : first + rows]


class Column(msgspec.Struct, frozen=True):
    """How a column is shown, and which sort it is."""

    show: Callable[[ProcessView], Text]
    sort: Sort | None = None
    right: bool = True
    ratio: int | None = None


def _zero(value: float | None, text: str, style: str = "") -> Text:
    return Text(text, style=style if value else "dim")


COLUMNS: Final = {
    "pid": Column(lambda one: Text(str(one.pid)), "pid"),
    "process": Column(lambda one: line(title_of(one)), right=False, ratio=4),
    "what": Column(lambda one: line(one.behaviour), right=False, ratio=2),
    "status": Column(lambda one: status_text(one.status), right=False),
    "mailbox": Column(lambda one: _zero(one.mailbox, number(one.mailbox)), "mailbox"),
    "oldest": Column(lambda one: _zero(one.oldest, seconds(one.oldest))),
    "rate": Column(lambda one: _zero(one.rate, per_second(one.rate)), "rate"),
    "cpu": Column(lambda one: _zero(one.cpu, share(one.cpu)), "cpu"),
    "restarts": Column(lambda one: _zero(one.restarts, number(one.restarts), "yellow"), "restarts"),
    "busy": Column(lambda one: _zero(one.busy, seconds(one.busy))),
    "handling": Column(lambda one: line(one.handling), right=False, ratio=3),
}
"""The columns of the list."""


def _detail(info: InfoView | None) -> RenderableType:
    return Text("this process has ended", style="red") if info is None else info_screen(info)


def _trace(traced: Sequence[str]) -> RenderableType:
    shown = traced[-TRACE_LINES:]
    return Group(Text("trace", style="bold"), *(line(f"  {one}") for one in shown))


_HELP: Final = {
    "list": "sort: m mailbox  r rate  c cpu  s restarts  n pid   / find  enter detail  "
    "p pause  k kill  R restart  q quit",
    "detail": "t trace  k kill  R restart  p pause  q back",
}


def _question(asked: Do | None) -> str:
    return "?" if asked is None else f"{asked.action} {asked.title} <{asked.pid}>? y or n"


def _below(look: Look) -> Text:
    text = _words(look)
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def _words(look: Look) -> Text:
    match look.mode:
        case "find":
            return Text(f"find: {look.find}▏  enter keeps it, escape forgets it", style="yellow")
        case "sure":
            return line(_question(look.asked), "bold red")
        case mode:
            return line(look.note, "yellow") if look.note else Text(_HELP[mode], "dim")
