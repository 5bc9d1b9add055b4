"""The reporter: a progress bar on the terminal. Nothing depends on it."""

from __future__ import annotations

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as ProgressBar

from examples.sitecheck.frontier import FRONTIER, GetProgress, Progress
from runtime import CallExit, GenServer, handles, self_, send_interval

REFRESH = 0.1


class Draw(msgspec.Struct, frozen=True):
    """Time to draw: sent by the reporter to itself."""


class Reporter(GenServer):
    """Draws at most ten times a second, however fast the news comes in."""

    bar: ProgressBar
    task: TaskID

    async def init(self) -> None:
        self.bar = await self.enter(progress_bar())
        self.task = self.bar.add_task("checking", total=None)
        send_interval(self_(), Draw(), REFRESH)
        try:
            self.show(await FRONTIER.call(GetProgress()))
        except CallExit:
            return  # it is done already, or about to be restarted and to tell us itself

    @handles(Progress)
    def show(self, message: Progress) -> None:
        self.bar.update(self.task, completed=message.done, total=message.total)

    @handles(Draw)
    def draw(self, message: Draw) -> None:
        self.bar.refresh()


def progress_bar(console: Console | None = None) -> ProgressBar:
    """A bar that is drawn when told to, and gone when closed; on a terminal only."""
    console = console or Console(stderr=True)
    return ProgressBar(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("pages"),
        TimeElapsedColumn(),
        console=console,
        auto_refresh=False,
        transient=True,
        disable=not console.is_terminal,
    )
