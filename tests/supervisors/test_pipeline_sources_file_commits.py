"""A file of many tasks: what is asked for at the same time is one commit, and fails alone."""

from __future__ import annotations

import gc
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from supervisors.pipeline.sources.file_commits import FileCommits, commits_of
from supervisors.pipeline.sources.sqlite_file import Kind, UnusableFile

# Virtual time does not wait for threads.
pytestmark = pytest.mark.real_clock

NOTES = Kind("a pad", 0x6E6F7465, 1, "CREATE TABLE notes (text TEXT UNIQUE)")


@pytest.fixture
def notes(tmp_path: Path) -> FileCommits:
    return FileCommits(tmp_path / "notes.sqlite", NOTES)


def adding(text: str) -> Callable[[sqlite3.Connection], str]:
    def add(db: sqlite3.Connection) -> str:
        db.execute("INSERT INTO notes VALUES (?)", (text,))
        return f"added {text}"

    return add


def all_notes(db: sqlite3.Connection) -> list[str]:
    return [text for (text,) in db.execute("SELECT text FROM notes ORDER BY rowid")]


class Gate:
    """Work that holds the writer until it is let go."""

    def __init__(self) -> None:
        self.entered, self.open = threading.Event(), threading.Event()

    def __call__(self, db: sqlite3.Connection) -> str:
        self.entered.set()
        assert self.open.wait(30)
        return "gate"

    async def reached(self) -> None:
        assert await trio.to_thread.run_sync(self.entered.wait, 30)


async def test_work_is_done_and_committed_when_it_returns(notes: FileCommits) -> None:
    assert await notes.write(adding("a")) == "added a"
    with sqlite3.connect(notes.path) as other:
        assert all_notes(other) == ["a"]
    other.close()
    assert await notes.read(all_notes) == ["a"]


async def test_what_comes_while_a_commit_is_under_way_is_one_commit_in_order(
    notes: FileCommits, monkeypatch: pytest.MonkeyPatch
) -> None:
    lots: list[int] = []
    commit = FileCommits._commit

    def noted(self: FileCommits, lot: list[object]) -> None:
        lots.append(len(lot))
        commit(self, lot)  # type: ignore[arg-type]

    monkeypatch.setattr(FileCommits, "_commit", noted)
    gate = Gate()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(notes.write, gate)
        await gate.reached()
        for text in "abc":
            nursery.start_soon(notes.write, adding(text))
            await wait_all_tasks_blocked()
        gate.open.set()
    assert lots == [1, 3]
    assert await notes.read(all_notes) == ["a", "b", "c"]


async def test_a_lot_is_on_the_disk_if_one_of_it_has_to_be(notes: FileCommits) -> None:
    def level(db: sqlite3.Connection) -> int:
        return int(db.execute("PRAGMA synchronous").fetchone()[0])

    assert await notes.write(level) == 1
    assert await notes.write(level, durable=True) == 2
    gate, levels = Gate(), list[int]()

    async def ask(*, durable: bool) -> None:
        levels.append(await notes.write(level, durable=durable))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(notes.write, gate)
        await gate.reached()
        nursery.start_soon(lambda: ask(durable=False))
        nursery.start_soon(lambda: ask(durable=True))
        await wait_all_tasks_blocked()
        gate.open.set()
    assert levels == [2, 2]


async def test_work_that_raises_harms_nobody_who_came_with_it(notes: FileCommits) -> None:
    gate, told = Gate(), dict[str, str]()

    async def ask(name: str, text: str) -> None:
        try:
            told[name] = await notes.write(adding(text))
        except sqlite3.IntegrityError:
            told[name] = "refused"

    async with trio.open_nursery() as nursery:
        nursery.start_soon(notes.write, gate)
        await gate.reached()
        for name, text in (("one", "a"), ("two", "a"), ("three", "b")):
            nursery.start_soon(ask, name, text)
            await wait_all_tasks_blocked()
        gate.open.set()
    assert told == {"one": "added a", "two": "refused", "three": "added b"}
    assert await notes.read(all_notes) == ["a", "b"]


# ---------------------------------------------------------------------- cancelling


async def test_who_is_cancelled_before_it_begins_has_done_nothing(notes: FileCommits) -> None:
    with trio.CancelScope() as scope:
        scope.cancel()
        await notes.write(adding("never"))
    assert scope.cancelled_caught
    assert await notes.read(all_notes) == []


async def test_who_is_cancelled_in_the_queue_has_done_nothing(notes: FileCommits) -> None:
    gate, scope = Gate(), trio.CancelScope()

    async def cut_short() -> None:
        with scope:
            await notes.write(adding("never"))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(notes.write, gate)
        await gate.reached()
        nursery.start_soon(cut_short)
        await wait_all_tasks_blocked()
        scope.cancel()
        await wait_all_tasks_blocked()
        gate.open.set()
    assert scope.cancelled_caught
    assert await notes.read(all_notes) == []


async def test_who_is_cancelled_with_its_commit_under_way_gets_its_answer_and_others_go_on(
    notes: FileCommits,
) -> None:
    gate, scope, told = Gate(), trio.CancelScope(), list[str]()

    async def cut_short() -> None:
        with scope:
            told.append(await notes.write(gate))

    async def later() -> None:
        told.append(await notes.write(adding("a")))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(cut_short)
        await gate.reached()
        nursery.start_soon(later)
        scope.cancel()
        await wait_all_tasks_blocked()
        gate.open.set()
    assert sorted(told) == ["added a", "gate"]


async def test_what_others_want_is_done_though_who_was_to_do_it_is_cancelled(
    notes: FileCommits, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cancelled between taking the work of all along and the thread."""
    told: list[str] = []
    scope = trio.CancelScope()
    run_sync, cut = trio.to_thread.run_sync, iter([True])

    async def slow(*args: Any, **options: Any) -> object:
        if next(cut, False):
            await trio.sleep_forever()
        return await run_sync(*args, **options)

    monkeypatch.setattr(trio.to_thread, "run_sync", slow)

    async def cut_short() -> None:
        with scope:
            await notes.write(adding("never"))

    async def later() -> None:
        told.append(await notes.write(adding("a")))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(cut_short)
        await wait_all_tasks_blocked()
        nursery.start_soon(later)
        await wait_all_tasks_blocked()
        scope.cancel()
    assert told == ["added a"]
    assert await notes.read(all_notes) == ["a"]


# ---------------------------------------------------------------------- one for each file


async def test_a_file_has_one_in_a_run_as_long_as_somebody_holds_it(tmp_path: Path) -> None:
    first = commits_of(tmp_path / "a", NOTES)
    (tmp_path / "link").symlink_to(tmp_path / "a")
    assert commits_of(str(tmp_path / "link"), NOTES) is first
    assert commits_of(tmp_path / "b", NOTES) is not first
    await first.write(adding("a"))
    del first
    gc.collect()
    again = commits_of(tmp_path / "a", NOTES)
    assert again._file is None
    assert await again.read(all_notes) == ["a"]


def test_each_run_has_its_own(tmp_path: Path) -> None:
    async def main() -> FileCommits:
        return commits_of(tmp_path / "a", NOTES)

    assert trio.run(main) is not trio.run(main)


async def test_a_file_that_cannot_be_used_is_the_error_of_everybody(tmp_path: Path) -> None:
    notes = FileCommits(tmp_path / "nowhere" / "notes", NOTES)
    with pytest.raises(UnusableFile):
        await notes.write(adding("a"))
    with pytest.raises(UnusableFile):
        await notes.read(all_notes)
