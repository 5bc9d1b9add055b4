"""What becomes of a file, tried with messages of a test in a pipeline whose source has none."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from examples.codesearch.callbacks import Indexing
from examples.codesearch.chaos import Chaos
from examples.codesearch.parse import ParsedFile
from examples.codesearch.store import Store
from examples.codesearch.tally import Tally
from examples.codesearch.workers import Workers
from runtime import Node, start
from supervisors.pipeline import Batcher, Message, PipelineRef, Producers, Source
from tests.examples.codesearch.trees import ZOO, content, write

pytestmark = pytest.mark.real_clock


class Nothing(Source[Path]):
    def handle_demand(self, demand: int) -> list[Message[Path]]:
        return []


class FullStore(Store):
    async def save(self, files: Sequence[ParsedFile]) -> None:
        raise sqlite3.OperationalError("database or disk is full")


class BrokenWorkers(Workers):
    async def parse(self, path: str) -> ParsedFile:
        raise OSError("no more processes")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write(tmp_path / "tree", ZOO)


@pytest.fixture
def store(root: Path, tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path / "index.db", root)) as store:
        yield store


async def handle(store: Store, workers: Workers, tally: Tally, *paths: str) -> list[Message[Any]]:
    """Let the files go through a pipeline; those that failed."""
    chaos = Chaos(PipelineRef("indexing"), tally, times=0, seed=0)
    spec = Indexing(store, workers, tally, chaos).child_spec(
        name="indexing",
        producers=Producers(make=lambda index: Nothing()),
        batchers={"default": Batcher()},
    )
    await start(spec)
    files = [store.root / path for path in paths]
    told = await PipelineRef("indexing").test_batch(files, flush=True).all()
    assert told.given_back == ()
    return list(told.failed)


async def test_files_are_stored_and_what_is_no_python_with_its_reason(
    node: Node, store: Store, root: Path, tmp_path: Path
) -> None:
    tally = Tally(ZOO)
    failed = await handle(store, Workers(root, 1), tally, *ZOO)
    assert sorted(message.data.path for message in failed) == ["zoo/broken.py", "zoo/latin.py"]
    assert (tally.stored, tally.failed, tally.lost, tally.left) == (2, 2, {}, set())
    files, _ = content(tmp_path / "index.db")
    assert len(files) == 4
    assert store.failures()[0] == ("zoo/broken.py", "no Python: line 1: invalid syntax")


async def test_what_is_not_new_is_not_parsed(node: Node, store: Store, root: Path) -> None:
    tally = Tally(["zoo/animals.py"])
    assert await handle(store, Workers(root, 1), tally, "zoo/animals.py", "zoo/broken.py") == []
    assert tally.parsed == {"zoo/animals.py"}
    assert store.count().files == 1


async def test_what_cannot_be_stored_is_lost_with_the_reason(
    node: Node, store: Store, root: Path, tmp_path: Path
) -> None:
    tally = Tally(["zoo/animals.py", "zoo/broken.py"])
    with closing(FullStore(tmp_path / "index.db", root)) as full:
        await handle(full, Workers(root, 1), tally, "zoo/animals.py", "zoo/broken.py")
    reason = "cannot be stored: database or disk is full"
    assert tally.lost == {"zoo/animals.py": reason, "zoo/broken.py": reason}
    assert tally.is_finished


async def test_what_cannot_be_parsed_at_all_is_lost_with_the_reason(
    node: Node, store: Store, root: Path
) -> None:
    tally = Tally(["zoo/animals.py"])
    (failed,) = await handle(store, BrokenWorkers(root, 1), tally, "zoo/animals.py")
    assert failed.data == root / "zoo/animals.py"
    assert tally.lost == {"zoo/animals.py": "OSError('no more processes')"}
