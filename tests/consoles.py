"""A client of a console for tests, in Trio, and a directory of sockets for each test."""

from __future__ import annotations

import os
import struct
import tempfile
import threading
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec
import pytest
import trio

import runtime
from runtime import Ref, start
from runtime.console.acts import Restart
from runtime.console.console import Console
from runtime.console.frames import (
    VERSION,
    Answer,
    Completions,
    Done,
    Evaluate,
    Failed,
    Frame,
    Hello,
    Output,
    ToClient,
    Welcome,
)
from runtime.console.places import SOCKETS, running
from runtime.console.wire import packed
from tests.support import stop_all

T = TypeVar("T")

LONG = 10.0
"""Seconds after which a test that waits for the outside world has failed."""


@contextmanager
def own_sockets(monkeypatch: pytest.MonkeyPatch) -> Generator[Path]:
    """A directory for sockets whose path is short enough for one."""
    with tempfile.TemporaryDirectory(prefix="otp") as folder:
        path = Path(folder) / "s"
        monkeypatch.setenv(SOCKETS, str(path))
        yield path


class Client:
    """One client. Its reads fail when nothing comes for a long time."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self.stream = stream
        self._decoder = msgspec.msgpack.Decoder[ToClient](ToClient)
        self._rest = b""
        self._last = 0

    async def send(self, frame: Frame) -> None:
        """Send a frame."""
        await self.stream.send_all(packed(frame))

    async def read(self) -> ToClient | None:
        """The next frame; ``None`` at the end."""
        head = await self._bytes(4)
        if head is None:
            return None
        (length,) = struct.unpack("!I", head)
        body = await self._bytes(length)
        return None if body is None else self._decoder.decode(body)

    async def _bytes(self, count: int) -> bytes | None:
        with trio.fail_after(LONG):
            while len(self._rest) < count:
                more = await self.stream.receive_some()
                if not more:
                    return None
                self._rest += more
        found, self._rest = self._rest[:count], self._rest[count:]
        return found

    def number(self) -> int:
        """The next number."""
        self._last += 1
        return self._last

    async def begin(self, source: str) -> int:
        """Begin an evaluation; its number."""
        number = self.number()
        await self.send(Evaluate(number, source))
        return number

    async def end(self, number: int) -> tuple[str, Done | Failed]:
        """What it printed, and how it ended."""
        printed = ""
        while True:
            frame = await self.read()
            if isinstance(frame, Output):
                printed += frame.text
            elif isinstance(frame, Done | Failed) and frame.id == number:
                return printed, frame
            else:
                raise AssertionError(f"unexpected: {frame!r}")

    async def printed(self, number: int, wanted: str) -> None:
        """Wait until the evaluation has printed this line: its end may come in another frame."""
        printed = ""
        while f"{wanted}\n" not in printed:
            frame = await self.read()
            assert isinstance(frame, Output), frame
            assert frame.id == number
            printed += frame.text

    async def run(self, source: str) -> str | None:
        """The value of a source that succeeds and prints nothing."""
        printed, ended = await self.end(await self.begin(source))
        assert isinstance(ended, Done), ended
        assert printed == ""
        return ended.value

    async def fails(self, source: str) -> Failed:
        """How a source fails."""
        _, ended = await self.end(await self.begin(source))
        assert isinstance(ended, Failed), ended
        return ended

    async def ask(self, question: Frame, kind: type[T]) -> T:
        """The answer to a question."""
        await self.send(question)
        answer = await self.read()
        assert isinstance(answer, Answer), answer
        return msgspec.msgpack.decode(answer.data, type=kind)

    async def words(self, frame: Frame) -> tuple[str, ...]:
        """The completions."""
        await self.send(frame)
        found = await self.read()
        assert isinstance(found, Completions), found
        return found.words


@asynccontextmanager
async def connected(path: Path | str) -> AsyncGenerator[Client]:
    """A client that has said nothing yet."""
    stream = await trio.open_unix_socket(str(path))
    async with stream:
        yield Client(stream)


@asynccontextmanager
async def attached(path: Path | str) -> AsyncGenerator[Client]:
    """A client that is welcome."""
    async with connected(path) as client:
        await client.send(Hello(VERSION, os.getpid()))
        assert isinstance(await client.read(), Welcome)
        yield client


@asynccontextmanager
async def open_console(
    monkeypatch: pytest.MonkeyPatch, *, restart: Restart | None = None
) -> AsyncGenerator[tuple[Ref, str]]:
    """A console in the node there is: its handle and its path."""
    with own_sockets(monkeypatch):
        console = await start(Console.child_spec("shop", restart=restart, package=runtime))
        (place,) = running()
        try:
            yield console, place.path
        finally:
            await stop_all(console)
            assert running() == [], "the socket is left"
            assert console_threads() == [], "threads are left"


def console_threads() -> list[str]:
    """The threads of consoles that are alive."""
    return [one.name for one in threading.enumerate() if one.name.startswith("console")]
