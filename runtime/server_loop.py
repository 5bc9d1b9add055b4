"""The loop of a server: one message in, one callback, one outcome.

A handler runs to its end before the next message is looked at. An exit signal is looked at before
each message, so after a kill none of what is queued runs. A server all of whose callbacks are
plain functions has no cancel scope at all: nothing of it can be interrupted anyway, and a scope
would be its largest part. ``terminate`` runs in ``_Ending``, on every end but a kill, before what
the process entered is closed and before anybody hears of the end.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
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
        "_begun", "_handed", "_idle_at", "_last_call", "_left", "_make", "_next",
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
                    if (rest := self._dispatch(message)) is not None:
                        await rest
                        rest = None  # as long as it sleeps a server keeps nothing
                else:
                    until = 0.0  # a number of its own would be for an idle server to keep
                    await self._sleep()
                    self._left, until = MESSAGES, clock() + SECONDS
                self._left -= 1
                if self._left <= 0 or clock() >= until:
                    process.table.breath.draw()
                    await trio.lowlevel.cancel_shielded_checkpoint()
                    self._left, until = MESSAGES, clock() + SECONDS
            self.raise_crash()
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

    def _dispatch(self, message: object) -> Awaitable[None] | None:
        """Call what handles a message; if that is not done at once, what is left to be awaited."""
        if type(message) is PendingCall:
            return self._take_call(message)
        process, server = self.process, self.callee
        if (handler := server._plain_cast_of(message)) is not None:
            return self._take_casts(server, handler, message)
        if is_parents_exit(process, message):
            assert isinstance(message, Exit)
            self._stop(message.reason)
            return None
        self._begin(message)
        if isinstance(message, Cast):
            return self._go_by("handle_cast", call_user(server.handle_cast, message))
        return self._go_by("handle_info", call_user(server.handle_info, message))

    def _begin(self, message: object) -> None:
        process = self.process
        self._idle_at = None
        process.handled += 1
        process.current = message

    def _take_call(self, pending: PendingCall) -> Awaitable[None] | None:
        server, request = self.callee, pending.request
        handler = server._call_handler_of(request)
        if handler is None and not pending.droppable:
            self._perform(pending)
            return None
        self._begin(request)
        reply_to: ReplyTo[object] | None = None
        if handler is not None:
            if handler.wants_reply_to:
                reply_to = ReplyTo(pending)
            result = call_method(server, handler.name, request, reply_to)
        elif isinstance(request, HandleCall) and not server._handler_of(request):
            error = wrong_server(self.process, server, pending.target, request)
            pending.settle("error", error)
            return None
        else:
            reply_to = ReplyTo(pending)
            result = call_user(server.handle_call, request, reply_to)
        if (coroutine := as_coroutine(result)) is not None:
            return self._finish(pending, reply_to, coroutine)
        self._settle(pending, reply_to, result)
        return None

    def _take_casts(self, server: Server, handler: str, message: object) -> Awaitable[None] | None:
        """A cast whose handler is a plain function, and some of its class that wait behind it.

        The same as taking them one by one, at a third of the cost.
        """
        process, items, kind = self.process, self.process.mailbox.items, type(message)
        most = more = min(self._left, LOOK_EVERY)
        self._idle_at = None
        while True:
            process.handled += 1
            process.current = message
            result = call_method(server, handler, message, None)
            if result is not None:
                self._left -= most - more
                return self._go_by("handle_cast", result)
            more -= 1
            if more <= 0 or not items or type(items[0]) is not kind or process.exiting is not None:
                self._left -= most - more - 1  # the first is counted by the loop
                return None
            message = items.popleft()

    async def _continue(self, step: Continue) -> None:
        self._next = None
        assert self.server is not None
        rest = self._go_by("handle_continue", call_user(self.server.handle_continue, step.arg))
        if rest is not None:
            await rest

    def _settle(self, pending: PendingCall, reply_to: object, result: object) -> None:
        """What a handler of calls has returned; ``None`` for a ``reply_to`` it was not given."""
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
                if reply_to is None:
                    ReplyTo(pending)  # which nobody has: dropped
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
                _, crash = crash_of(self._settle, call, reply_to, result)
        if crash is not None:
            self.crashed(crash)
            crash = None  # this frame may be behind those of its traceback: break the cycle
        goes_on = self.process.ending or self._handed or self._next or self._idle_at is not None
        if self.process.parked and goes_on:
            self.process.wake()

    # -- calling the user -------------------------------------------------------------------

    async def _finish(
        self,
        pending: PendingCall,
        reply_to: object,
        coroutine: Coroutine[Any, Any, object],
    ) -> None:
        """Await what a handler of calls returned; ``reply_to`` must outlive that."""
        self._handed = None
        self.open_scope()
        self._settle(pending, reply_to, await await_user(coroutine))

    def _go_by(self, callback: str, result: object) -> Awaitable[None] | None:
        """Do what another callback has returned; if that is a coroutine, it is left to await."""
        if (coroutine := as_coroutine(result)) is not None:
            return self._await(callback, coroutine)
        self._accept(callback, result)
        return None

    async def _await(self, callback: str, coroutine: Coroutine[Any, Any, object]) -> None:
        self.open_scope()
        self._accept(callback, await await_user(coroutine))

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
