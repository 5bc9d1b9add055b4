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
from typing import Any, Final, Generic, TypeVar, cast

import msgspec
import trio

from runtime.callback_results import (
    CALL_MAY,
    CAST_MAY,
    INIT_MAY,
    bad_none,
    bad_result,
    is_known_value,
    is_outcome_class,
    wrong_server,
)
from runtime.callbacks import Server
from runtime.containment import attempt, crash_of
from runtime.entered import enter
from runtime.errors import BadResult
from runtime.exits import NORMAL, ExitReason
from runtime.life import Life
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
from runtime.system_messages import is_parents_exit, take_system
from runtime.turn import LOOK_EVERY, MESSAGES, SECONDS
from runtime.user_code import as_coroutine, await_user, call_method, call_user

T = TypeVar("T")
R_co = TypeVar("R_co", covariant=True)

_EMPTY: Final = object()


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
        "_begun", "_crash", "_handed", "_idle_at", "_last_call", "_left", "_make", "_next",
        "callee", "suspended",
    )  # fmt: skip

    def __init__(self, make: Callable[[], Server]) -> None:
        super().__init__()
        self._make = make
        self.callee: Server  # see ``Inlet``; from the first moment it can be called
        self.suspended = False
        self._next: Continue | None = None
        self._idle_at: float | None = None
        self._begun: Coroutine[Any, Any, object] | None = None  # an ``init`` to be awaited
        self._left = 0  # messages of this turn
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
            process, clock = self.process, self.process.table.stopwatch
            self._left, until = MESSAGES, clock() + SECONDS
            while self._handed is not None or (process.exiting is None and not process.ending):
                if self._handed is not None:
                    await self._finish(*self._handed)
                elif self._next is not None and not self.suspended:
                    await self._continue(self._next)
                elif (message := self._take()) is not _EMPTY:
                    await self._dispatch(message)
                else:
                    until = 0.0  # a number of its own would be for an idle server to keep
                    await self._sleep()
                    self._left, until = MESSAGES, clock() + SECONDS
                self._left -= 1
                if self._left <= 0 or clock() >= until:
                    await trio.lowlevel.cancel_shielded_checkpoint()
                    self._left, until = MESSAGES, clock() + SECONDS
            self._raise_crash()
        return self.reason

    def make(self) -> None:
        """Make the instance and call ``init``; by the starter, if that is a ``def``."""
        server = self.callee = call_user(self._make)
        server._attach(self)
        result = call_user(server.init)
        self._begun = as_coroutine(result)
        if self._begun is None:
            self._go_on(result)

    @property
    def server(self) -> Server | None:
        """The instance, while there is one."""
        return getattr(self, "callee", None)

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
        system = take_system(self.process)
        return _EMPTY if system is None else system

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
        process, server = self.process, self.callee
        if isinstance(message, PendingCall):
            if not message.droppable:
                self._perform(message)
                return
            request = message.request
            self._idle_at = None
            process.handled += 1
            process.current = request
            if isinstance(request, HandleCall) and not server._handler_of(request):
                message.settle("error", wrong_server(process, server, message.target, request))
                return
            reply_to: ReplyTo[object] = ReplyTo(message)
            self._settle(message, await self._run(server.handle_call, request, reply_to))
            return
        if (handler := server._plain_cast_of(message)) is not None:
            await self._handle_casts(server, handler, message)
            return
        if is_parents_exit(process, message):
            assert isinstance(message, Exit)
            self._stop(message.reason)
            return
        self._idle_at = None
        process.handled += 1
        process.current = message
        if isinstance(message, Cast):
            self._accept("handle_cast", await self._run(server.handle_cast, message))
        else:
            self._accept("handle_info", await self._run(server.handle_info, message))

    async def _handle_casts(self, server: Server, handler: str, message: object) -> None:
        """A cast whose handler is a plain function, and some of its class that wait behind it.

        The same as taking them one by one, at a third of the cost.
        """
        process, items, kind = self.process, self.process.mailbox.items, type(message)
        more = min(self._left, LOOK_EVERY)
        self._idle_at = None
        while True:
            process.handled += 1
            process.current = message
            result = call_method(server, handler, message, None)
            if result is not None:
                self._accept("handle_cast", await self._awaited(result))
                return
            more -= 1
            if more <= 0 or not items or type(items[0]) is not kind or process.exiting is not None:
                return
            self._left -= 1
            message = items.popleft()

    async def _continue(self, step: Continue) -> None:
        self._next = None
        assert self.server is not None
        result = await self._run(self.server.handle_continue, step.arg)
        self._accept("handle_continue", result)

    def _settle(self, pending: PendingCall, result: object) -> None:
        """What a handler of calls has returned."""
        if is_known_value(result):
            pending.settle("reply", result)
            return
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

    def _perform(self, pending: PendingCall) -> None:
        request = pending.request
        self.process.mailbox.evicted += 1  # it has left, and is not counted as handled
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
        return result if as_coroutine(result) is None else await self._awaited(result)

    async def _awaited(self, result: object) -> object:
        """What a callback has returned, awaited if it is a coroutine."""
        if (coroutine := as_coroutine(result)) is None:
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
