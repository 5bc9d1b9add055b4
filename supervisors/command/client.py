"""A console's client: a blocking socket, for one thread, without Trio.

Only ``interrupt`` may come from elsewhere, a signal handler included: it wakes the thread that
waits, and that one speaks to the service.
"""

from __future__ import annotations

import os
import selectors
import socket
import struct
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from runtime.console.frames import (
    MAX_ANSWER,
    VERSION,
    Answer,
    Complete,
    Completions,
    Done,
    Evaluate,
    Failed,
    Goodbye,
    Hello,
    Interrupt,
    Output,
    Refused,
    ToClient,
    ToService,
    Welcome,
)
from runtime.console.wire import packed
from supervisors.command.problems import (
    Abandoned,
    Declined,
    NoService,
    NotAnswered,
    Problem,
    ServiceGone,
)

T = TypeVar("T")

ANSWER_WITHIN: Final = 5.0
"""Seconds for an answer of a service whose loop turns."""

END_WITHIN: Final = 1.0
"""Seconds for an interrupted evaluation to end, before the user is told how to leave."""

STILL_THERE: Final = "it has not ended yet; ctrl-C once more leaves it to the service\n"

_LENGTH: Final = struct.Struct("!I")
_CHUNK: Final = 1 << 16


def connect(path: Path, tell: Callable[[str], object]) -> Client:
    """Connect to the socket of a console; ``tell`` gets what evaluations print.

    Raises ``Problem`` of some kind, with what to tell the user.
    """
    with ExitStack() as stack:
        connection = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        connection.settimeout(ANSWER_WITHIN)
        try:
            connection.connect(os.fspath(path))
        except OSError as exc:
            raise NoService(f"{path}: {_why(exc)}") from exc
        client = Client(connection, tell)
        stack.pop_all()
    return client


def _why(error: OSError) -> str:
    match error:
        case FileNotFoundError():
            return "there is no such socket"
        case ConnectionRefusedError():
            return "nobody answers there: the service has ended"
        case PermissionError():
            return "it belongs to another user"
        case _:
            return error.strerror or str(error)


class Client:
    """A connection that has been welcomed. ``welcome`` says by whom."""

    def __init__(self, connection: socket.socket, tell: Callable[[str], object]) -> None:
        self.tell = tell
        self._socket = connection
        self._received = bytearray()
        self._last_id = 0
        with ExitStack() as stack:
            stack.callback(connection.close)
            self._woken, self._wake = map(stack.enter_context, socket.socketpair())
            self._woken.setblocking(False)
            self._wake.setblocking(False)
            self._selector = stack.enter_context(selectors.DefaultSelector())
            self._selector.register(connection, selectors.EVENT_READ)
            self._selector.register(self._woken, selectors.EVENT_READ)
            self.welcome = self._greet()
            self._held = stack.pop_all()

    def close(self) -> None:
        """Leave; an evaluation that still runs is cancelled by the service."""
        self._held.close()

    def fileno(self) -> int:
        """The socket, to wait for; ``poll`` when it is readable."""
        return self._socket.fileno()

    def ask(
        self, question: Callable[[int], ToService], answer: type[T], within: float = ANSWER_WITHIN
    ) -> T:
        """The answer to a question; ``question`` makes its frame from the id.

        Raises ``Declined`` if the service answers by an error, and ``NotAnswered``.
        """
        self._last_id += 1
        self._send(question(self._last_id))
        match self._answer(within):
            case Answer(data=data):
                try:
                    return msgspec.msgpack.decode(data, type=answer)
                except msgspec.MsgspecError as exc:
                    raise _not_understood(exc) from exc
            case other:
                raise _not_understood(type(other).__name__)

    def complete(self, text: str, within: float = ANSWER_WITHIN) -> tuple[str, ...]:
        """What might stand in place of the last word of ``text``."""
        self._last_id += 1
        self._send(Complete(self._last_id, text))
        match self._answer(within):
            case Completions(words=words):
                return words
            case other:
                raise _not_understood(type(other).__name__)

    def evaluate(self, source: str) -> str | None:
        """Run Python over there; the value of the last expression as text, unless it is None.

        Takes as long as it takes. ``interrupt`` asks the service to end it, and if that does not
        help within ``END_WITHIN``, the next one raises ``Abandoned``. Raises ``Declined`` if the
        evaluation failed or was interrupted.
        """
        self._forget_interrupts()
        self._last_id += 1
        self._send(Evaluate(self._last_id, source))
        asked_to_end = may_leave = False
        until: float | None = None
        while True:
            match self._next(until):
                case Done(id=self._last_id, value=value):
                    return value
                case Failed(id=self._last_id, kind=kind, text=text):
                    raise Declined(kind, text)
                case None if self._forget_interrupts():
                    if may_leave:
                        raise Abandoned("left: the service cancels what was running")
                    if not asked_to_end:
                        asked_to_end = True
                        self._send(Interrupt(self._last_id))
                        until = time.monotonic() + END_WITHIN
                case None if until is not None and time.monotonic() >= until:
                    may_leave, until = True, None
                    self.tell(STILL_THERE)
                case _:  # late answers, of what was not waited for any more
                    pass

    def interrupt(self) -> None:
        """Interrupt the evaluation under way; from any thread, and from a signal handler."""
        with suppress(OSError):  # full: it is woken already; closed: there is nothing to wake
            self._wake.send(b"!")

    def hang_up(self) -> None:
        """End the connection under whoever waits for it, who gets ``ServiceGone``. Any thread."""
        with suppress(OSError):  # it is ended already
            self._socket.shutdown(socket.SHUT_RDWR)

    def poll(self) -> None:
        """Pass on what has come meanwhile, without waiting. Raises ``ServiceGone``."""
        while self._next(time.monotonic()) is not None:
            pass

    def _greet(self) -> Welcome:
        self._send(Hello(VERSION, os.getpid()))
        match self._next(time.monotonic() + ANSWER_WITHIN):
            case Welcome() as welcome if welcome.version == VERSION:
                return welcome
            case Welcome(version=version):
                raise NoService(
                    f"the service speaks version {version} of the console's protocol, "
                    f"this command version {VERSION}: take the command of the service's own "
                    "environment"
                )
            case None:
                raise NotAnswered(_silence(ANSWER_WITHIN))
            case other:
                raise _not_understood(type(other).__name__)

    def _answer(self, within: float) -> ToClient:
        """What answers the last question. Answers to earlier ones are too late."""
        until = time.monotonic() + within
        while True:
            match self._next(until):
                case Failed(id=self._last_id, kind=kind, text=text):
                    raise Declined(kind, text)
                case (Answer() | Completions()) as frame if frame.id == self._last_id:
                    return frame
                case None if time.monotonic() >= until:
                    raise NotAnswered(_silence(within))
                case _:
                    pass

    def _send(self, frame: ToService) -> None:
        try:
            self._socket.sendall(packed(frame))
        except TimeoutError:
            raise NotAnswered("the service takes nothing more: it is stuck") from None
        except OSError:
            # Whoever showed us the door has said why, and that can still be read.
            self.poll()
            raise ServiceGone("the service has closed the connection") from None

    def _next(self, until: float | None) -> ToClient | None:
        """The next frame that is for somebody; ``None`` when it is late, or after a wake."""
        while True:
            match self._whole_frame():
                case Output(text=text):
                    self.tell(text)
                case Refused(why=why):
                    raise ServiceGone(f"the service refused: {why}")
                case Goodbye(why=why):
                    raise ServiceGone(f"the service has said goodbye: {why}")
                case None:
                    if not self._receive(until):
                        return None
                case frame:
                    return frame

    def _whole_frame(self) -> ToClient | None:
        if len(self._received) < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack_from(self._received)
        if length > MAX_ANSWER:
            raise _not_understood(f"a frame of {length} bytes")
        end = _LENGTH.size + length
        if len(self._received) < end:
            return None
        encoded = bytes(self._received[_LENGTH.size : end])
        del self._received[:end]
        try:
            frame: ToClient = _DECODER.decode(encoded)
        except msgspec.MsgspecError as exc:
            raise _not_understood(exc) from exc
        return frame

    def _receive(self, until: float | None) -> bool:
        """Wait for more; false if it is late, or after a wake."""
        left = None if until is None else max(0.0, until - time.monotonic())
        ready = [key.fileobj for key, _ in self._selector.select(left)]
        if self._socket not in ready:
            return False
        try:
            chunk = self._socket.recv(_CHUNK)
        except OSError:
            chunk = b""
        if not chunk:
            raise ServiceGone("the service has closed the connection")
        self._received += chunk
        return True

    def _forget_interrupts(self) -> bool:
        """Whether there were any."""
        try:
            return bool(self._woken.recv(_CHUNK))
        except BlockingIOError:
            return False


_DECODER: Final = msgspec.msgpack.Decoder(ToClient)


def _silence(within: float) -> str:
    return (
        f"no answer within {within:g} s: the loop of the service does not turn; "
        "`otp stack` shows what it does, unless the whole process is stopped or in C code"
    )


def _not_understood(what: object) -> Problem:
    return NoService(f"the service answered what this command does not understand: {what}")
