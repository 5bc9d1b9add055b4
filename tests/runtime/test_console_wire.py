"""``console.wire``: frames as bytes, and what is refused before it is read."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

import pytest

from runtime.console.frames import AskStack, Evaluate, Hello, ToService
from runtime.console.wire import BadFrame, FrameReader, packed

LIMIT = 100


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, other = socket.socketpair()
    with one, other:
        yield one, other


Ends = tuple[socket.socket, socket.socket]


def reader(stream: socket.socket) -> FrameReader[ToService]:
    return FrameReader(stream, ToService, LIMIT)


def test_frames_arrive_as_they_were_sent(ends: Ends) -> None:
    sent = [Hello(1, 99), Evaluate(1, "1 + 1"), AskStack(2)]
    ends[0].sendall(b"".join(map(packed, sent)))
    ends[0].shutdown(socket.SHUT_WR)
    frames = reader(ends[1])
    assert [frames.read() for _ in range(4)] == [*sent, None]


def test_the_length_comes_first_with_the_highest_byte_first() -> None:
    frame = packed(AskStack(1))
    assert struct.unpack("!I", frame[:4]) == (len(frame) - 4,)


def test_a_frame_over_the_limit_is_refused_before_it_is_read(ends: Ends) -> None:
    ends[0].sendall(struct.pack("!I", LIMIT + 1))
    with pytest.raises(BadFrame, match=r"^a frame of 101 bytes, allowed are 100$"):
        reader(ends[1]).read()


def test_a_frame_of_the_limit_is_read(ends: Ends) -> None:
    frame = Evaluate(1, "")
    frame = Evaluate(1, "x" * (LIMIT - len(packed(frame)) + 4 - 1))
    assert len(packed(frame)) == LIMIT + 4
    ends[0].sendall(packed(frame))
    assert reader(ends[1]).read() == frame


@pytest.mark.parametrize(
    "body",
    [b"\xc1", b"", b"hello", b"\x93\x01\x02", b"\x81\xa2is\xa4none", b"\x81\xa2is\xa8evaluate"],
)
def test_garbage_is_refused(ends: Ends, body: bytes) -> None:
    ends[0].sendall(struct.pack("!I", len(body)) + body)
    with pytest.raises(BadFrame, match=r"^a frame that makes no sense: "):
        reader(ends[1]).read()


@pytest.mark.parametrize("cut", [1, 3, 4, 6])
def test_an_end_in_the_middle_of_a_frame_is_the_end(ends: Ends, cut: int) -> None:
    ends[0].sendall(packed(AskStack(1))[:cut])
    ends[0].close()
    assert reader(ends[1]).read() is None
