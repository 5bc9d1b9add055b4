"""Addresses of processes, and the call protocol.

One latch per call: ``PendingCall.task``. The reply, the server's end, the time-out and the
caller's cancellation each look whether it is still set, clear it, and only then wake the caller,
so exactly one of them happens, in whatever order they come, and a late reply has nowhere to go.
The caller is woken with nothing and reads the result from the latch, so tracebacks show ``call``.
"""

from __future__ import annotations

import math
import threading
from typing import Generic, Literal, TypeAlias, TypeVar, cast

import trio
from trio.lowlevel import Abort, Task, enable_ki_protection

from runtime.deadlines import Deadline
from runtime.errors import (
    CallCycle,
    CallExit,
    CallTimeout,
    ProcessNotFound,
    ReplyDropped,
)
from runtime.exits import NO_PROCESS, NORMAL, Crashed, ExitReason, check_reason
from runtime.messages import Call, Cast, Envelope, SystemCall
from runtime.outcomes import check_seconds
from runtime.pid import Pid
from runtime.process import (
    Address,
    Process,
    Target,
    current_process,
    current_table,
    find_process,
)
from runtime.process_table import check_name
from runtime.reply_types import admits_none

R = TypeVar("R")
R_contra = TypeVar("R_contra", contravariant=True)

DEFAULT_TIMEOUT = 5.0

_Result: TypeAlias = Literal["none", "reply", "error", "exit", "timeout", "dropped"]


class PendingCall(Envelope):
    """A call on its way: in the server's mailbox, in its hands, or put off by ``NoReply``."""

    __slots__ = ("deadline", "deferred", "request", "result", "server", "target", "task", "value",
                 "visible")  # fmt: skip

    def __init__(self, server: Process, target: object, request: Call[object]) -> None:
        self.server = server
        self.target = target
        self.request = request
        self.deferred = False  # the server has put the reply off and goes on working
        self.deadline: Deadline | None = None
        self.result: _Result = "none"
        self.value: object = None
        self.visible: Request[object] | None = None
        self.task: Task | None = trio.lowlevel.current_task()

    @property
    def droppable(self) -> bool:
        """A full mailbox may throw out users' calls, telling the caller, but no system call."""
        return not isinstance(self.request, SystemCall)

    @enable_ki_protection
    def settle(self, result: _Result, value: object = None) -> bool:
        """End the call this way, unless it has ended; whether it did."""
        task = self.task
        if task is None:
            return False
        self.server.check_thread()
        self.task = None
        self.result = result
        self.value = value
        trio.lowlevel.reschedule(task)
        return True

    def may_reply_none(self) -> bool:
        """Whether a handler may return ``None``: it replied before, or the type admits it."""
        return self.result != "none" or admits_none(type(self.request))

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
        self.task = None
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
                raise value
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
        """Give the caller its reply. Never blocks."""
        self._pending.settle("reply", value)

    def error(self, exc: Exception) -> None:
        """Raise ``exc`` in the caller; the server goes on."""
        if not isinstance(exc, Exception):
            raise TypeError(f"exc: got {exc!r}, allowed is an Exception")
        self._pending.settle("error", exc)

    @property
    def answered(self) -> bool:
        """Whether the call has ended: answered, timed out or given up."""
        return self._pending.task is None

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


class Ref(Address):
    """A handle of a process: call it, cast to it, send to it, stop it.

    ``ref(pid)`` stays with one incarnation; ``named("x")`` is looked up at each use, and so
    follows restarts.
    """

    __slots__ = ()

    def whereis(self) -> Pid | None:
        """The pid it leads to now; ``None`` if nobody is there."""
        process = self.find()
        return None if process is None else process.pid

    @property
    def pid(self) -> Pid:
        """The pid it leads to; ``ProcessNotFound`` if nobody is there."""
        pid = self.whereis()
        if pid is None:
            raise ProcessNotFound(self)
        return pid

    async def call(self, request: Call[R], *, timeout: float = DEFAULT_TIMEOUT) -> R:  # noqa: ASYNC109
        """Send a request and wait for its reply. OTP: ``GenServer.call``.

        Ends in exactly one of: the reply; ``CallExit`` as soon as the server ends, or at once when
        nobody is there; ``CallTimeout`` after ``timeout`` seconds, the wait in the queue included
        (``math.inf`` for none); ``CallCycle`` at once when the call would wait for itself;
        ``MailboxFull``; what ``reply_to.error`` gave. Cancelling gives up the wait: the server
        still handles the request, and its reply is dropped.
        """
        if not isinstance(request, Call):
            raise TypeError(f"request: got {request!r}, allowed is an instance of a Call subclass")
        check_seconds("timeout", timeout)
        return cast("R", await _call(self.find(), self, request, timeout))

    def cast(self, message: Cast) -> None:
        """Send a request that has no reply; never blocks. OTP: ``GenServer.cast``.

        If nobody is there it vanishes. Raises only ``MailboxFull``, under the policy ``raise``.
        """
        if not isinstance(message, Cast):
            raise TypeError(
                f"message: got {message!r}, allowed is an instance of a Cast subclass; "
                "other messages go by send"
            )
        process = self.find()
        if process is not None:
            process.post(message)

    def send(self, message: object) -> None:
        """Send any message; never blocks. OTP: ``send``.

        To a dead pid it vanishes; by a name nobody holds it raises ``ProcessNotFound``.
        """
        _check_sendable(message)
        process = self.find()
        if process is not None:
            process.post(message)

    async def stop(self, reason: ExitReason = NORMAL, *, timeout: float = math.inf) -> None:  # noqa: ASYNC109
        """Ask a server to end after the messages it has, and wait until it is gone.

        OTP: ``GenServer.stop``. ``CallExit`` if it ended with another reason, or was not there;
        ``CallTimeout`` after ``timeout`` seconds, and it still ends. A process that is no server
        gets an exit signal. Cancelling gives up the wait; the request stands.
        """
        check_reason("reason", reason)
        check_seconds("timeout", timeout)
        process = self.find()
        if process is None:
            await trio.lowlevel.checkpoint()
            raise CallExit(NO_PROCESS, self, StopServer(reason))
        ended: ExitReason = None
        try:
            if process.body.is_server:
                await _call(process, self, StopServer(reason), timeout)
            else:
                process.accept_exit(reason)
                with trio.fail_after(timeout):
                    ended = await process.wait_ended()
        except CallExit as exc:
            ended = exc.reason
        except trio.TooSlowError:
            raise CallTimeout(timeout, self, StopServer(reason)) from None
        if ended != reason:
            cause = ended.exception if isinstance(ended, Crashed) else None
            raise CallExit(ended, self, StopServer(reason)) from cause


class StopServer(SystemCall[None], frozen=True):
    """End with ``reason`` when its turn comes; answered by the end itself."""

    reason: ExitReason


class PidRef(Ref):
    """The handle of one incarnation."""

    __slots__ = ("_pid", "_process")

    def __init__(self, process: Process) -> None:
        self._pid = process.pid
        self._process: Process | None = process

    def find(self) -> Process | None:
        """The process, while it lives."""
        process = self._process
        if process is not None and process.status == "ended":
            self._process = process = None
        return process

    @property
    def pid(self) -> Pid:
        """Its pid, dead or alive."""
        return self._pid

    def __repr__(self) -> str:
        return f"ref({self._pid!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PidRef) and other._pid is self._pid

    def __hash__(self) -> int:
        return hash(self._pid)


class DeadRef(Ref):
    """The handle of a pid that was dead when the handle was made."""

    __slots__ = ("_pid",)

    def __init__(self, pid: Pid) -> None:
        self._pid = pid

    def find(self) -> Process | None:
        """Nobody."""
        return None

    @property
    def pid(self) -> Pid:
        """Its pid."""
        return self._pid

    def __repr__(self) -> str:
        return f"ref({self._pid!r})"


class NamedRef(Ref):
    """The handle of whoever holds a name at the time of use."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = check_name("name", name)

    def find(self) -> Process | None:
        """The holder of the name."""
        return current_table().by_name.get(self.name)

    def send(self, message: object) -> None:
        """Send any message; ``ProcessNotFound`` if nobody holds the name."""
        _check_sendable(message)
        process = self.find()
        if process is None:
            raise ProcessNotFound(self)
        process.post(message)

    def __repr__(self) -> str:
        return f"named({self.name!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NamedRef) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)


def named(name: str) -> Ref:
    """A handle by name, looked up at each use, so that it follows restarts."""
    return NamedRef(name)


def ref(pid: Pid) -> Ref:
    """A handle of the process a pid names, from a ``Down`` or a list of children, say."""
    if not isinstance(pid, Pid):
        raise TypeError(f"pid: got {pid!r}, allowed is a Pid")
    process = find_process(pid)
    return DeadRef(pid) if process is None else PidRef(process)


def send(target: Target, message: object) -> None:
    """Send any message to a pid or a handle; never blocks. OTP: ``send``."""
    if isinstance(target, Ref):
        target.send(message)
        return
    _check_sendable(message)
    process = find_process(target)
    if process is not None:
        process.post(message)


def _check_sendable(message: object) -> None:
    if isinstance(message, Call):
        raise TypeError(f"message: got {message!r}, a Call needs an answer: await ref.call(...)")


@enable_ki_protection
async def _call(
    server: Process | None, target: object, request: Call[object], timeout: float
) -> object:  # noqa: ASYNC109
    await trio.lowlevel.checkpoint_if_cancelled()
    if server is None:
        await trio.lowlevel.checkpoint()  # a retry loop must not freeze the program
        raise CallExit(NO_PROCESS, target, request)
    me = current_process()
    if me is not None and me.task is trio.lowlevel.current_task():
        _refuse_cycle(me, server, target, request)
    else:
        me = None
    pending = PendingCall(server, target, request)
    _enqueue(server, pending)
    server.pending[pending] = None
    deadlines = server.table.deadlines
    if timeout != math.inf:
        pending.deadline = deadlines.schedule(trio.current_time() + timeout, pending.time_out)
    if me is not None:
        me.waiting_for = pending
    try:
        await trio.lowlevel.wait_task_rescheduled(pending.abort)
    finally:
        if me is not None:
            me.waiting_for = None
        server.pending.pop(pending, None)
        if pending.deadline is not None:
            deadlines.cancel(pending.deadline)
    return pending.outcome(timeout)


def _enqueue(server: Process, pending: PendingCall) -> None:
    if not isinstance(pending.request, SystemCall):
        server.post(pending)
        return
    if not server.body.is_server:
        raise TypeError(f"{server.pid!r} is no server and does not answer {pending.request!r}")
    server.check_thread()
    server.post_system(pending)


def _refuse_cycle(me: Process, server: Process, target: object, request: object) -> None:
    """Follow who waits for whom. An edge whose reply was put off is none: its server works on."""
    path = [me]
    at = server
    while at is not me:
        edge = at.waiting_for
        if edge is None or edge.deferred or at in path:
            return
        path.append(at)
        at = edge.server
    raise CallCycle((*(process.pid for process in path), me.pid), target, request)
