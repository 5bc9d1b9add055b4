"""The lines of files as the source of a pipeline: each at least once, and not again when done."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio

from runtime import Node, Normal, kill
from supervisors.pipeline.message import Message
from supervisors.pipeline.pipeline_ref import PipelineRef
from supervisors.pipeline.sources.file_lines import FileLines, LineTooLong
from tests.supervisors.collecting import Collecting, stage, until

# Virtual time does not wait for threads.
pytestmark = pytest.mark.real_clock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lines.txt"


@pytest.fixture
def lines(path: Path, tmp_path: Path) -> Callable[..., FileLines]:
    return functools.partial(FileLines, path, tmp_path / "checkpoint.sqlite")


def write(path: Path, *lines: str) -> None:
    path.write_text("".join(f"{line}\n" for line in lines))


async def read_all(make: Callable[[], FileLines], **options: Any) -> list[str]:
    """What comes of a whole run."""
    collecting = Collecting()
    assert await collecting.to_the_end(make, **options) == Normal()
    return collecting.data


async def test_every_line_comes_in_order_and_then_the_pipeline_ends(
    node: Node, path: Path, lines: Callable[..., FileLines]
) -> None:
    write(path, *map(str, range(2500)))
    assert await read_all(lines) == [str(number) for number in range(2500)]
    assert await read_all(lines) == []


async def test_a_message_says_where_its_line_is(
    node: Node, path: Path, lines: Callable[..., FileLines]
) -> None:
    write(path, "a", "", "ö")
    collecting = Collecting()
    await collecting.to_the_end(lines)
    assert [(one.data, dict(one.metadata)) for one in collecting.messages] == [
        ("a", {"path": path, "start": 0, "end": 2}),
        ("", {"path": path, "start": 2, "end": 3}),
        ("ö", {"path": path, "start": 3, "end": 6}),
    ]


async def test_several_files_come_one_after_the_other(node: Node, tmp_path: Path) -> None:
    write(tmp_path / "b", "1", "2")
    write(tmp_path / "empty")
    write(tmp_path / "a", "3")
    paths = [str(tmp_path / name) for name in ("b", "empty", "a")]
    assert await read_all(lambda: FileLines(paths, tmp_path / "done")) == ["1", "2", "3"]
    assert await read_all(lambda: FileLines(tmp_path / "a", tmp_path / "done")) == []
    assert await read_all(lambda: FileLines([], tmp_path / "done")) == []


async def test_what_is_appended_comes_with_the_next_start(
    node: Node, path: Path, lines: Callable[..., FileLines]
) -> None:
    path.write_text("a\nb")
    assert await read_all(lines) == ["a", "b"]
    path.write_text("a\nb\nc\n")
    assert await read_all(lines) == ["", "c"]


async def test_a_file_that_was_replaced_begins_anew(
    node: Node, path: Path, lines: Callable[..., FileLines]
) -> None:
    write(path, "a", "b")
    assert await read_all(lines) == ["a", "b"]
    write(path, "a")
    assert await read_all(lines) == ["a"]
    (path.parent / "new").write_text("a\nb\nc\n")
    (path.parent / "new").rename(path)
    assert await read_all(lines) == ["a", "b", "c"]


# ---------------------------------------------------------------------- what is done


async def test_lines_that_were_done_out_of_order_do_not_come_again(
    node: Node, path: Path, lines: Callable[..., FileLines]
) -> None:
    """Stopped with some in the middle done: exactly the others come with the next start."""
    write(path, *map(str, range(10)))
    fast = trio.Event()

    async def handle(message: Message[str]) -> None:
        if int(message.data) % 3 == 0:
            await trio.sleep_forever()
        fast.set()

    collecting = Collecting(handle)
    await collecting.start(lines, concurrency=10, max_demand=1, drain_timeout=0.2)
    await collecting.come(10)
    await PipelineRef("line").stop()
    assert await read_all(lines) == ["0", "3", "6", "9"]


async def test_a_line_that_failed_comes_again_with_the_next_start(
    node: Node, path: Path, lines: Callable[..., FileLines]
) -> None:
    write(path, "a", "bad", "c")

    def handle(message: Message[str]) -> None:
        if message.data == "bad":
            raise ValueError(message.data)

    collecting = Collecting(handle)
    assert await collecting.to_the_end(lines) == Normal()
    assert collecting.data == ["a", "bad", "c"]
    assert await read_all(lines) == ["bad"]
    assert await read_all(lines) == []


async def test_or_it_does_not_if_that_was_said(
    node: Node, path: Path, lines: Callable[..., FileLines]
) -> None:
    write(path, "a", "bad", "c")

    def handle(message: Message[str]) -> None:
        if message.data == "bad":
            raise ValueError(message.data)

    assert await Collecting(handle).to_the_end(lambda: lines(failed="done")) == Normal()
    assert await read_all(lines) == []


async def test_a_killed_processor_gives_its_lines_back_and_they_come_before_new_ones(
    node: Node, path: Path, lines: Callable[..., FileLines]
) -> None:
    write(path, *map(str, range(6)))
    held = trio.Event()

    async def handle(message: Message[str]) -> None:
        await held.wait()

    collecting = Collecting(handle)
    running = await collecting.start(lines, max_demand=2)
    await collecting.come(1)
    kill(stage("processor_0"))
    await collecting.come(2)
    held.set()

    async def ended() -> bool:
        return running.whereis() is None

    await until(ended)
    assert collecting.data == ["0", "0", "1", "2", "3", "4", "5"]
    assert await read_all(lines) == []


async def test_a_source_that_was_killed_reads_on_where_its_checkpoint_is(
    node: Node, path: Path, lines: Callable[..., FileLines]
) -> None:
    """What was under way comes again; answers for what it had emitted still count."""
    write(path, *map(str, range(6)))
    held = trio.Event()

    async def handle(message: Message[str]) -> None:
        if message.data == "3":
            await held.wait()

    collecting = Collecting(handle)
    running = await collecting.start(lines, max_demand=2)
    await collecting.come(4)
    kill(stage("producer_0"))
    await collecting.come(4)
    held.set()

    async def ended() -> bool:
        return running.whereis() is None

    await until(ended)
    assert sorted(set(collecting.data)) == ["0", "1", "2", "3", "4", "5"]
    assert collecting.data.count("0") == 1
    assert await read_all(lines) == []


async def test_answers_for_a_file_that_was_replaced_meanwhile_do_not_count_for_the_new_one(
    node: Node, path: Path, lines: Callable[..., FileLines]
) -> None:
    write(path, "old", "old")
    held = trio.Event()

    async def handle(message: Message[str]) -> None:
        await held.wait()

    collecting = Collecting(handle)
    running = await collecting.start(lines, max_demand=5)
    await collecting.come(1)
    (path.parent / "new").write_text("new\nnew\n")
    (path.parent / "new").rename(path)
    other = FileLines(path, path.parent / "checkpoint.sqlite")
    await other._open(path)
    held.set()

    async def ended() -> bool:
        return running.whereis() is None

    await until(ended)
    assert await read_all(lines) == ["new", "new"]
    other._close()


# ---------------------------------------------------------------------- bad lines


async def test_a_line_that_cannot_be_decoded_has_failed_already(
    node: Node, path: Path, lines: Callable[..., FileLines]
) -> None:
    path.write_bytes(b"a\n\xff!\nc\n")
    collecting = Collecting()
    assert await collecting.to_the_end(lines) == Normal()
    assert collecting.data == ["a", "c"]
    (failed,) = collecting.failed
    assert failed.data == "\ufffd!"
    assert isinstance(failed.failure, UnicodeDecodeError)
    assert await read_all(lambda: lines(errors="surrogateescape")) == ["\udcff!"]
    assert await read_all(lines) == []


async def test_a_line_that_is_too_long_has_failed_already(
    node: Node, path: Path, lines: Callable[..., FileLines]
) -> None:
    write(path, "abc", "abcd", "ab")
    collecting = Collecting()
    assert await collecting.to_the_end(lambda: lines(max_line=3)) == Normal()
    assert collecting.data == ["abc", "ab"]
    (failed,) = collecting.failed
    assert failed.data == "abc"
    assert isinstance(failed.failure, LineTooLong)
    assert str(failed.failure) == f"{path}, byte 4: more than 3 bytes"
    assert await read_all(lines) == ["abcd"]


async def test_another_encoding_can_be_given(
    node: Node, path: Path, lines: Callable[..., FileLines]
) -> None:
    path.write_bytes("ö\nä\n".encode("latin-1"))
    assert await read_all(lambda: lines(encoding="latin-1")) == ["ö", "ä"]


# ---------------------------------------------------------------------- options


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no encoding": ({"encoding": "klingon"}, "encoding, errors: got 'klingon', 'strict'"),
    "no handler": ({"errors": "pray"}, "encoding, errors: got 'utf-8', 'pray'"),
    "wide ends": ({"encoding": "utf-16"}, "encoding: got 'utf-16', allowed is one with the line"),
    "no line": ({"max_line": 0}, "max_line: got 0, allowed is an int of 1 or more"),
    "failed": ({"failed": "never"}, "failed: got 'never', allowed are 'again' and 'done'"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_option_is_refused(lines: Callable[..., FileLines], what: str) -> None:
    options, text = BAD[what]
    with pytest.raises(ValueError, match=text):
        lines(**options)


async def test_a_file_that_is_not_there_ends_the_pipeline(
    node: Node, lines: Callable[..., FileLines]
) -> None:
    reason = await Collecting().to_the_end(lines)
    assert "FileNotFoundError" in repr(reason)


async def test_it_shows_what_is_under_way(
    node: Node, path: Path, lines: Callable[..., FileLines]
) -> None:
    write(path, "a", "b")
    made: list[FileLines] = []

    def make() -> FileLines:
        made.append(lines())
        return made[-1]

    held = trio.Event()

    async def handle(message: Message[str]) -> None:
        await held.wait()

    collecting = Collecting(handle)
    async with collecting.running(make, max_demand=5):
        await collecting.come(1)
        facts = made[0].facts()
        assert (facts["unmet demand"], facts["under way"], facts["given back"]) == (3, 2, 0)
        assert repr(collecting.messages[0].acknowledger) == (
            f"<progress in {path.parent / 'checkpoint.sqlite'}>"
        )
        held.set()
