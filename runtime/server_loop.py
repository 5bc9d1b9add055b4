"""The loop of a server: one message in, one callback, one outcome.

A handler runs to its end before the next message is looked at. An exit signal is looked at before
each message, so after a kill none of what is queued runs. A server all of whose callbacks are
plain functions has no cancel scope at all: nothing of it can be interrupted anyway, and a scope
would be its largest part. ``terminate`` runs in ``_Ending``, on every end but a kill, before what
the process entered is closed and before anybody hears of the end.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from types import CoroutineType, TracebackType
from typing import Final, Generic, Protocol, TypeVar

import msgspec
import trio
from trio.lowlevel import disable_ki_protection

from runtime import _trio
from runtime.calls import PendingCall, ReplyTo, StopServer
from runtime.containment import attempt, contain, short_repr
from runtime.errors import BadResult, OutsideProcess
from runtime.exits import NORMAL, ExitReason
from runtime.messages import Cast, Exit, IdleTimeout, SystemCall
from runtime.outcomes import (
    CastResult,
    Continue,
    Idle,
    Ignore,
    InitResult,
    NoReply,
    Outcome,
    Reply,
    Stop,
    Then,
)
from runtime.process import Process
from runtime.reply_types import admits_none

T = TypeVar("T")
R_co = TypeVar("R_co", covariant=True)

_YIELD_EVERY: Final = 32
_EMPTY: Final = object()
_INTERRUPTED: Final = object()


class Server(Protocol):
    """What the loop calls. ``GenServer`` is the class users read."""

    def _attach(self, loop: ServerLoop | None) -> None: ...
    def init(self) -> object: ...
    def handle_call(self, request: object, reply_to: ReplyTo[object]) -> object: ...
    def handle_cast(self, message: object) -> object: ...
    def handle_info(self, message: object) -> object: ...
    def handle_continue(self, arg: object) -> object: ...
    def terminate(self, reason: ExitReason) -> object: ...
    def redact(self, what: str, value: object) -> object: ...


class LoopCall(SystemCall[R_co], Generic[R_co], frozen=True):
    """A system call that the loop answers by itself, in the queue's order. OTP: ``:sys``.

    ``perform`` runs in the server's task; if it raises, the caller gets that, the server nothing.
    """

    operation: str
    perform: Callable[[ServerLoop], R_co]

    def __repr__(self) -> str:
        return self.operation


@disable_ki_protection
def _call_user(callback: Callable[..., T], *args: object) -> T:
    return callback(*args)


@disable_ki_protection
async def _await_user(coroutine: Coroutine[object, object, T]) -> T:
    return await coroutine


class ServerBody:
    """The body of a server process: makes a fresh instance and runs its loop."""

    is_server = True

    def __init__(self, make: Callable[[], Server], *, scoped: bool) -> None:
        self._make = make
        self._scoped = scoped
        self._loop: ServerLoop | None = None

    async def live(self, process: Process) -> ExitReason:
        """From ``__init__`` to the last clean-up."""
        loop = self._loop = ServerLoop(process)
        if self._scoped:
            with trio.CancelScope() as process.scope:
                await loop.live(self._make)
        else:
            await loop.live(self._make)
        return loop.reason

    @property
    def server(self) -> Server | None:
        """The instance, while the process lives."""
        return None if self._loop is None else self._loop.server

    def describe(self, message: object) -> str:
        """The message as the server's ``redact`` lets it be shown."""
        return self._shown("message", message) or "<not shown>"

    def describe_state(self) -> str | None:
        """The state as the server's ``redact`` lets it be shown: by default not at all."""
        return None if self.server is None else self._shown("state", self.server)

    def _shown(self, what: str, value: object) -> str | None:
        server = self.server
        shown = value if server is None else contain(None, server.redact, what, value)
        return None if shown is None else short_repr(shown)

    def release(self) -> None:
        """Cut process, loop and server apart."""
        if self._loop is not None and self._loop.server is not None:
            self._loop.server._attach(None)
            self._loop.server = None
        self._loop = None


class _Entered:
    """A context manager the process entered, and how it must be closed."""

    __slots__ = ("is_async", "manager", "opened_scope", "value")

    def __init__(
        self, manager: object, *, is_async: bool, opened_scope: bool, value: object
    ) -> None:
        self.manager = manager
        self.is_async = is_async
        self.opened_scope = opened_scope
        self.value = value

    async def close(self, process: Process, exc: BaseException | None) -> None:
        """Close it, shielded within the shutdown budget, unless it has a scope of its own.

        A shield cannot be put around a scope that was opened before it; what has one (a nursery)
        is told to stop instead and knows how to.
        """
        if isinstance(self.value, trio.Nursery):
            self.value.cancel_scope.cancel()
            exc = None
        if self.opened_scope or process.killed:
            await self._exit(exc)
            return
        with trio.CancelScope(shield=True) as process.grace:
            await self._exit(exc)
        process.grace = None

    async def _exit(self, exc: BaseException | None) -> None:
        kind, trace = (None, None) if exc is None else (type(exc), exc.__traceback__)
        closed = _call_user(self._call_exit, kind, exc, trace)
        if isinstance(closed, CoroutineType):
            await _await_user(closed)

    def _call_exit(self, *details: object) -> object:
        name = "__aexit__" if self.is_async else "__exit__"
        return getattr(self.manager, name)(*details)


class ServerLoop:
    """The state of one running server beside the user's own."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.server: Server | None = None
        self.reason: ExitReason = NORMAL
        self.suspended = False
        self._up = False
        self._next: Continue | None = None
        self._idle_at: float | None = None
        self._entered: list[_Entered] = []
        self._last_call: tuple[PendingCall, object] | None = None  # answered after terminate

    # -- life -------------------------------------------------------------------------------

    async def live(self, make: Callable[[], Server]) -> None:
        """Init, messages, last words."""
        async with _Ending(self):
            server = self.server = _call_user(make)
            server._attach(self)
            result = await self._run("init", server.init)
            if self.process.exiting is None and self._accept_init(result):
                self._up = True
                self.process.mark_started()
                await self._serve()

    def _accept_init(self, result: object) -> bool:
        """Whether the server is to run."""
        match result:
            case None | Continue() | Idle():
                self._then(result)
                return True
            case Stop():
                if result.reply is not msgspec.UNSET:
                    raise self._bad_result("init", result, InitResult)
                self._stop(result.reason)
            case Ignore():
                self.process.ignored = True
                self._stop(NORMAL)
            case _:
                raise self._bad_result("init", result, InitResult)
        return False

    async def _serve(self) -> None:
        process = self.process
        budget = _YIELD_EVERY
        while process.exiting is None and not process.ending:
            if self._next is not None and not self.suspended:
                await self._continue(self._next)
                continue
            message = self._take()
            if message is _EMPTY:
                await self._sleep()
                budget = _YIELD_EVERY
                continue
            await self._dispatch(message)
            budget -= 1
            if budget == 0:
                await trio.lowlevel.cancel_shielded_checkpoint()
                budget = _YIELD_EVERY

    def _take(self) -> object:
        """The next message; while suspended only what the runtime itself sent."""
        mailbox = self.process.mailbox
        if not self.suspended:
            if mailbox.items:
                return mailbox.items.popleft()
            if self._idle_at is not None and trio.current_time() >= self._idle_at:
                return IdleTimeout()
            return _EMPTY
        for index, item in mailbox.scan(0):
            if self._is_system(item):
                return mailbox.take(index)
        return _EMPTY

    def _is_system(self, item: object) -> bool:
        if isinstance(item, PendingCall):
            return isinstance(item.request, SystemCall)
        return self._is_parents_exit(item)

    def _is_parents_exit(self, item: object) -> bool:
        if not isinstance(item, Exit) or item.pid is None:
            return False
        return item.pid is self.process.parent or item.pid is self.process.table.owner

    async def _sleep(self) -> None:
        """Until something happens, or the idle time is over."""
        process = self.process
        if self._idle_at is None or self.suspended:
            await process.park()
            return
        deadlines = process.table.deadlines
        deadline = deadlines.schedule(self._idle_at, self._idle_over)
        try:
            await process.park()
        finally:
            deadlines.cancel(deadline)

    def _idle_over(self) -> None:
        if self.process.parked:
            self.process.wake()

    # -- one message ------------------------------------------------------------------------

    async def _dispatch(self, message: object) -> None:
        process, server = self.process, self.server
        assert server is not None
        if isinstance(message, PendingCall) and isinstance(message.request, SystemCall):
            self._perform(message, message.request)
            return
        if self._is_parents_exit(message):
            assert isinstance(message, Exit)
            self._stop(message.reason)
            return
        self._idle_at = None
        process.handled += 1
        if isinstance(message, PendingCall):
            process.current = message.request
            await self._handle_call(server, message)
            return
        process.current = message
        if isinstance(message, Cast):
            self._accept("handle_cast", await self._run("handle_cast", server.handle_cast, message))
        else:
            self._accept("handle_info", await self._run("handle_info", server.handle_info, message))

    async def _continue(self, step: Continue) -> None:
        self._next = None
        assert self.server is not None
        result = await self._run("handle_continue", self.server.handle_continue, step.arg)
        self._accept("handle_continue", result)

    async def _handle_call(self, server: Server, pending: PendingCall) -> None:
        reply_to: ReplyTo[object] = ReplyTo(pending)
        result = await self._run("handle_call", server.handle_call, pending.request, reply_to)
        if result is _INTERRUPTED:
            return
        if not isinstance(result, Outcome):
            if result is None and not pending.may_reply_none():
                raise self._bad_none(pending)
            pending.settle("reply", result)
            return
        match result:
            case Reply():
                if result.value is None and not pending.may_reply_none():
                    raise self._bad_none(pending)
                pending.settle("reply", result.value)
                self._then(result.then)
            case NoReply():
                pending.deferred = True
                self._then(result.then)
            case Stop():
                if result.reply is not msgspec.UNSET:
                    self._last_call = (pending, result.reply)
                self._stop(result.reason)
            case _:
                raise self._bad_result("handle_call", result, "the reply, Reply, NoReply, Stop")

    def _accept(self, callback: str, result: object) -> None:
        """The result of a callback that has nobody to reply to."""
        match result:
            case None | Continue() | Idle():
                self._then(result)
            case NoReply():
                self._then(result.then)
            case Stop():
                if result.reply is not msgspec.UNSET:
                    raise self._bad_result(callback, result, CastResult)
                self._stop(result.reason)
            case _ if result is not _INTERRUPTED:
                raise self._bad_result(callback, result, CastResult)

    def _then(self, then: Then) -> None:
        if isinstance(then, Continue):
            self._next = then
        elif then is not None:
            self._idle_at = trio.current_time() + then.seconds

    def _stop(self, reason: ExitReason) -> None:
        self.reason = reason
        self.process.ending = True

    def _perform(self, pending: PendingCall, request: SystemCall[object]) -> None:
        if isinstance(request, StopServer):
            self._stop(request.reason)
            return
        assert isinstance(request, LoopCall)
        value, error = attempt(request.perform, self)
        if error is None:
            pending.settle("reply", value)
        else:
            pending.settle("error", error)

    # -- calling the user -------------------------------------------------------------------

    async def _run(self, callback: str, method: Callable[..., object], *args: object) -> object:
        """Call a callback, ``def`` or ``async def``, whichever it turns out to be."""
        result = _call_user(method, *args)
        if not isinstance(result, CoroutineType):
            return result
        process = self.process
        if process.scope is not None:
            return await _await_user(result)
        # a plain function that returned a coroutine: a server without a scope needs one now
        with trio.CancelScope() as process.scope:
            try:
                return await _await_user(result)
            finally:
                process.scope = None
        return _INTERRUPTED

    async def enter(self, manager: AbstractAsyncContextManager[T] | AbstractContextManager[T]) -> T:
        """See ``GenServer.enter``."""
        task = self.process.task
        if task is None or trio.lowlevel.current_task() is not task:
            raise OutsideProcess(
                "enter was called outside the process's own task, "
                "which is the one that closes the context manager"
            )
        before = _trio.scope_fingerprint(task)
        if isinstance(manager, AbstractAsyncContextManager):
            is_async, value = True, await manager.__aenter__()
        elif isinstance(manager, AbstractContextManager):
            is_async, value = False, manager.__enter__()
        else:
            raise TypeError(f"manager: got {manager!r}, allowed is a context manager")
        opened_scope = _trio.scope_fingerprint(task) != before
        self._entered.append(
            _Entered(manager, is_async=is_async, opened_scope=opened_scope, value=value)
        )
        return value

    def _bad_none(self, pending: PendingCall) -> BadResult:
        request = type(pending.request).__name__
        return BadResult(
            f"handle_call of {self._server_name} returned None for {request}, whose "
            "reply type does not admit None: a branch without a return?",
            None,
        )

    def _bad_result(self, callback: str, result: object, allowed: object) -> BadResult:
        names = (
            allowed
            if isinstance(allowed, str)
            else ", ".join(
                "None" if one is type(None) else one.__name__ for one in allowed.__args__
            )
        )  # type: ignore[attr-defined]
        return BadResult(
            f"{callback} of {self._server_name} returned {short_repr(result)}, allowed are {names}",
            result,
        )

    @property
    def _server_name(self) -> str:
        return type(self.server).__name__

    # -- the end ----------------------------------------------------------------------------

    async def last_words(self, reason: ExitReason) -> None:
        """Run ``terminate``, shielded: only a kill, such as the end of the budget, interrupts."""
        process, server = self.process, self.server
        if not self._up or process.killed or server is None:
            return
        result = _call_user(server.terminate, reason)
        if isinstance(result, CoroutineType):
            with trio.CancelScope(shield=True) as process.grace:
                await _await_user(result)
            process.grace = None
        if self._last_call is not None and not process.killed:
            pending, reply = self._last_call
            pending.settle("reply", reply)

    async def close_entered(self, exc: BaseException | None) -> None:
        """Close what was entered, last first; one that raises does not keep the others open."""
        if self._entered:
            entered = self._entered.pop()
            try:
                await entered.close(self.process, exc)
            finally:
                await self.close_entered(exc)


class _Ending:
    """Whatever ends the loop passes through here: ``terminate``, then the clean-up."""

    def __init__(self, loop: ServerLoop) -> None:
        self._loop = loop

    async def __aenter__(self) -> None:
        """Nothing to do."""

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        exc: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        loop, process = self._loop, self._loop.process
        process.ending = True
        reason = loop.reason if exc is None else process.reason_for(exc)
        if process.exiting is not None:
            reason = process.exiting
        try:
            await loop.last_words(reason)
        finally:
            await loop.close_entered(exc)
