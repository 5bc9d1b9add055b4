from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
import trio

from examples.codesearch import workers
from examples.codesearch.parse import ParsedFile, parse_file
from examples.codesearch.workers import Workers, worker_processes
from tests.examples.codesearch.trees import ZOO, write

pytestmark = pytest.mark.real_clock


def die_twice(root: str, path: str) -> ParsedFile:
    """As a parser that runs into something that will not be there for ever."""
    deaths = Path(root, "deaths")
    count = len(deaths.read_text()) if deaths.exists() else 0
    if count < 2:
        deaths.write_text("x" * (count + 1))
        os.kill(os.getpid(), signal.SIGKILL)
    return parse_file(root, path)


def die(root: str, path: str) -> ParsedFile:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("dead by now")


def never_return(root: str, path: str) -> ParsedFile:
    signal.pause()
    raise AssertionError("nothing woke it")


async def test_files_are_parsed_in_other_processes(tmp_path: Path) -> None:
    root = write(tmp_path, ZOO)
    parser = Workers(root, 2)
    found: dict[str, ParsedFile] = {}

    async def parse(path: str) -> None:
        found[path] = await parser.parse(path)

    async with trio.open_nursery() as nursery:
        for path in ZOO:
            nursery.start_soon(parse, path)
    assert found == {path: parse_file(str(root), path) for path in ZOO}
    assert 1 <= len(worker_processes()) <= 2


async def test_a_file_gets_another_worker_if_one_dies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write(tmp_path, ZOO)
    monkeypatch.setattr(workers, "parse_file", die_twice)
    parsed = await Workers(root, 1).parse("zoo/animals.py")
    assert parsed == parse_file(str(root), "zoo/animals.py")


async def test_a_file_that_three_workers_died_of_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "parse_file", die)
    parsed = await Workers(tmp_path, 1).parse("a.py")
    assert parsed == ParsedFile("a.py", error="given up: 3 worker processes died of it")


async def test_a_file_that_takes_too_long_is_given_up_and_its_worker_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "parse_file", never_return)
    before = worker_processes()
    parsed = await Workers(tmp_path, 1, max_seconds=0.5).parse("a.py")
    assert parsed == ParsedFile("a.py", error="given up: not parsed in 0.5 seconds")
    assert worker_processes() == before
