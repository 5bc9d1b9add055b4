"""What waits to be sent to one client. Output is dropped, and counted, when it does not read.

Put in by the loop and by threads, taken out by the thread that writes. Nobody waits to put: a
client that sleeps must not hold up a service.
"""

from __future__ import annotations

import io
import threading
from collections import deque
from typing import Final

from trio.lowlevel import enable_ki_protection

from runtime.console.frames import Output, ToClient
from runtime.containment import clean

MAX_WAITING: Final = 1 << 22
"""Characters of output that wait for a client to read."""

_A_PIECE: Final = 256
"""What a piece of its own is counted for, in characters: it takes memory however short it is."""


class _Printed:
    """Output of one evaluation that nothing else has come between: a frame once it is taken."""

    __slots__ = ("cost", "number", "text")

    def __init__(self, number: int) -> None:
        self.number = number
        self.text = io.StringIO()
        self.cost = _A_PIECE


class Outbox:
    """Frames in order. Output is bounded here; all else is bounded by what the client has asked."""

    def __init__(self, limit: int = MAX_WAITING) -> None:
        self._limit = limit
        self._changed = threading.Condition()  # may be entered again by the thread that is in it
        self._frames: deque[ToClient | _Printed] = deque()
        self._waiting = 0
        self._left_out = 0
        self._closed = False

    @enable_ki_protection
    def put(self, frame: ToClient) -> None:
        """Send this; lost when the outbox has been closed."""
        with self._changed:
            if not self._closed:
                self._frames.append(frame)
                self._changed.notify()

    @enable_ki_protection
    def put_output(self, number: int, text: str) -> None:
        """Send what was printed, or part of it, or nothing."""
        with self._changed:
            room = self._limit - self._waiting
            if len(text) > room:
                self._left_out += len(text) - max(room, 0)
                text = text[: max(room, 0)]
            if text and not self._closed:
                self._add(number, clean(text))
                self._changed.notify()

    def _add(self, number: int, text: str) -> None:
        last = self._frames[-1] if self._frames else None
        if not isinstance(last, _Printed) or last.number != number:
            last = _Printed(number)
            self._frames.append(last)
            self._waiting += last.cost
        last.text.write(text)
        last.cost += len(text)
        self._waiting += len(text)

    @enable_ki_protection
    def close(self) -> None:
        """Take no more; what is in it can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def take(self) -> ToClient | None:
        """The next frame, waited for; ``None`` when the outbox is closed and empty.

        Pieces of output that follow each other come as one.
        """
        with self._changed:
            while not self._frames and not self._closed:
                self._changed.wait()
            if not self._frames:
                return None
            frame = self._frames.popleft()
            return self._output(frame) if isinstance(frame, _Printed) else frame

    def _output(self, printed: _Printed) -> Output:
        self._waiting -= printed.cost
        if self._left_out and not self._waiting:
            printed.text.write(f"\n... {self._left_out} characters left out\n")
            self._left_out = 0
        return Output(printed.number, printed.text.getvalue())
