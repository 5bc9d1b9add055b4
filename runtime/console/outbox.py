"""What waits to be sent to one client. Output is dropped, and counted, when he does not read.

Put in by the loop and by threads, taken out by the thread that writes. Nobody waits to put: a
client that sleeps must not hold up a service.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import Final

from trio.lowlevel import enable_ki_protection

from runtime.console.frames import Output, ToClient
from runtime.containment import clean

MAX_WAITING: Final = 1 << 22
"""Characters of output that wait for a client to read."""


class Outbox:
    """Frames in order. Output is bounded here; all else is bounded by what the client has asked."""

    def __init__(self, limit: int = MAX_WAITING) -> None:
        self._limit = limit
        self._changed = threading.Condition()  # may be entered again by the thread that is in it
        self._frames: deque[ToClient] = deque()
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
                text = clean(text)
                self._waiting += len(text)
                self._frames.append(Output(number, text))
                self._changed.notify()

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
            return self._joined(frame) if isinstance(frame, Output) else frame

    def _joined(self, first: Output) -> Output:
        pieces = [first.text]
        while self._frames:
            following = self._frames[0]
            if not isinstance(following, Output) or following.id != first.id:
                break
            self._frames.popleft()
            pieces.append(following.text)
        self._waiting -= sum(map(len, pieces))
        if self._left_out and not self._waiting:
            pieces.append(f"\n... {self._left_out} characters left out\n")
            self._left_out = 0
        return Output(first.id, "".join(pieces))
