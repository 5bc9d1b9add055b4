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
from supervisors.command.narrow import columns_that_fit, longest_that_fits
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


def top_screen(seen: Seen, look: Look, height: int, width: int) -> Layout:
    """The whole screen, ``height`` lines of ``width`` characters."""
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
        parts.append(Layout(_list(seen.snapshot, look, height - len(above) - 2, width)))
    screen.split_column(*parts, Layout(_below(look, width), size=1))
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


def _list(snapshot: Snapshot, look: Look, rows: int, width: int) -> RenderableType:
    if not snapshot.processes:
        return Text("nothing found" if look.find else "no processes", style="dim")
    columns = _columns(look, width)
    table = Table.grid(padding=(0, 2), expand=True)
    for column in columns.values():
        table.add_column(
            justify="right" if column.right else "left",
            no_wrap=True,
            overflow="ellipsis",
            ratio=column.ratio,
        )
    table.add_row(
        *(
            Text(name, style="bold reverse" if column.sort == look.sort else "bold")
            for name, column in columns.items()
        )
    )
    here = selected(look, snapshot.processes)
    for process in window(snapshot.processes, here, rows):
        table.add_row(
            *(column.show(process) for column in columns.values()),
            style="reverse" if process is here else "",
        )
    return table


def _columns(look: Look, width: int) -> dict[str, Column]:
    """Those there is room for. The one that is sorted by stays."""
    widths = {name: column.width for name, column in COLUMNS.items()}
    spare = [name for name in SPARE if COLUMNS[name].sort != look.sort]
    return {name: COLUMNS[name] for name in columns_that_fit(widths, spare, width)}


def window(
    processes: Sequence[ProcessView], here: ProcessView | None, rows: int
) -> Sequence[ProcessView]:
    """So many of them that the screen has room for, the one under the cursor among them."""
    rows = max(rows, 1)
    at = 0 if here is None else processes.index(here)
    first = max(0, at - rows + 1)
    return processes[first : first + rows]


class Column(msgspec.Struct, frozen=True):
    """How a column is shown, the room it wants, and which sort it is."""

    show: Callable[[ProcessView], Text]
    width: int
    sort: Sort | None = None
    right: bool = True
    ratio: int | None = None


def _zero(value: float | None, text: str, style: str = "") -> Text:
    return Text(text, style=style if value else "dim")


COLUMNS: Final = {
    "pid": Column(lambda one: Text(str(one.pid)), 4, "pid"),
    "process": Column(lambda one: line(title_of(one)), 12, right=False, ratio=4),
    "what": Column(lambda one: line(one.behaviour), 10, right=False, ratio=3),
    "status": Column(lambda one: status_text(one.status), 7, right=False),
    "mailbox": Column(lambda one: _zero(one.mailbox, number(one.mailbox)), 7, "mailbox"),
    "oldest": Column(lambda one: _zero(one.oldest, seconds(one.oldest)), 6),
    "rate": Column(lambda one: _zero(one.rate, per_second(one.rate)), 5, "rate"),
    "cpu": Column(lambda one: _zero(one.cpu, share(one.cpu)), 6, "cpu"),
    "restarts": Column(
        lambda one: _zero(one.restarts, number(one.restarts), "yellow"), 8, "restarts"
    ),
    "busy": Column(lambda one: _zero(one.busy, seconds(one.busy)), 6),
    "handling": Column(lambda one: line(one.handling), 12, right=False, ratio=4),
}
"""The columns of the list."""

SPARE: Final = ("status", "handling", "what", "restarts", "oldest", "busy", "cpu")
"""Those that a narrow screen goes without, the first ones first."""


def _detail(info: InfoView | None) -> RenderableType:
    return Text("this process has ended", style="red") if info is None else info_screen(info)


def _trace(traced: Sequence[str]) -> RenderableType:
    shown = traced[-TRACE_LINES:]
    return Group(Text("trace", style="bold"), *(line(f"  {one}") for one in shown))


_SORTS: Final = "sort: m mailbox  r rate  c cpu  s restarts  n pid   "
_DEEDS: Final = "/ find  enter detail  p pause  k kill  R restart  q quit"

_HELP: Final = {
    "list": (
        f"{_SORTS}{_DEEDS}",
        f"sort: m r c s n  {_DEEDS}",
        "sort: m r c s n  / find  enter detail  k kill  q quit",
    ),
    "detail": ("t trace  k kill  R restart  p pause  q back",),
}
"""The longest that there is room for is shown."""


def _question(asked: Do | None) -> str:
    return "?" if asked is None else f"{asked.action} {asked.title} <{asked.pid}>? y or n"


def _below(look: Look, width: int) -> Text:
    text = _words(look, width)
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def _words(look: Look, width: int) -> Text:
    match look.mode:
        case "find":
            return Text(f"find: {look.find}▏  enter keeps it, escape forgets it", style="yellow")
        case "sure":
            return line(_question(look.asked), "bold red")
        case mode:
            if look.note:
                return line(look.note, "yellow")
            return Text(longest_that_fits(_HELP[mode], width), "dim")
