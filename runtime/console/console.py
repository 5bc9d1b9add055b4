"""The console of a service: a process of the tree that lets its own user in by a Unix socket.

It owns the socket and the sessions, each of which is a process in its nursery. Nothing here waits
for a client: threads read and write (see ``connections``), and what takes time is asked for by
tasks of the nursery. However the process ends, its clients are told and its socket is taken away.
"""

from __future__ import annotations

import math
import os
import platform
import time
from typing import ClassVar, Literal

import msgspec
import trio

from runtime.console.acts import NotDone, NotSuspended, Restart
from runtime.console.breaking import BREAK_TRIES, Breaker
from runtime.console.completion import completions
from runtime.console.connections import Connection, Listener, ToLoop, tell_loop
from runtime.console.evaluation import Names
from runtime.console.familiar import familiar, modules
from runtime.console.frames import (
    VERSION,
    Act,
    Answer,
    Complete,
    Completions,
    Evaluate,
    Failed,
    ToClient,
    Welcome,
)
from runtime.console.outputs import Outputs
from runtime.console.places import listen
from runtime.console.questions import Asker, Question
from runtime.console.session import Session
from runtime.console.vocabulary import vocabulary
from runtime.containment import attempt, clean, outcome_of, short_repr
from runtime.exits import ExitReason, Shutdown
from runtime.gen_server import GenServer
from runtime.handlers import handles
from runtime.inspection.views import Plain
from runtime.messages import SystemCast
from runtime.names import registered
from runtime.process import Process
from runtime.server_body import ServerBody
from runtime.spawning import FunctionBody, spawn_process
from runtime.stops import stop_processes
from runtime.watchdogs.stacks import stack_of_loop

_TO_STOP = 1.0
"""Seconds that an evaluation has for its clean-up, and as many to heed its kill; then a client for
reading the last words."""

_TRIES = 3


class Arrived(SystemCast, frozen=True):
    """A client asks."""

    connection: Connection
    frame: ToLoop


class Interrupted(SystemCast, frozen=True):
    """A client has pressed ctrl-C."""

    connection: Connection
    evaluation: int


class Left(SystemCast, frozen=True):
    """A client has left."""

    connection: Connection


class ConsoleBody(ServerBody):
    """A server's body inside the nursery its sessions live in, which closes what was opened."""

    __slots__ = ("nursery",)

    nursery: trio.Nursery

    async def live(self, process: Process) -> ExitReason:
        """Serve; then, however that ended, tell the clients and close.

        Then only it waits for evaluations that shield themselves. One of them may have cancelled
        the nursery, or put a task there that raises: hence the shield.
        """
        manager = trio.open_nursery()
        self.nursery = await manager.__aenter__()
        try:
            return await super().live(process)
        finally:
            try:
                with trio.CancelScope(shield=True):
                    if isinstance(self.server, Console):
                        await self.server.end_sessions(process)
                        await self.server.close(process)
                self.nursery.cancel_scope.cancel()
                await manager.__aexit__(None, None, None)
            finally:
                del self.nursery  # it leads back to the process


class Console(GenServer, NotSuspended):
    """Lets the user whose service this is in, under the name of the service."""

    inline: ClassVar[bool] = False
    _body_class: ClassVar[type[ServerBody]] = ConsoleBody

    def __init__(
        self, service: str, *, restart: Restart | None = None, package: object = None
    ) -> None:
        self._service = service
        self._restart = no_restart if restart is None else restart
        self._package = package
        self._since = time.monotonic()
        self._outputs = Outputs()
        self._breaker = Breaker()
        self._sessions: dict[int, Session] = {}
        self._listener: Listener | None = None
        self.breaks_loops = False

    def init(self) -> None:
        """Open the socket; ``PlaceRefused`` if there is no safe place for it."""
        table = self._process.table
        listener, place = listen(self._service)
        self._outputs.open()
        self.breaks_loops = self._breaker.open()
        self._listener = Listener(listener, place, Reception(self), table.token)
        self._listener.begin()

    def redact(self, what: Literal["message", "state"], value: object) -> object:
        """What a client has sent is nobody else's business."""
        return type(value).__name__ if what == "message" else None

    def facts(self) -> dict[str, Plain]:
        """Where it is, and how many are attached."""
        return {
            "socket": None if self._listener is None else self._listener.place.path,
            "clients": len(self._sessions),
            "breaks loops": self.breaks_loops,
        }

    async def end_sessions(self, process: Process) -> None:
        """Stop what clients have running; they hear of it."""
        sessions = [one.end() for one in self._sessions.values()]
        running = [(one, _TO_STOP) for one in sessions if one is not None]
        with trio.move_on_after(2 * _TO_STOP):
            await stop_processes(running, process.pid)

    async def close(self, process: Process) -> None:
        """Tell the clients, take the socket away, and let go of everything."""
        listener = self._listener
        if listener is None:
            return
        await listener.close()
        clients = listener.clients()
        for client in clients:
            client.close(_why(process))
        with trio.move_on_after(_TO_STOP):
            for client in clients:
                await client.written()
        for client in clients:
            client.hang_up()
        for client in clients:
            await client.ended()
        for session in self._sessions.values():
            session.forget()
        self._outputs.close()
        self._breaker.close()

    # -- what comes in --------------------------------------------------------------------------

    @handles(Arrived)
    def _arrived(self, message: Arrived) -> None:
        connection, frame = message.connection, message.frame
        session = self._session_of(connection)
        if isinstance(frame, Evaluate):
            session.evaluate(frame)
            return
        if isinstance(frame, Act):
            self._nursery.start_soon(self._act, session, frame)
            return
        session.answer(self._answer(session, frame))

    @handles(Interrupted)
    def _interrupted(self, message: Interrupted) -> None:
        session = self._sessions.get(message.connection.number)
        if session is not None:
            session.interrupt(message.evaluation)

    @handles(Left)
    def _left(self, message: Left) -> None:
        session = self._sessions.get(message.connection.number)
        self._nursery.start_soon(self._see_off, message.connection, session)

    async def _see_off(self, connection: Connection, session: Session | None) -> None:
        """A client has left: end what reads and writes for it, and its evaluation."""
        with trio.move_on_after(_TO_STOP):
            await connection.written()
        connection.hang_up()  # it may have left without closing, and not read
        await connection.ended()
        assert self._listener is not None
        self._listener.forget(connection)
        if session is not None:
            if (process := session.end()) is not None:
                await stop_processes([(process, _TO_STOP)], self._process.pid)
            session.forget()
            del self._sessions[connection.number]

    def _session_of(self, connection: Connection) -> Session:
        session = self._sessions.get(connection.number)
        if session is None:
            names = Names(vocabulary(self._restart, self._package))
            session = Session(connection, names, self._outputs, self._start, Asker(self._restart))
            self._sessions[connection.number] = session
        return session

    def _start(self, session: Session) -> Process:
        process = self._process
        return spawn_process(
            process.table, FunctionBody(session.session), label="session",
            nursery=self._nursery, parent=process.pid,
        )  # fmt: skip

    def _answer(self, session: Session, frame: Complete | Question) -> ToClient:
        if isinstance(frame, Complete):
            known = {**familiar(modules()), **session.names.names}
            words = completions(frame.text, known, registered())
            return Completions(frame.id, words)
        answer, error = attempt(session.asker.answer, frame)
        return _answer(frame.id, answer) if error is None else _failed(frame.id, error)

    async def _act(self, session: Session, frame: Act) -> None:
        done, error = await outcome_of(session.asker.do(frame))
        session.answer(_failed(frame.id, error) if error is not None else _answer(frame.id, done))

    # -- where it lives --------------------------------------------------------------------------

    @property
    def _process(self) -> Process:
        assert self._loop is not None
        return self._loop.process

    @property
    def _nursery(self) -> trio.Nursery:
        body = self._process.body
        assert isinstance(body, ConsoleBody)
        return body.nursery


class Reception:
    """Where the threads of connections and the process of the console meet."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._process = console._process
        self._table = self._process.table

    def asked(self, connection: Connection, frame: ToLoop) -> None:
        """See ``Desk``."""
        self._process.post_system(Arrived(connection, frame))

    def gone(self, connection: Connection) -> None:
        """See ``Desk``."""
        self._process.post_system(Left(connection))

    def interrupt(self, connection: Connection, evaluation: int | None) -> None:
        """See ``Desk``."""
        session = self._console._sessions.get(connection.number)
        current = None if session is None else session.current
        number = evaluation
        if number is None:
            number = None if current is None else current.number
        if number is None:
            return
        running = current if current is not None and current.number == number else None
        if running is not None:
            running.breakable.wanted = True  # before the loop hears of it, which takes it back
        tell_loop(self._table.token, self._interrupt, connection, number)
        if running is not None:
            tries = BREAK_TRIES if evaluation is not None else math.inf  # nobody will ask again
            self._console._breaker.interrupt(running.breakable, tries=tries)

    def _interrupt(self, connection: Connection, evaluation: int) -> None:
        """At once, and once more behind what came before it."""
        message = Interrupted(connection, evaluation)
        self._console._interrupted(message)
        self._process.post_system(message)

    def stack(self, connection: Connection, number: int) -> None:
        """See ``Desk``."""
        for _ in range(_TRIES):
            view, error = attempt(stack_of_loop, self._table)
            if error is None:
                connection.outbox.put(_answer(number, view))
                return
        connection.outbox.put(Failed(number, "RuntimeError", "the stack changed while it was read"))

    def welcome(self) -> Welcome:
        """See ``Desk``."""
        up = time.monotonic() - self._console._since
        return Welcome(VERSION, self._console._service, os.getpid(), platform.python_version(), up)


def _why(process: Process) -> str:
    if process.table.stopping or isinstance(process.exiting, Shutdown):
        return "the service is stopping"
    return f"the console has ended ({short_repr(process.exiting)}), the service goes on"


def _answer(number: int, data: object) -> Answer:
    return Answer(number, msgspec.Raw(msgspec.msgpack.encode(data)))


def _failed(number: int, error: BaseException | None) -> Failed:
    return Failed(number, type(error).__name__, clean(str(error)))


async def no_restart(process: Process) -> str:
    """What a console without supervisors says to a restart."""
    raise NotDone(f"{process.pid!r} has no supervisor that could start it anew")
