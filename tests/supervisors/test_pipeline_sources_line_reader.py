"""Reading lines with their places: line ends, parts that are done, lines that are too long."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisors.pipeline.sources.checkpoint_statements import HEAD
from supervisors.pipeline.sources.line_reader import Line, LineReader
from supervisors.pipeline.sources.ranges import Ranges

Reading = Callable[..., list[Line]]


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> pytest.TempPathFactory:
    return tmp_path_factory


@pytest.fixture
def reading(tmp_path: Path) -> Reading:
    def read(
        data: bytes, count: int = 1000, max_line: int = 100, done: Ranges | None = None
    ) -> list[Line]:
        (tmp_path / "file").write_bytes(data)
        reader = LineReader(tmp_path / "file", max_line)
        if done is not None:
            reader.skip(done)
        lines: list[Line] = []
        while some := reader.read(count):
            assert len(some) <= count
            lines += some
        reader.close()
        return lines

    return read


def test_lines_end_with_the_file_or_one_of_two_ends(reading: Reading) -> None:
    assert reading(b"a\nbc\r\n\n\r\nd\re\n f") == [
        Line(b"a", 0, 2),
        Line(b"bc", 2, 6),
        Line(b"", 6, 7),
        Line(b"", 7, 9),
        Line(b"d\re", 9, 13),
        Line(b" f", 13, 15),
    ]
    assert reading(b"") == []
    assert reading(b"\n") == [Line(b"", 0, 1)]
    assert reading(b"a\r") == [Line(b"a\r", 0, 2)]


@given(
    data=st.lists(st.sampled_from([b"a", b"b", b"\n", b"\r\n", b"\r"]), max_size=40).map(b"".join),
    count=st.integers(1, 5),
    max_line=st.integers(1, 5),
    marks=st.lists(st.integers(0, 40), max_size=6),
)
def test_every_byte_belongs_to_one_line(
    data: bytes,
    count: int,
    max_line: int,
    marks: list[int],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    path = tmp_path_factory.getbasetemp() / "bytes"
    path.write_bytes(data)
    expected: list[Line] = []
    for raw in data.split(b"\n"):
        start = expected[-1].end if expected else 0
        end = min(start + len(raw) + 1, len(data))
        if start < end:
            ended = data[end - 1 : end] == b"\n"
            text = raw.removesuffix(b"\r") if ended else raw
            expected.append(Line(text[:max_line], start, end, len(text) <= max_line))
    done = Ranges(
        (expected[mark].start, expected[mark].end) for mark in marks if mark < len(expected)
    )
    reader = LineReader(path, max_line)
    reader.skip(done)
    lines: list[Line] = []
    while some := reader.read(count):
        lines += some
    reader.close()
    assert lines == [line for line in expected if done.end_of(line.start) is None]


def test_a_line_that_is_too_long_is_cut_and_the_next_begins_after_it(reading: Reading) -> None:
    long = b"x" * 200_000
    assert reading(b"a\n" + long + b"\nb\n" + long, max_line=3) == [
        Line(b"a", 0, 2),
        Line(b"xxx", 2, 200_003, is_whole=False),
        Line(b"b", 200_003, 200_005),
        Line(b"xxx", 200_005, 400_005, is_whole=False),
    ]


def test_the_end_of_a_line_does_not_count(reading: Reading) -> None:
    assert [line.is_whole for line in reading(b"abc\nabc\r\nabc", max_line=3)] == [True] * 3
    assert [line.is_whole for line in reading(b"abcd\nabcd\r\nabcd", max_line=3)] == [False] * 3


def test_what_a_file_is_known_by(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"a\n" * 1000)
    (tmp_path / "link").symlink_to(path)
    reader = LineReader(tmp_path / "link", 10)
    assert reader.key == os.fsencode(path.resolve())
    looks = reader.looks()
    assert looks == (str(path.stat().st_ino), 2000, b"a\n" * (HEAD // 2))
    assert reader.read(1) == [Line(b"a", 0, 2)], "looking does not move it"
    reader.close()
