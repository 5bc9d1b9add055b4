"""The other end of a console's socket, played by a test: it answers frames by what it is told."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeAlias

import msgspec

from runtime.console.frames import (
    MAX_REQUEST,
    VERSION,
    Answer,
    Hello,
    ToClient,
    ToService,
    Welcome,
)
from runtime.console.wire import FrameReader, packed

Said: TypeAlias = "ToClient | bytes"
"""A frame, or bytes that are none; empty ones close the connection."""

WELCOME = Welcome(VERSION, "shop", 4711, "3.11.7", 65.0)


def answer(id: int, value: object) -> Answer:
    """What answers a question."""
    return Answer(id, msgspec.Raw(msgspec.msgpack.encode(value)))


class FakeConsole:
    """One client after the other. ``asked`` is every frame that came, the hellos left out."""

    def __init__(self, path: Path, reply: Callable[[ToService], Iterable[Said]]) -> None:
        self.asked: list[ToService] = []
        self.welcome: Iterable[Said] = [WELCOME]
        self.came = threading.Semaphore(0)
        self._reply = reply
        self._stream: socket.socket | None = None
        self._ending = False
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen()
        self._thread = threading.Thread(target=self._serve, name="fake-console")
        self._thread.start()

    def say(self, *said: Said) -> None:
        """Say something unasked."""
        stream = self._stream
        assert stream is not None
        for one in said:
            if one == b"":
                stream.shutdown(socket.SHUT_RDWR)
            else:
                stream.sendall(one if isinstance(one, bytes) else packed(one))

    def close(self) -> None:
        """Hang up and let nobody in any more."""
        self._ending = True
        for one in (self._listener, self._stream):
            if one is not None:
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                stream, _ = self._listener.accept()
            except OSError:
                return
            with stream, suppress(OSError):
                self._stream = stream
                self._talk(stream)
            if self._ending:
                return

    def _talk(self, stream: socket.socket) -> None:
        reader: FrameReader[ToService] = FrameReader(stream, ToService, MAX_REQUEST)
        while (frame := reader.read()) is not None:
            if isinstance(frame, Hello):
                self.say(*self.welcome)
                continue
            self.asked.append(frame)
            self.say(*self._reply(frame))
            self.came.release()


@contextmanager
def fake_console(
    path: Path, reply: Callable[[ToService], Iterable[Said]] = lambda _: ()
) -> Generator[FakeConsole]:
    """A console at ``path`` for the length of the block."""
    console = FakeConsole(path, reply)
    try:
        yield console
    finally:
        console.close()
