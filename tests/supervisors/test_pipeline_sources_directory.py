"""The files of a directory as the source of a pipeline: each at least once, changed ones again."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio

from runtime import Node, Normal, kill
from supervisors.pipeline.message import Message
from supervisors.pipeline.pipeline_ref import PipelineRef
from supervisors.pipeline.sources.directory import Directory
from supervisors.pipeline.sources.file_lines import FileLines
from tests.supervisors.collecting import Collecting, stage, until

# Virtual time does not wait for threads.
pytestmark = pytest.mark.real_clock

Files = Callable[..., Directory]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


@pytest.fixture
def files(root: Path, tmp_path: Path) -> Files:
    return functools.partial(Directory, root, tmp_path / "checkpoint.sqlite")


def make(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(os.fsencode(name))


def bad_one(message: Message[Path]) -> None:
    if message.data.name == "bad":
        raise ValueError("bad")


async def names(make: Files, handle: Any = None, **options: Any) -> list[str]:
    """What comes of a whole run."""
    collecting = Collecting(handle)
    assert await collecting.to_the_end(make, **options) == Normal()
    return [str(message.metadata["relative"]) for message in collecting.messages]


async def test_every_file_comes_in_order_and_then_the_pipeline_ends(
    node: Node, root: Path, files: Files
) -> None:
    make(root, "b", "a/c", "a/b/d", "e.txt")
    assert await names(files) == ["a/b/d", "a/c", "b", "e.txt"]
    assert await names(files) == []
    make(root, "a/a")
    assert await names(files) == ["a/a"]


async def test_many_files_are_known_to_be_done(node: Node, root: Path, files: Files) -> None:
    make(root, *(f"{number:04}" for number in range(2300)))
    assert await names(files, concurrency=3, max_demand=500) != []
    make(root, "0500x", "9999")
    assert await names(files) == ["0500x", "9999"]


async def test_a_message_is_the_path_of_a_file(node: Node, root: Path, files: Files) -> None:
    make(root, "a/b")
    os.utime(root / "a" / "b", ns=(5, 1234567890))
    collecting = Collecting()
    await collecting.to_the_end(files)
    (message,) = collecting.messages
    assert message.data == root / "a" / "b"
    assert message.metadata == {"relative": Path("a/b"), "size": 3, "modified": 1234567890}


async def test_a_file_that_has_changed_comes_again(node: Node, root: Path, files: Files) -> None:
    make(root, "a", "b", "c")
    assert await names(files) == ["a", "b", "c"]
    (root / "a").write_text("longer")
    os.utime(root / "b", ns=(5, 5))
    assert await names(files) == ["a", "b"]
    assert await names(files) == []


async def test_a_file_that_changes_while_it_is_handled_comes_again(
    node: Node, root: Path, files: Files
) -> None:
    make(root, "a")

    def handle(message: Message[Path]) -> None:
        message.data.write_text("another text")

    assert await names(files, handle) == ["a"]
    assert await names(files) == ["a"]
    assert await names(files) == []


async def test_names_that_are_no_unicode_are_names_too(
    node: Node, root: Path, files: Files
) -> None:
    name = os.fsdecode(b"\xff.txt")
    make(root, name)
    assert await names(files) == [name]
    assert await names(files) == []


async def test_patterns_and_what_is_skipped(node: Node, root: Path, files: Files) -> None:
    make(root, "a.py", "b.txt", "old/c.py")
    assert await names(lambda: files(pattern="*.py", skip="old")) == ["a.py"]
    assert await names(files) == ["b.txt", "old/c.py"]


async def test_several_sources_share_a_checkpoint(
    node: Node, root: Path, tmp_path: Path, files: Files
) -> None:
    make(root, "a", "b")
    make(tmp_path / "other", "a")
    assert await names(files) == ["a", "b"]
    assert await names(lambda: Directory(tmp_path / "other", tmp_path / "checkpoint.sqlite")) == [
        "a"
    ]
    collecting = Collecting()
    await collecting.to_the_end(lambda: FileLines(root / "a", tmp_path / "checkpoint.sqlite"))
    assert collecting.data == ["a"]


async def test_a_file_that_failed_comes_again_with_the_next_start(
    node: Node, root: Path, files: Files
) -> None:
    make(root, "a", "bad")
    assert await names(files, bad_one) == ["a", "bad"]
    assert await names(files, bad_one) == ["bad"]
    assert await names(lambda: files(failed="done"), bad_one) == ["bad"]
    assert await names(files) == []


async def test_files_that_were_done_out_of_order_do_not_come_again(
    node: Node, root: Path, files: Files
) -> None:
    make(root, *map(str, range(9)))

    async def handle(message: Message[Path]) -> None:
        if int(message.data.name) % 3 == 0:
            await trio.sleep_forever()

    collecting = Collecting(handle)
    await collecting.start(files, concurrency=9, max_demand=1, drain_timeout=0.2)
    await collecting.come(9)
    await PipelineRef("line").stop()
    assert await names(files) == ["0", "3", "6"]


async def test_a_killed_processor_gives_its_files_back(
    node: Node, root: Path, files: Files
) -> None:
    make(root, "a", "b", "c")
    held = trio.Event()

    async def handle(message: Message[Path]) -> None:
        await held.wait()

    collecting = Collecting(handle)
    running = await collecting.start(files, max_demand=2)
    await collecting.come(1)
    kill(stage("processor_0"))
    held.set()

    async def ended() -> bool:
        return running.whereis() is None

    await until(ended)
    assert [path.name for path in collecting.data] == ["a", "a", "b", "c"]


async def test_a_directory_that_is_not_there_ends_the_pipeline(
    node: Node, root: Path, files: Files
) -> None:
    root.rmdir()
    assert "FileNotFoundError" in repr(await Collecting().to_the_end(files))


def test_a_bad_option_is_refused(files: Files) -> None:
    with pytest.raises(ValueError, match="failed: got 'no'"):
        files(failed="no")
    with pytest.raises(ValueError, match="pattern: got 'a/b'"):
        files(pattern="a/b")
