from __future__ import annotations

import io

import pytest
import trio
import trio.testing
from rich.console import Console

from examples.codesearch.reporter import draw, report
from examples.codesearch.tally import Tally


async def test_without_a_terminal_every_batch_is_a_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    tally = Tally([str(number) for number in range(1200)])
    async with trio.open_nursery() as nursery:
        nursery.start_soon(report, tally)
        await trio.testing.wait_all_tasks_blocked()
        tally.note_parsed("0")
        await trio.testing.wait_all_tasks_blocked()
        tally.note_stored(["0", "1"])
        await trio.testing.wait_all_tasks_blocked()
        tally.note_failed(["2"])
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    shown = capsys.readouterr()
    assert shown.err == "codesearch: 2 of 1,200 files\ncodesearch: 3 of 1,200 files\n"
    assert shown.out == ""


async def test_on_a_terminal_it_is_a_bar() -> None:
    tally = Tally(["a", "b", "c"])
    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(draw, tally, console)
        await trio.sleep(1)
        tally.note_stored(["a", "b"])
        await trio.sleep(1)
        nursery.cancel_scope.cancel()
    shown = console.file.getvalue()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    assert "0/3" in shown
    assert "2/3" in shown
