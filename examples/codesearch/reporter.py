"""Progress: a bar on a terminal, else a line for every batch. Nothing depends on it."""

from __future__ import annotations

import sys

import trio
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as ProgressBar

from examples.codesearch.tally import Tally

REFRESH = 0.1


async def report(tally: Tally) -> None:
    """Show how far it is, until cancelled."""
    console = Console(stderr=True)
    if console.is_terminal:
        await draw(tally, console)
    else:
        await say(tally)


async def draw(tally: Tally, console: Console) -> None:
    """A bar, drawn at most ten times a second, and gone at the end."""
    with ProgressBar(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("files"),
        TimeElapsedColumn(),
        console=console,
        auto_refresh=False,
        transient=True,
    ) as bar:
        task = bar.add_task("indexing", total=tally.total)
        while True:
            bar.update(task, completed=tally.done, refresh=True)
            await trio.sleep(REFRESH)


async def say(tally: Tally) -> None:
    """A line for every change of what is stored."""
    said = 0
    while True:
        await tally.changed()
        if tally.done != said:
            said = tally.done
            print(f"codesearch: {said:,} of {tally.total:,} files", file=sys.stderr, flush=True)
