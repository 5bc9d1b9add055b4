"""Frames as bytes: each is msgpack after its length, four bytes with the highest first.

For both sides and for blocking sockets. The length is judged before a byte of the frame is read.
"""

from __future__ import annotations

import socket
import struct
from typing import Final, Generic, TypeVar

import msgspec

from runtime.console.frames import Frame

F = TypeVar("F")

_LENGTH: Final = struct.Struct("!I")


class BadFrame(Exception):
    """The other side has sent what is no frame; nothing after it can be understood."""


def packed(frame: Frame) -> bytes:
    """A frame as it goes over the socket."""
    body = msgspec.msgpack.encode(frame)
    return _LENGTH.pack(len(body)) + body


class FrameReader(Generic[F]):
    """Reads frames of one side, ``ToService`` or ``ToClient``, from a blocking socket."""

    def __init__(self, stream: socket.socket, kind: object, limit: int) -> None:
        self._stream = stream
        self._decoder: msgspec.msgpack.Decoder[F] = msgspec.msgpack.Decoder(kind)
        self._limit = limit

    def read(self) -> F | None:
        """The next frame; ``None`` when the other side has closed, also in the middle of one.

        ``BadFrame`` for one that is too long or makes no sense, ``OSError`` as ``recv`` does.
        """
        head = self._bytes(_LENGTH.size)
        if head is None:
            return None
        (length,) = _LENGTH.unpack(head)
        if length > self._limit:
            raise BadFrame(f"a frame of {length} bytes, allowed are {self._limit}")
        body = self._bytes(length)
        if body is None:
            return None
        try:
            return self._decoder.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as exc:
            raise BadFrame(f"a frame that makes no sense: {exc}") from None

    def _bytes(self, count: int) -> bytes | None:
        """Exactly so many bytes, taken as they come: what is promised is not set aside before."""
        parts: list[bytes] = []
        while count:
            part = self._stream.recv(min(count, 1 << 16))
            if not part:
                return None
            parts.append(part)
            count -= len(part)
        return b"".join(parts)
