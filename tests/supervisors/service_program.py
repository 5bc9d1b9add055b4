"""A service as a child process, driven by signals and watched by the lines it writes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0

_IMPORTS = """
import math, os, signal, sys, threading, time
import structlog
import trio
from runtime import *
from supervisors import *
from tests.supervisors.service_parts import *
"""


class Service:
    """A program that is run with its standard output and error read line by line.

    It is given as source, with everything that is needed imported, or as the path of a ``file``.
    ``stderr`` replaces the pipe for its standard error. One that hangs is killed, and the test then
    fails at the line that never came.
    """

    def __init__(
        self, source: str = "", *, file: str | None = None, stderr: int = subprocess.PIPE
    ) -> None:
        program = ["-c", _IMPORTS + textwrap.dedent(source)] if file is None else [file]
        self._process = subprocess.Popen(
            [sys.executable, *program],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
        self._watchdog = threading.Timer(PATIENCE, self._process.kill)
        self._watchdog.start()
        self.said: list[str] = []
        self.errors: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._watchdog.cancel()
        self._watchdog.join()
        self._process.kill()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()
        self._process.wait()

    def hears(self, text: str) -> None:
        """Read standard output up to the line that is ``text``."""
        self._read_to(self._process.stdout, self.said, text)

    def logs(self, event: str) -> dict[str, Any]:
        """Read standard error up to the JSON line of this event, and return that line."""
        self._read_to(self._process.stderr, self.errors, f'"event": "{event}"')
        line: dict[str, Any] = json.loads(self.errors[-1])
        return line

    def _read_to(self, stream: IO[str] | None, lines: list[str], text: str) -> None:
        assert stream is not None
        for line in stream:
            lines.append(line.rstrip("\n"))
            if text in line:
                return
        raise AssertionError(f"the program ended before it wrote {text!r}: {self.finish()}, {self}")

    def tell(self, text: str) -> None:
        """Write a line to its standard input."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{text}\n")
        self._process.stdin.flush()

    def signal(self, number: int) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def finish(self) -> int:
        """Wait for its end, read what it still had to say, and return its status.

        ``-15`` is an end by signal 15, which a shell shows as 143.
        """
        for stream, lines in (
            (self._process.stdout, self.said),
            (self._process.stderr, self.errors),
        ):
            if stream is not None:
                lines.extend(stream.read().splitlines())
        return self._process.wait()

    @property
    def events(self) -> list[str]:
        """The events it has logged, in order; a line that is no JSON stands as it is."""
        return [_event(line) for line in self.errors]

    def __repr__(self) -> str:
        return f"said {self.said}, errors {self.errors}"


def _event(line: str) -> str:
    try:
        event: str = json.loads(line)["event"]
    except ValueError:
        return line
    return event
