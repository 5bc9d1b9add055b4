"""Keys of a terminal, which the test plays through a pseudo-terminal."""

from __future__ import annotations

import os
import pty
import socket
import termios
from collections.abc import Iterator
from contextlib import suppress

import pytest

from supervisors.command.keyboard import TerminalKeyboard, terminal_keyboard

Ends = tuple[TerminalKeyboard, int, socket.socket]


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ends]:
    """The keyboard, the user's end of the terminal, the service's end of a socket."""
    users, terminal = pty.openpty()
    ours, theirs = socket.socketpair()
    before = termios.tcgetattr(terminal)
    with os.fdopen(terminal, "r") as stdin, ours, theirs:
        monkeypatch.setattr("sys.stdin", stdin)
        with terminal_keyboard(ours.fileno()) as keyboard:
            yield keyboard, users, theirs
        assert termios.tcgetattr(stdin.fileno()) == before
    with suppress(OSError):
        os.close(users)


def test_keys_are_words(ends: Ends) -> None:
    keyboard, users, _ = ends
    os.write(users, b"q\x1b[A\r\x03/")
    assert keyboard.wait(5) == ["q", "up", "c-m", "c-c", "/"]


def test_an_escape_by_itself_is_a_key(ends: Ends) -> None:
    keyboard, users, _ = ends
    os.write(users, b"\x1b")
    assert keyboard.wait(5) == ["escape"]


def test_what_follows_an_escape_at_once_is_one_key_with_it(ends: Ends) -> None:
    keyboard, users, _ = ends
    os.write(users, b"\x1b[")
    assert keyboard.wait(5) == ["escape", "["]
    os.write(users, b"\x1b[B")
    assert keyboard.wait(5) == ["down"]


def test_without_a_key_the_time_or_the_socket_ends_the_wait(ends: Ends) -> None:
    keyboard, _, theirs = ends
    assert keyboard.wait(0.0) == []
    theirs.send(b"x")
    assert keyboard.wait(None) == []


def test_a_terminal_that_is_gone_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    users, terminal = pty.openpty()
    ours, theirs = socket.socketpair()
    with os.fdopen(terminal, "r") as stdin, ours, theirs:
        monkeypatch.setattr("sys.stdin", stdin)
        with terminal_keyboard(ours.fileno()) as keyboard:
            os.close(users)
            assert keyboard.wait(5) == ["c-c"]
