"""The tree of a node as a table whose first column is the tree. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from runtime.inspection.views import ProcessView, Snapshot
from supervisors.command.narrow import columns_that_fit
from supervisors.command.process_words import alarm_lines, heading, status_text
from supervisors.command.wording import line, number, seconds, title_of

SHOWN_SIBLINGS: Final = 20
"""Of one parent, unless all are wanted; with one more, that one is shown as well."""


class Row(msgspec.Struct, frozen=True):
    """A line of the tree: ``branch`` leads to it. Without a process it stands for ``more``."""

    branch: str
    process: ProcessView | None
    more: int = 0


def tree_rows(processes: Sequence[ProcessView], siblings: int | None) -> Iterator[Row]:
    """The lines of the tree, parents first.

    Of more than ``siblings`` the last are put together in one line that says how many processes
    it stands for. What has a parent that is not there is at the top.
    """
    known = {process.pid for process in processes}
    below: defaultdict[int | None, list[ProcessView]] = defaultdict(list)
    for process in processes:
        below[process.parent if process.parent in known else None].append(process)
    sizes = _sizes(processes)
    waiting = _lines(None, "", below, sizes, siblings)
    # A tree is as deep as its user likes, so what is not drawn yet is a list and no recursion.
    while waiting:
        row, prefix = waiting.pop()
        yield row
        if row.process is not None:
            waiting += _lines(row.process.pid, prefix, below, sizes, siblings)


def _lines(
    parent: int | None,
    prefix: str,
    below: dict[int | None, list[ProcessView]],
    sizes: dict[int, int],
    siblings: int | None,
) -> list[tuple[Row, str]]:
    """The children of one parent with the prefix of what is below each, last first."""
    children = below.get(parent, [])
    shown = len(children)
    if siblings is not None and len(children) > siblings + 1:
        shown = siblings
    more = sum(sizes[process.pid] for process in children[shown:])
    rows = [Row("", process) for process in children[:shown]]
    if more:
        rows.append(Row("", None, more))
    found: list[tuple[Row, str]] = []
    for row in reversed(rows):
        last = not found
        branch = "" if parent is None else ("└── " if last else "├── ")
        deeper = "" if parent is None else ("    " if last else "│   ")
        found.append((msgspec.structs.replace(row, branch=prefix + branch), prefix + deeper))
    return found


def _sizes(processes: Sequence[ProcessView]) -> dict[int, int]:
    """Each process with all that is below it. Children stand after their parents."""
    sizes = dict.fromkeys((process.pid for process in processes), 1)
    for process in reversed(processes):
        if process.parent in sizes:
            sizes[process.parent] += sizes[process.pid]
    return sizes


def tree_screen(
    snapshot: Snapshot, service: str, siblings: int | None = SHOWN_SIBLINGS
) -> RenderableType:
    """The whole node: alarms first, then the tree."""
    rows = [{name: Text(name, style="bold") for name in COLUMNS}]
    for row in tree_rows(snapshot.processes, siblings):
        if row.process is None:
            more = Text(f"{row.branch}… and {number(row.more)} more", style="dim")
            rows.append({"process": _short(more)})
        else:
            rows.append(dict(zip(COLUMNS, _cells(row.branch, row.process), strict=True)))
    tree = _Drawn(rows)
    return Group(heading(snapshot, service), *alarm_lines(snapshot), Text(), tree)


class _Drawn:
    """A table of these rows, with as many columns as the screen has room for."""

    def __init__(self, rows: Sequence[dict[str, Text]]) -> None:
        self._rows = rows

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        table = Table.grid(padding=(0, 2))
        columns = columns_that_fit(self._widths(), SPARE, options.max_width)
        for name in columns:
            # Behaviours give way when the screen is narrow, names and numbers do not.
            right = COLUMNS[name]
            table.add_column(justify="right" if right else "left", no_wrap=name != "what")
        for row in self._rows:
            table.add_row(*(row.get(name) for name in columns))
        yield table

    def _widths(self) -> dict[str, int]:
        longest = {name: max(_width(row.get(name)) for row in self._rows) for name in COLUMNS}
        return {name: min(size, AT_LEAST.get(name, size)) for name, size in longest.items()}


def _width(cell: Text | None) -> int:
    return 0 if cell is None else cell.cell_len


COLUMNS: Final = {
    "process": False,
    "pid": True,
    "what": False,
    "status": False,
    "mailbox": True,
    "handled": True,
    "restarts": True,
    "up": True,
}
"""The columns of the tree, and whether they are numbers."""

AT_LEAST: Final = {"process": 40, "what": 12}
"""What is left of a long column while others can go."""

SPARE: Final = ("handled", "status", "what", "up", "restarts")
"""Those that a narrow screen goes without, the first ones first."""


def _cells(branch: str, process: ProcessView) -> list[Text]:
    return [
        _short(line(branch, "dim") + line(title_of(process), "bold")),
        Text(str(process.pid), style="cyan"),
        _short(line(process.behaviour)),
        status_text(process.status),
        Text(number(process.mailbox), style="" if process.mailbox else "dim"),
        Text(number(process.handled)),
        Text(number(process.restarts), style="yellow" if process.restarts else "dim"),
        Text(seconds(process.up), style="dim"),
    ]


def _short(text: Text) -> Text:
    text.no_wrap, text.overflow = True, "ellipsis"
    return text
