from __future__ import annotations

from io import StringIO

from rich.console import Console

from examples.sitecheck.frontier import Progress
from examples.sitecheck.reporter import Draw, Reporter, progress_bar
from runtime import get_state, open_node, start


def test_on_a_terminal_the_bar_says_how_many_pages_of_how_many_are_done() -> None:
    screen = StringIO()
    with progress_bar(Console(file=screen, force_terminal=True, width=100)) as bar:
        task = bar.add_task("checking", total=None)
        bar.update(task, completed=12, total=34)
        bar.refresh()
    assert "12/34" in screen.getvalue()


def test_elsewhere_there_is_no_bar() -> None:
    output = StringIO()
    with progress_bar(Console(file=output)) as bar:
        bar.update(bar.add_task("checking", total=34), completed=12)
        bar.refresh()
    assert output.getvalue() == ""


async def test_a_reporter_shows_what_it_was_told_last_with_a_frontier_or_without() -> None:
    async with open_node():
        reporter = await start(Reporter.child_spec().replace(name="reporter"))
        reporter.cast(Progress(1, 10))
        reporter.cast(Progress(2, 20))
        reporter.send(Draw())
        state = await get_state(reporter)
        assert isinstance(state, dict)
        (task,) = state["bar"].tasks
        assert (task.completed, task.total) == (2, 20)
