"""The sockets of a console: who is let in, and the threads that read and write.

A thread accepts, and each client has one that reads and one that writes. So whoever asks for the
stack is answered by the thread that reads, also while the loop is stuck, and the loop never waits
for a socket. What must be done by the loop goes there by ``run_sync_soon``. The threads end with
the console: closing shuts the sockets, which wakes them, and waits until each has said goodbye.
"""

from __future__ import annotations

import os
import selectors
import socket
import struct
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol, TypeAlias, TypeVarTuple, Unpack

import trio

from runtime.console.frames import (
    MAX_REQUEST,
    VERSION,
    Act,
    Answer,
    AskCrashes,
    AskInfo,
    AskStack,
    AskTop,
    AskTree,
    Complete,
    Completions,
    Done,
    Evaluate,
    Failed,
    Goodbye,
    Hello,
    Interrupt,
    Refused,
    StopTop,
    ToService,
    Welcome,
)
from runtime.console.outbox import Outbox
from runtime.console.places import Place, release
from runtime.console.wire import BadFrame, FrameReader, packed

MAX_CLIENTS: Final = 32
MAX_UNDER_WAY: Final = 64
"""Questions of one client whose answers are not on their way yet: what it does not read counts."""

_HELLO_WITHIN: Final = 5.0
_NEXT_TRY: Final = 0.1
_UCRED: Final = struct.Struct("3i")
_XUCRED: Final = struct.Struct("2I")
_SOL_LOCAL: Final = 0
_ANSWERS: Final = (Answer, Completions, Done, Failed)


def peer_uid(stream: socket.socket, platform: str = sys.platform) -> int:
    """The user at the other end, as the system knows it."""
    if platform == "linux":
        found = stream.getsockopt(socket.SOL_SOCKET, 17, _UCRED.size)  # SO_PEERCRED
        _, uid, _ = _UCRED.unpack(found)
        return int(uid)
    found = stream.getsockopt(_SOL_LOCAL, 1, 76)  # LOCAL_PEERCRED, a struct xucred
    _, uid = _XUCRED.unpack_from(found)
    return int(uid)


ToLoop: TypeAlias = Evaluate | Complete | AskTree | AskTop | StopTop | AskInfo | AskCrashes | Act
"""What a client asks that the loop must answer."""


A = TypeVarTuple("A")


def tell_loop(
    token: trio.lowlevel.TrioToken, call: Callable[[Unpack[A]], object], *args: *A
) -> None:
    """Let the loop do this, if there is still one: a node that was torn down waits for nobody."""
    with suppress(trio.RunFinishedError):
        token.run_sync_soon(call, *args)


class Thread:
    """A thread whose end the loop can wait for without blocking."""

    def __init__(self, run: Callable[[], None], name: str, token: trio.lowlevel.TrioToken) -> None:
        self._run = run
        self._token = token
        self._done = trio.Event()
        self._has_begun = False
        self._thread = threading.Thread(target=self._main, name=name, daemon=True)

    def begin(self) -> None:
        """Start it; by then whoever it belongs to must be complete.

        ``RuntimeError`` if the system gives no thread.
        """
        self._thread.start()
        self._has_begun = True

    def _main(self) -> None:
        try:
            self._run()
        finally:
            tell_loop(self._token, self._done.set)

    async def ended(self) -> None:
        """Wait until it has done everything; the rest of its end takes no time."""
        if self._has_begun:
            await self._done.wait()
            self._thread.join()


class Desk(Protocol):
    """What connections need of their console."""

    def asked(self, connection: Connection, frame: ToLoop) -> None:
        """A question to the loop; called by the loop."""
        ...

    def gone(self, connection: Connection) -> None:
        """The client has left, or was sent away; called by the loop."""
        ...

    def interrupt(self, connection: Connection, evaluation: int | None) -> None:
        """ctrl-C, or for ``None`` the end of the client; called by the thread that reads."""
        ...

    def stack(self, connection: Connection, number: int) -> None:
        """What the loop does now; called by the thread that reads."""
        ...

    def welcome(self) -> Welcome:
        """Who answers here; called by the thread that reads."""
        ...


class Connection:
    """One client. ``outbox`` is for the loop, all else is the threads'."""

    def __init__(
        self, stream: socket.socket, desk: Desk, token: trio.lowlevel.TrioToken, number: int
    ) -> None:
        self.outbox = Outbox()
        self.number = number
        self.os_pid: int | None = None
        self.closed = False
        self.interrupted: int | None = None  # the evaluation that was last
        self._last_evaluation = 0
        self._stream = stream
        self._desk = desk
        self._token = token
        self._under_way = 0
        self._lock = threading.Lock()
        self._writer = Thread(self._write, f"console-{number}-writes", token)
        self._reader = Thread(self._read, f"console-{number}-reads", token)

    def begin(self) -> None:
        """Read and write from now on."""
        try:
            self._writer.begin()
            self._reader.begin()
        except RuntimeError as exc:
            self._refuse(f"the service has no thread for you: {exc}")
            self._leave()

    def close(self, why: str) -> None:
        """Say goodbye, send what there is to send, and then close; nothing is waited for."""
        self.outbox.put(Goodbye(why))
        self.outbox.close()

    def hang_up(self) -> None:
        """Close, whatever is left to be sent."""
        self.outbox.close()
        with suppress(OSError):
            self._stream.shutdown(socket.SHUT_RDWR)

    async def written(self) -> None:
        """Wait until all was sent, or could not be."""
        await self._writer.ended()

    async def ended(self) -> None:
        """Wait for the end of both threads."""
        await self._writer.ended()
        await self._reader.ended()
        self._stream.close()

    # -- the thread that writes -----------------------------------------------------------------

    def _write(self) -> None:
        with suppress(OSError):
            while (frame := self.outbox.take()) is not None:
                if isinstance(frame, _ANSWERS):
                    with self._lock:
                        self._under_way -= 1
                self._stream.sendall(packed(frame))
        self.hang_up()

    # -- the thread that reads ------------------------------------------------------------------

    def _read(self) -> None:
        reader: FrameReader[ToService] = FrameReader(self._stream, ToService, MAX_REQUEST)
        try:
            with suppress(OSError):  # gone, without a word
                if self._greeted(reader):
                    while (frame := reader.read()) is not None and self._take(frame):
                        pass
        except BadFrame as exc:
            self._refuse(str(exc))
        finally:
            self._leave()

    def _leave(self) -> None:
        self.closed = True  # first: nothing of it is begun after that, and what runs is interrupted
        self.outbox.close()
        tell_loop(self._token, self._desk.gone, self)
        self._desk.interrupt(self, None)

    def _greeted(self, reader: FrameReader[ToService]) -> bool:
        uid = peer_uid(self._stream)
        if uid not in (os.geteuid(), 0):
            return self._refuse(
                f"this service belongs to user {os.geteuid()}, you are user {uid}: "
                "only the same user and root may attach"
            )
        self._stream.settimeout(_HELLO_WITHIN)
        try:
            hello = reader.read()
        except TimeoutError:
            return self._refuse(f"no Hello within {_HELLO_WITHIN:g} seconds")
        if hello is None:
            return False
        if not isinstance(hello, Hello):
            return self._refuse(f"the first frame is {type(hello).__name__}, allowed is Hello")
        if hello.version != VERSION:
            return self._refuse(
                f"you speak version {hello.version}, this service {VERSION}: "
                "use the otp command of the service's own environment"
            )
        self._stream.settimeout(None)
        self.os_pid = hello.os_pid
        self.outbox.put(self._desk.welcome())
        return True

    def _take(self, frame: ToService) -> bool:
        """Answer a frame or pass it on; whether to go on."""
        if isinstance(frame, Interrupt):
            if frame.id <= self._last_evaluation:  # one that is still to come is meant by nobody
                self.interrupted = frame.id  # first: it may be about to begin
            self._desk.interrupt(self, frame.id)
            return True
        if isinstance(frame, Hello):
            return self._refuse("a second Hello")
        with self._lock:
            self._under_way += 1
            if self._under_way > MAX_UNDER_WAY:
                return self._refuse(
                    f"more than {MAX_UNDER_WAY} questions at once; wait for answers"
                )
        if isinstance(frame, AskStack):
            self._desk.stack(self, frame.id)
            return True
        if isinstance(frame, Evaluate):
            self._last_evaluation = max(frame.id, self._last_evaluation)
        tell_loop(self._token, self._desk.asked, self, frame)
        return True

    def _refuse(self, why: str) -> bool:
        self.outbox.put(Refused(why))
        return False


class Listener:
    """The socket of one console, the thread that accepts, and the clients there are."""

    def __init__(
        self, listener: socket.socket, place: Place, desk: Desk, token: trio.lowlevel.TrioToken
    ) -> None:
        self.place = place
        self.connections: dict[int, Connection] = {}
        self._listener = listener
        self._desk = desk
        self._token = token
        self._last_number = 0
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._awake, self._wake = socket.socketpair()
        listener.setblocking(False)  # who knocked may have left before being let in
        self._thread = Thread(self._accept, "console-accepts", token)

    def begin(self) -> None:
        """Let clients in from now on."""
        self._thread.begin()

    def forget(self, connection: Connection) -> None:
        """A client has left."""
        with self._lock:
            self.connections.pop(connection.number, None)

    def clients(self) -> list[Connection]:
        """Those there are now."""
        with self._lock:
            return list(self.connections.values())

    async def close(self) -> None:
        """Let nobody in any more, and take the socket away."""
        with self._lock:
            self._closing.set()
        self._wake.close()
        await self._thread.ended()  # or its descriptors could be somebody else's by then
        self._awake.close()
        release(self._listener, self.place)

    # -- the thread that accepts ------------------------------------------------------------------

    def _accept(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._awake, selectors.EVENT_READ)
            selector.register(self._listener, selectors.EVENT_READ)
            while not self._closing.is_set():
                selector.select()
                if not self._closing.is_set():
                    self._accept_one()

    def _accept_one(self) -> None:
        try:
            stream, _ = self._listener.accept()
        except OSError:  # no descriptor is left, or whoever knocked has left
            self._closing.wait(_NEXT_TRY)
            return
        stream.setblocking(True)
        if not self._take(stream):
            stream.settimeout(_NEXT_TRY)
            why = f"{MAX_CLIENTS} clients are attached, as many as may be"
            with suppress(OSError), stream:
                stream.sendall(packed(Refused(why)))

    def _take(self, stream: socket.socket) -> bool:
        """Make it a client, if there is room for one."""
        with self._lock:
            if len(self.connections) >= MAX_CLIENTS or self._closing.is_set():
                return False
            self._last_number += 1
            number = self._last_number
            connection = Connection(stream, self._desk, self._token, number)
            self.connections[number] = connection
            connection.begin()
            return True
