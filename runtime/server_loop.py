"""The loop of a server: one message in, one callback, one outcome.

A handler runs to its end before the next message is looked at. An exit signal is looked at before
each message, so after a kill none of what is queued runs. A server all of whose callbacks are
plain functions has no cancel scope at all: nothing of it can be interrupted anyway, and a scope
would be its largest part. ``terminate`` runs in ``_Ending``, on every end but a kill, before what
the process entered is closed and before anybody hears of the end.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any, Final, Generic, Literal, Protocol, TypeVar, cast

import msgspec
import trio

from runtime.callback_results import (
    CALL_MAY,
    CAST_MAY,
    INIT_MAY,
    bad_none,
    bad_result,
    is_outcome_class,
    wrong_server,
)
from runtime.containment import attempt, crash_of
from runtime.entered import enter
from runtime.errors import BadResult
from runtime.exits import NORMAL, ExitReason
from runtime.life_scope import Life
from runtime.messages import Cast, Envelope, Exit, HandleCall, IdleTimeout, SystemCall
from runtime.outcomes import (
    Continue,
    Idle,
    Ignore,
    NoReply,
    Outcome,
    Reply,
    Stop,
    Then,
)
from runtime.pending_calls import PendingCall, ReplyTo, StopServer
from runtime.user_code import as_coroutine, await_user, call_user

T = TypeVar("T")
R_co = TypeVar("R_co", covariant=True)

_YIELD_EVERY: Final = 32
_EMPTY: Final = object()


class Server(Protocol):
    """What the loop calls; the methods are described at ``GenServer``."""

    # fmt: off
    def _attach(self, loop: ServerLoop | None) -> None: ...
    def _handler_of(self, message: object) -> object: ...
    def _plain_handler_of(self, request: object) -> tuple[str, bool] | None: ...
    def init(self) -> object: ...  # noqa: D102
    def handle_call(self, request: object, reply_to: ReplyTo[object]) -> object: ...  # noqa: D102
    def handle_cast(self, message: object) -> object: ...  # noqa: D102
    def handle_info(self, message: object) -> object: ...  # noqa: D102
    def handle_continue(self, arg: object) -> object: ...  # noqa: D102
    def terminate(self, reason: ExitReason) -> object: ...  # noqa: D102
    def redact(self, what: Literal["message", "state"], value: object) -> object: ...  # noqa: D102
    # fmt: on


class LoopCall(SystemCall[R_co], Generic[R_co], frozen=True):
    """A system call that the loop answers by itself, in the queue's order. OTP: ``:sys``.

    ``perform`` runs in the server's task; if it raises, the caller gets that, the server nothing.
    """

    operation: str
    perform: Callable[[ServerLoop], R_co]

    def __repr__(self) -> str:
        return self.operation


class ServerLoop(Life):
    """The state of one running server beside the user's own."""

    __slots__ = (
        "_begun", "_crash", "_handed", "_idle_at", "_last_call", "_make", "_next", "server",
        "suspended",
    )  # fmt: skip

    def __init__(self, make: Callable[[], Server]) -> None:
        super().__init__()
        self._make = make
        self.server: Server | None = None
        self.suspended = False
        self._next: Continue | None = None
        self._idle_at: float | None = None
        self._begun: Coroutine[Any, Any, object] | None = None  # an ``init`` to be awaited
        self._last_call: tuple[PendingCall, object] | None = None  # answered after terminate
        self._handed: tuple[PendingCall, object, Coroutine[Any, Any, object]] | None = None
        self._crash: BaseException | None = None  # of what a caller or the starter has run

    # -- life -------------------------------------------------------------------------------

    async def run(self) -> ExitReason:
        """Init, messages, last words; in one frame, for a frame is a tenth of an idle server."""
        async with self:
            if self.server is None and not self.process.ending:
                self.make()
            if self._begun is not None:
                await self._await_init()
            budget = _YIELD_EVERY
            while self._goes_on():
                if self._handed is not None:
                    await self._finish(*self._handed)
                elif self._next is not None and not self.suspended:
                    await self._continue(self._next)
                elif (message := self._take()) is not _EMPTY:
                    await self._dispatch(message)
                else:
                    await self._sleep()
                    budget = _YIELD_EVERY
                budget -= 1
                if budget == 0:
                    await trio.lowlevel.cancel_shielded_checkpoint()
                    budget = _YIELD_EVERY
            self._raise_crash()
        return self.reason

    def _goes_on(self) -> bool:
        process = self.process
        return self._handed is not None or (process.exiting is None and not process.ending)

    def make(self) -> None:
        """Make the instance and call ``init``; by the starter, if that is a ``def``."""
        server = self.server = call_user(self._make)
        server._attach(self)
        result = call_user(server.init)
        self._begun = as_coroutine(result)
        if self._begun is None:
            self._go_on(result)

    async def _await_init(self) -> None:
        assert self._begun is not None
        coroutine, self._begun = self._begun, None
        self.open_scope()
        self._go_on(await await_user(coroutine))

    def _go_on(self, result: object) -> None:
        """What ``init`` has returned."""
        if self.process.exiting is None and self._accept_init(result):
            self.process.mark_started()

    def crashed(self, crash: BaseException) -> None:
        """Of what others have run for this server; its own task will raise it."""
        self._crash, self.process.ending = crash, True

    def _accept_init(self, result: object) -> bool:
        """Whether the server is to run."""
        match result:
            case None | Continue() | Idle():
                self._then(result)
                return True
            case Stop():
                if result.reply is not msgspec.UNSET:
                    raise self._bad_result("init", result, INIT_MAY)
                self._stop(result.reason)
            case Ignore():
                self.process.ignored = True
                self._stop(NORMAL)
            case _:
                raise self._bad_result("init", result, INIT_MAY)
        return False

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

    def _sleep(self) -> Awaitable[object]:
        """Until something happens, or the idle time is over."""
        if self._idle_at is not None and not self.suspended:
            return self._sleep_until(self._idle_at)
        self.process.inlet = None if self.suspended else self
        return self.process.park()

    async def _sleep_until(self, idle_at: float) -> None:
        deadlines = self.process.table.deadlines
        deadline = deadlines.schedule(idle_at, self._idle_over)
        try:
            await self.process.park()
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
            self._accept("handle_cast", await self._run(server.handle_cast, message))
        else:
            self._accept("handle_info", await self._run(server.handle_info, message))

    async def _continue(self, step: Continue) -> None:
        self._next = None
        assert self.server is not None
        result = await self._run(self.server.handle_continue, step.arg)
        self._accept("handle_continue", result)

    async def _handle_call(self, server: Server, pending: PendingCall) -> None:
        if isinstance(pending.request, HandleCall) and not server._handler_of(pending.request):
            error = wrong_server(self.process, server, pending.target, pending.request)
            pending.settle("error", error)
            return
        reply_to: ReplyTo[object] = ReplyTo(pending)
        self._settle(pending, await self._run(server.handle_call, pending.request, reply_to))

    def _settle(self, pending: PendingCall, result: object) -> None:
        """What a handler of calls has returned."""
        match result:
            case Reply():
                self._reply(pending, cast("Reply[object]", result).value)
                self._then(result.then)
            case NoReply():
                pending.put_off()
                self._then(result.then)
            case Stop():
                if result.reply is not msgspec.UNSET:
                    self._last_call = (pending, result.reply)
                self._stop(result.reason)
            case Outcome():
                raise self._bad_result("handle_call", result, CALL_MAY)
            case _ if is_outcome_class(result):
                raise self._bad_result("handle_call", result, CALL_MAY)
            case _:
                self._reply(pending, result)

    def _reply(self, pending: PendingCall, value: object) -> None:
        if value is None and not pending.may_reply_none():
            raise bad_none(self.server, pending.request)
        pending.settle("reply", value)

    def _accept(self, callback: str, result: object) -> None:
        """The result of a callback that has nobody to reply to."""
        match result:
            case None | Continue() | Idle():
                self._then(result)
            case NoReply():
                self._then(result.then)
            case Stop():
                if result.reply is not msgspec.UNSET:
                    raise self._bad_result(callback, result, CAST_MAY)
                self._stop(result.reason)
            case _:
                raise self._bad_result(callback, result, CAST_MAY)

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
            error = None  # this frame is in its traceback: break the cycle

    # -- handlers that their callers have run: see ``inline_calls`` -------------------------

    def plain_handler(self, request: object) -> tuple[str, bool] | None:
        """See ``Inlet``."""
        assert self.server is not None
        return self.server._plain_handler_of(request)

    def handed_over(
        self, call: Envelope, reply_to: object, result: object, crash: BaseException | None
    ) -> None:
        """See ``Inlet``. The loop wakes up if there is anything left to do."""
        assert isinstance(call, PendingCall)
        if crash is None:
            coroutine = as_coroutine(result)
            if coroutine is not None:
                self._handed = (call, reply_to, coroutine)
            else:
                _, crash = crash_of(self._settle, call, result)
        if crash is not None:
            self.crashed(crash)
            crash = None  # this frame may be behind those of its traceback: break the cycle
        goes_on = self.process.ending or self._handed or self._next or self._idle_at is not None
        if self.process.parked and goes_on:
            self.process.wake()

    async def _finish(
        self, pending: PendingCall, reply_to: object, coroutine: Coroutine[Any, Any, object]
    ) -> None:
        """Await what a plain function returned; ``reply_to`` must outlive that."""
        self._handed = None
        self.open_scope()
        self._settle(pending, await await_user(coroutine))

    def _raise_crash(self) -> None:
        crash, self._crash = self._crash, None
        if crash is not None:
            try:
                raise crash
            finally:
                del crash  # this frame is in its traceback: break the cycle

    # -- calling the user -------------------------------------------------------------------

    async def _run(self, method: Callable[..., object], *args: object) -> object:
        """Call a callback, ``def`` or ``async def``, whichever it turns out to be."""
        result = call_user(method, *args)
        coroutine = as_coroutine(result)
        if coroutine is None:
            return result
        self.open_scope()
        return await await_user(coroutine)

    async def enter(self, manager: AbstractAsyncContextManager[T] | AbstractContextManager[T]) -> T:
        """See ``GenServer.enter``."""
        if self.entered is None:
            self.entered = []
        return await enter(self.process, manager, self.entered)

    def _bad_result(self, callback: str, result: object, allowed: str) -> BadResult:
        return bad_result(self.process, self.server, callback, result, allowed)

    # -- the end ----------------------------------------------------------------------------

    async def last_words(self, reason: ExitReason) -> None:
        """Run ``terminate``, shielded: only a kill, such as the end of the budget, interrupts."""
        process, server = self.process, self.server
        if process.status == "starting" or process.killed or server is None:
            return
        coroutine = as_coroutine(call_user(server.terminate, reason))
        if coroutine is not None:
            with trio.CancelScope(shield=True) as process.grace:
                await await_user(coroutine)
            process.grace = None
        if self._last_call is not None and not process.killed:
            pending, reply = self._last_call
            pending.settle("reply", reply)
