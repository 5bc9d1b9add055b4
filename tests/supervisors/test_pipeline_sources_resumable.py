"""What sources have in common that read to an end: what is under way, given back, and over."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
import trio

from runtime import Node, kill
from supervisors.pipeline import Message, PipelineRef
from supervisors.pipeline.sources.resumable import ResumableSource
from tests.supervisors.collecting import Collecting, stage

# Virtual time does not wait for threads.
pytestmark = pytest.mark.real_clock


class Counting(ResumableSource[int, int]):
    """Counts to ``last``. At the end it waits for ``gate`` before it knows that it is there."""

    def __init__(self, checkpoint: Path, last: int) -> None:
        super().__init__(checkpoint, "again")
        self.left = list(range(1, last + 1))
        self.gate, self.at_the_end = trio.Event(), trio.Event()

    async def read(self, count: int) -> list[Message[int]]:
        taken, self.left[:count] = self.left[:count], []
        if not taken:
            self.at_the_end.set()
            await self.gate.wait()
        return [Message(one, self._progress, receipt=one) for one in taken]

    @staticmethod
    def note(db: sqlite3.Connection, receipts: list[int]) -> None:
        db.execute("CREATE TABLE IF NOT EXISTS counted (number INTEGER)")
        db.executemany("INSERT INTO counted VALUES (?)", [(one,) for one in receipts])


async def test_what_is_given_back_while_the_end_is_found_comes_again(
    node: Node, tmp_path: Path
) -> None:
    """All that is under way is given back in that moment: it is not over yet."""
    source, held = Counting(tmp_path / "checkpoint", 2), trio.Event()

    async def handle(message: Message[int]) -> None:
        await held.wait()

    collecting = Collecting(handle)
    await collecting.start(lambda: source, max_demand=10)
    await collecting.come(1)
    await source.at_the_end.wait()
    kill(stage("processor_0"))
    await trio.testing.wait_all_tasks_blocked()
    assert (source.facts()["given back"], source.facts()["under way"]) == (2, 0)
    held.set()
    source.gate.set()
    with trio.fail_after(10):
        await PipelineRef("line").wait_done()
    assert collecting.data == [1, 1, 2]


async def test_what_is_done_is_written_before_the_source_hears_of_it(
    node: Node, tmp_path: Path
) -> None:
    source = Counting(tmp_path / "checkpoint", 25)
    source.gate.set()
    await Collecting().to_the_end(lambda: source, max_demand=4)
    db = sqlite3.connect(tmp_path / "checkpoint")
    counted = [number for (number,) in db.execute("SELECT number FROM counted ORDER BY rowid")]
    db.close()
    assert counted == list(range(1, 26))
