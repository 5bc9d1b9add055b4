"""The worker processes of the system that parse: how many, and what if one dies.

A worker can die of the file (a parser that runs out of stack) or of something else (chaos, the
system being out of memory). So a file gets another one, and is given up when several have died of
it. One that takes too long is killed: nothing else stops a function that computes.
"""

from __future__ import annotations

import multiprocessing
from multiprocessing.process import BaseProcess
from pathlib import Path

import trio
from trio_parallel import BrokenWorkerError  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs]

from examples.codesearch.parse import ParsedFile, as_text, parse_file
from runtime import to_process

MAX_DEATHS = 3
MAX_SECONDS = 60.0


class Workers:
    """Up to ``number`` processes, each started when it is first needed."""

    def __init__(self, root: Path, number: int, max_seconds: float = MAX_SECONDS) -> None:
        self._root = str(root)
        self._max_seconds = max_seconds
        self._parse = to_process(parse_file, limiter=trio.CapacityLimiter(number))

    async def parse(self, path: str) -> ParsedFile:
        """What is known of a file. Cancelling kills the worker that is at it."""
        for _ in range(MAX_DEATHS):
            try:
                with trio.fail_after(self._max_seconds):
                    return await self._parse(self._root, path)
            except BrokenWorkerError:
                continue
            except trio.TooSlowError:
                return _given_up(path, f"given up: not parsed in {self._max_seconds:g} seconds")
        return _given_up(path, f"given up: {MAX_DEATHS} worker processes died of it")


def worker_processes() -> list[BaseProcess]:
    """Those that are alive, of this program."""
    return [one for one in multiprocessing.active_children() if one.is_alive()]


def _given_up(path: str, reason: str) -> ParsedFile:
    return ParsedFile(path=as_text(path), error=reason)
