"""Single keys from a terminal, waited for together with a socket."""

from __future__ import annotations

import selectors
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final, Protocol

from prompt_toolkit.input import Input, create_input
from prompt_toolkit.keys import Keys

_ESCAPE_WITHIN: Final = 0.05
"""Seconds: what follows an escape later than that is a key of its own."""


class Keyboard(Protocol):
    """Keys as words: ``a``, ``up``, ``enter``, ``escape``, ``c-c``."""

    def wait(self, seconds: float | None) -> list[str]:
        """The keys pressed, as soon as there are any; none when it is late or the socket speaks."""
        ...


class TerminalKeyboard:
    """The keys of a terminal in raw mode."""

    def __init__(self, terminal: Input, selector: selectors.BaseSelector) -> None:
        self._terminal = terminal
        self._selector = selector

    def wait(self, seconds: float | None) -> list[str]:
        """See ``Keyboard``."""
        if not self._is_pressed(seconds):
            return []
        pressed = self._terminal.read_keys()
        if not pressed and self._is_pressed(_ESCAPE_WITHIN):
            pressed = self._terminal.read_keys()
        if self._terminal.closed:  # the terminal is gone, and so is who could press a key
            return ["c-c"]
        pressed = pressed or self._terminal.flush_keys()
        return [one.key.value if isinstance(one.key, Keys) else one.key for one in pressed]

    def _is_pressed(self, seconds: float | None) -> bool:
        ready = [key.fd for key, _ in self._selector.select(seconds)]
        return self._terminal.fileno() in ready


@contextmanager
def terminal_keyboard(socket: int) -> Generator[TerminalKeyboard]:
    """The terminal on standard input, raw for the length of the block; ``socket`` wakes it too."""
    terminal = create_input()
    try:
        with selectors.DefaultSelector() as selector, terminal.raw_mode():
            selector.register(terminal.fileno(), selectors.EVENT_READ)
            selector.register(socket, selectors.EVENT_READ)
            yield TerminalKeyboard(terminal, selector)
    finally:
        terminal.close()
