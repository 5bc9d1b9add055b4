"""The call protocol: a request under way, and who may answer it.

One latch per call: ``PendingCall.task``. The reply, the server's end, the time-out and the
caller's cancellation each look whether it is still set, clear it, and only then wake the caller,
so exactly one of them happens, in whatever order they come, and a late reply has nowhere to go.
The caller is woken with nothing and reads the result from the latch, so tracebacks show ``call``.
"""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from typing import Generic, Literal, NoReturn, TypeAlias, TypeVar

import trio
from trio.lowlevel import Abort, Task, enable_ki_protection

from runtime._trio import is_cancelled, sleep, wake
from runtime.containment import contain
from runtime.cycles import break_cycle, cycle_through, owners, pids_of
from runtime.errors import BadResult, CallCycle, CallExit, CallTimeout, MailboxFull, ReplyDropped
from runtime.exits import NO_PROCESS, Crashed, ExitReason
from runtime.messages import Call, Envelope, SystemCall
from runtime.pid import Pid
from runtime.process import Process, current_process_var
from runtime.reply_types import admits_none

R = TypeVar("R")
R_contra = TypeVar("R_contra", contravariant=True)

_Result: TypeAlias = Literal["none", "reply", "error", "exit", "timeout", "dropped"]


class PendingCall(Envelope):
    """A call on its way: in the server's mailbox, in its hands, or put off by ``NoReply``."""

    __slots__ = (
        "caller",
        "gave_up",
        "leads_to",
        "request",
        "result",
        "server",
        "target",
        "task",
        "value",
        "visible",
        "waits",
    )

    def __init__(
        self,
        server: Process,
        target: object,
        request: Call[object],
        caller: Process | None,
        task: Task,
    ) -> None:
        self.server = server
        self.caller = caller  # the process whose own task this is
        self.target = target
        self.request = request
        self.leads_to: Process | None = server  # nobody, once the reply has been put off
        self.gave_up: Callable[[], None] | None = None
        self.result: _Result = "none"
        self.value: object = None
        self.visible: Request[object] | None = None
        self.waits = False  # not yet: an answer now finds its caller running
        self.task: Task | None = task

    @property
    def droppable(self) -> bool:
        """A full mailbox may throw out users' calls, telling the caller, but no system call."""
        return not isinstance(self.request, SystemCall)

    @property
    def content(self) -> object:
        """The request."""
        return self.request

    @enable_ki_protection
    def settle(self, result: _Result, value: object = None) -> bool:
        """End the call this way, unless it has ended; whether it did."""
        task = self.task
        if task is None:
            return False
        if threading.get_ident() != self.server.table.thread:
            self.server.check_thread()
        if not self.waits and is_cancelled(task):
            self._over(gave_up=True)  # by the handler that runs in its step: it waits no more
            return False
        if self.gave_up is None:
            self.task = self.visible = None
        else:
            self._over(gave_up=result == "timeout")
        self.result = result
        self.value = value
        if self.waits:
            wake(task)
        return True

    def _over(self, *, gave_up: bool) -> None:
        """Nobody waits any more; a server that keeps the caller in a queue may want to know."""
        self.task = self.visible = None
        told, self.gave_up = self.gave_up, None
        if gave_up and told is not None:
            contain(None, told)

    def put_off(self) -> None:
        """The handler has returned without an answer."""
        if self.leads_to is self.server:
            self.leads_to = None

    def may_reply_none(self) -> bool:
        """Whether a handler may return ``None``: it replied before, or the type admits it."""
        return self.result != "none" or admits_none(type(self.request))

    def refuse_cycle(self, cycle: tuple[Pid, ...]) -> bool:
        """The server has begun to wait for the caller, directly or by others."""
        return self.settle("error", CallCycle(cycle, self.target, self.request))

    def server_ended(self, reason: ExitReason) -> None:
        """No reply will come."""
        self.settle("exit", reason)

    def refuse(self, error: Exception) -> None:
        """Thrown out of a full mailbox."""
        self.settle("error", error)

    def time_out(self) -> None:
        """The deadline has passed; the server is not told."""
        self.settle("timeout")

    def abort(self, _raise_cancel: object) -> Abort:
        """The caller is cancelled: it gives up, the server is not disturbed."""
        self._over(gave_up=True)
        return Abort.SUCCEEDED

    def open(self) -> Request[object]:
        """What a plain process sees of it."""
        if self.visible is None:
            self.visible = Request(self.request, ReplyTo(self, armed=False))
        return self.visible

    def taken(self) -> None:
        """From now on a ``Request`` that is dropped unanswered fails its caller."""
        assert self.visible is not None
        self.visible.reply_to.arm()
        self.visible = None

    def outcome(self, timeout: float) -> object:
        """The reply, or the error this call ended with."""
        value, self.value = self.value, None
        match self.result:
            case "reply":
                return value
            case "error":
                assert isinstance(value, BaseException)
                try:
                    raise value
                finally:
                    del value  # this frame is in its traceback: break the cycle
            case "exit":
                cause = value.exception if isinstance(value, Crashed) else None
                raise CallExit(value, self.target, self.request) from cause
            case "timeout":
                raise CallTimeout(timeout, self.target, self.request)
            case _:
                raise ReplyDropped(self.target, self.request)


class ReplyTo(Generic[R_contra]):
    """Answers one call, once, from anywhere in the node. OTP: ``from`` and ``GenServer.reply``.

    The first answer counts, later ones and answers to callers that have given up are dropped.
    When the last reference goes away unanswered, the caller gets ``ReplyDropped`` at once.
    """

    __slots__ = ("_armed", "_pending")

    def __init__(self, pending: PendingCall, *, armed: bool = True) -> None:
        self._pending = pending
        self._armed = armed

    def reply(self, value: R_contra) -> None:
        """Give the caller its reply. Never blocks.

        ``BadResult`` for ``None`` where the call's reply type does not admit it.
        """
        request = type(self._pending.request)
        if value is None and not admits_none(request):
            raise BadResult(
                f"reply_to.reply(None) for {request.__name__}, whose reply type does "
                "not admit None",
                None,
            )
        self._pending.settle("reply", value)

    def error(self, exc: Exception) -> None:
        """Raise ``exc`` in the caller; the server goes on."""
        if not isinstance(exc, Exception) or isinstance(exc, StopIteration):
            raise TypeError(f"exc: got {exc!r}, allowed is an instance of Exception")
        self._pending.settle("error", exc)

    @property
    def answered(self) -> bool:
        """Whether the call has ended: answered, timed out or given up."""
        return self._pending.task is None

    def on_give_up(self, told: Callable[[], None]) -> None:
        """Call ``told`` in the very step in which the caller gives up: timed out or cancelled.

        For a server that keeps a queue of callers; at once if this one has given up already, never
        after an answer or the server's end. It runs outside the server's task, so it may only do
        book-keeping.
        """
        pending = self._pending
        if pending.task is not None:
            pending.gave_up = told
        elif pending.result in ("none", "timeout"):
            contain(None, told)

    def waits_for(self, process: Process) -> None:
        """The reply has been put off until ``process`` is up or gone: cycles lead through it."""
        pending = self._pending
        pending.leads_to = process
        if pending.caller is not None and pending.task is not None:
            pending.caller.waiting_for = pending  # not yet, if the handler runs in its step
            break_cycle(pending.caller)

    def arm(self) -> None:
        """From now on letting go of it unanswered fails the caller."""
        self._armed = True

    def __del__(self) -> None:
        pending = self._pending
        server = pending.server
        if pending.task is None or not self._armed:
            return
        if server.ending or server.exiting is not None or server.status == "ended":
            return  # the caller hears of the server's end, which says more
        if threading.get_ident() == server.table.thread:
            pending.settle("dropped")
        else:  # the garbage collector ran in some worker thread
            server.table.token.run_sync_soon(pending.settle, "dropped")


class Request(Generic[R]):
    """A call as a plain process gets it from ``receive``; servers get ``handle_call`` instead."""

    __slots__ = ("message", "reply_to")

    def __init__(self, message: Call[R], reply_to: ReplyTo[R]) -> None:
        self.message = message
        self.reply_to = reply_to

    def __repr__(self) -> str:
        return f"Request({self.message!r})"


class StopServer(SystemCall[None], frozen=True):
    """End with ``reason`` when its turn comes; answered by the end itself."""

    __told_as__ = "stop()"  # in errors: its own name is nothing that anybody has written

    reason: ExitReason


@enable_ki_protection
def call_process(
    server: Process | None, target: object, request: Call[object], timeout: float
) -> Awaitable[object]:
    """Send a request; what it gives waits for what ends the call; see ``Ref.call``."""
    task = trio.lowlevel.current_task()
    if server is None or is_cancelled(task):  # who is cancelled hears of that, at the checkpoint
        return _refused(CallExit(NO_PROCESS, target, request))
    me = own_process(task)
    pending = PendingCall(server, target, request, me, task)
    try:
        if me is not None and (cycle := cycle_through(me, server)) is not None:
            raise CallCycle((*pids_of(cycle), me.pid), target, request)
        _enqueue(server, pending)
    except (CallCycle, MailboxFull) as error:
        return _refused(error)
    if timeout == 0:
        pending.task = None
        return _refused(CallTimeout(timeout, target, request))
    return wait_for_reply(pending, timeout)


@enable_ki_protection
async def _refused(error: Exception) -> NoReturn:
    """Let others run first: a loop that tries again must not freeze the program."""
    try:
        await trio.lowlevel.checkpoint()
        raise error
    finally:
        del error  # this frame is in its traceback: break the cycle


def own_process(task: Task) -> Process | None:
    """The process whose own task this is, which runs."""
    me = current_process_var.get(None)
    return me if me is not None and me.task is task else None


@enable_ki_protection
def wait_for_reply(pending: PendingCall, timeout: float) -> Awaitable[object]:
    """What waits for the end of a call that the server has got."""
    return _answered(pending, timeout) if pending.task is None else _wait(pending, timeout)


@enable_ki_protection
async def _answered(pending: PendingCall, timeout: float) -> object:
    """The answer came in the caller's own step."""
    if pending.caller is not None:
        pending.caller.waiting_for = None
    if pending.result == "none":
        await trio.lowlevel.checkpoint_if_cancelled()
    turn = pending.server.table.turn
    if turn is not None and turn.is_over(trio.lowlevel.current_task()):
        await trio.lowlevel.cancel_shielded_checkpoint()
    return pending.outcome(timeout)


@enable_ki_protection
async def _wait(pending: PendingCall, timeout: float) -> object:
    server, me = pending.server, pending.caller
    timeouts, calls = server.table.timeouts, server.pending
    deadline = timeouts.add(pending, timeout)
    calls[pending] = None
    if me is not None:
        me.waiting_for = pending
    pending.waits = True
    try:
        await sleep(pending.abort)
    finally:
        pending.task = None  # also where there was no room on the stack to sleep at all
        if me is not None:
            me.waiting_for = None
        calls.pop(pending, None)
        timeouts.discard(pending, deadline)
    return pending.outcome(timeout)


def _enqueue(server: Process, pending: PendingCall) -> None:
    if pending.droppable:
        server.post(pending)
        return
    if not server.body.is_server:
        raise TypeError(f"{server.pid!r} is no server and does not answer {pending.request!r}")
    server.check_thread()
    server.post_system(pending)


def refuse_calls_from_below(server: Process) -> None:
    """A supervisor has begun to stop what lives under it: their calls to it would wait for that."""
    for call in tuple(server.pending):
        assert isinstance(call, PendingCall)
        caller = call.caller
        if caller is not None and server in owners(caller):
            call.refuse_cycle((caller.pid, server.pid, caller.pid))
