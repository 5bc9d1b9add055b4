"""Handles of processes: by pid and by name, and what can be done with one."""

from __future__ import annotations

import math
from functools import partial
from typing import TypeVar, cast

import trio

from runtime.crash_reasons import same_reason
from runtime.current import Address, Target, current_table, find_process
from runtime.errors import CallExit, CallTimeout, ProcessNotFound
from runtime.exits import NO_PROCESS, NORMAL, Crashed, ExitReason, check_reason
from runtime.inline_calls import QUEUED, Later, Waiting, Yielding, call_inline
from runtime.messages import Call, Cast, check_sendable, is_call_class
from runtime.outcomes import check_seconds
from runtime.pending_calls import StopServer, call_process, wait_for_reply
from runtime.pid import Pid
from runtime.process import Process
from runtime.process_table import check_name
from runtime.telemetry.told_calls import tell_of_call
from runtime.timeouts import DEFAULT_TIMEOUT
from runtime.waiting import wait_ended

R = TypeVar("R")


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

    async def call(self, request: Call[R], *, timeout: float = DEFAULT_TIMEOUT) -> R:
        """Send a request and wait for its reply. OTP: ``GenServer.call``.

        Ends in exactly one of: the reply; ``CallExit`` as soon as the server ends, or at once when
        nobody is there; ``CallTimeout`` after ``timeout`` seconds, the wait in the queue included
        (``math.inf`` for none); ``CallCycle`` at once when the call would wait for itself;
        ``MailboxFull``; what ``reply_to.error`` gave. Cancelling gives up the wait: the server
        still handles the request, and its reply is dropped.
        """
        if timeout is not DEFAULT_TIMEOUT:
            check_seconds("timeout", timeout)
        process = self.find()
        if (
            process is not None
            and process.inlet is not None
            and (timeout is DEFAULT_TIMEOUT or timeout > 0)
        ):
            reply = call_inline(process, self, request, process.table.quiet_turn)
            if not isinstance(reply, Later):
                return reply
            if reply is not QUEUED:
                return cast("R", await _rest_of(reply, timeout))
        if not isinstance(request, Call):
            raise TypeError(
                f"request: got {_kind(request)}, allowed is an instance of a Call subclass"
            )
        if process is None or process.table.tells_calls:
            make = partial(self._make_call, process, request, timeout)
            return cast("R", await tell_of_call(process, request, make))
        return cast("R", await call_process(process, self, request, timeout))

    async def _make_call(self, process: Process | None, request: Call[R], timeout: float) -> object:
        """The same for a call that is told of; those that are not go no way round."""
        if process is not None and process.inlet is not None and timeout > 0:
            reply = call_inline(process, self, request, process.table.turn)
            if not isinstance(reply, Later):
                return reply
            if reply is not QUEUED:
                return await _rest_of(reply, timeout)
        return await call_process(process, self, request, timeout)

    def cast(self, message: Cast) -> None:
        """Send a request that has no reply; never blocks. OTP: ``GenServer.cast``.

        If nobody is there it vanishes. Raises only ``MailboxFull``, under the policy ``raise``, and
        ``TypeError`` for what is no cast, or by way of what is no directory.
        """
        if not isinstance(message, Cast):
            raise TypeError(
                f"message: got {_kind(message)}, allowed is an instance of a Cast subclass; "
                "other messages go by send"
            )
        process = self.find()
        if process is not None:
            process.post(message)

    def send(self, message: object) -> None:
        """Send any message; never blocks. OTP: ``send``.

        To a dead pid it vanishes; by a name nobody holds it raises ``ProcessNotFound``.
        """
        check_sendable(message)
        process = self.find()
        if process is not None:
            process.post(message)
        elif self.incarnation is None:
            raise ProcessNotFound(self)

    async def stop(self, reason: ExitReason = NORMAL, *, timeout: float = math.inf) -> None:
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
                await call_process(process, self, StopServer(reason), timeout)
            else:
                process.check_thread()
                process.accept_exit(reason)
                with trio.fail_after(timeout):
                    ended = await wait_ended(process)
        except CallExit as exc:
            ended = exc.reason
        except trio.TooSlowError:
            raise CallTimeout(timeout, self, StopServer(reason)) from None
        if not same_reason(ended, reason):
            cause = ended.exception if isinstance(ended, Crashed) else None
            raise CallExit(ended, self, StopServer(reason)) from cause


async def _rest_of(reply: Later, timeout: float) -> object:
    """The reply of a call that has run at once, but for this."""
    if isinstance(reply, Yielding):
        await trio.lowlevel.cancel_shielded_checkpoint()
        return cast("Yielding[object]", reply).reply
    assert isinstance(reply, Waiting)
    return await wait_for_reply(reply.pending, timeout)


class PidRef(Ref):
    """The handle of one incarnation, dead or alive."""

    __slots__ = ("_pid", "_process")

    def __init__(self, pid: Pid, process: Process | None) -> None:
        self._pid = pid
        self._process = process

    @property
    def incarnation(self) -> Pid | None:
        """Its pid."""
        return self._pid

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


class NamedRef(Ref):
    """The handle of whoever holds a name at the time of use."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = check_name("name", name)

    @property
    def name(self) -> str:
        """The name."""
        return self._name

    @property
    def incarnation(self) -> Pid | None:
        """None: whoever holds the name."""
        return None

    def find(self) -> Process | None:
        """The holder of the name."""
        return current_table().by_name.get(self._name)

    def __repr__(self) -> str:
        return f"named({self._name!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NamedRef) and other._name == self._name

    def __hash__(self) -> int:
        return hash(self._name)


def named(name: str) -> Ref:
    """A handle by name, looked up at each use, so that it follows restarts."""
    return NamedRef(name)


def ref(pid: Pid) -> Ref:
    """A handle of the process a pid names, from a ``Down`` or a list of children, say."""
    if not isinstance(pid, Pid):
        raise TypeError(f"pid: got {pid!r}, allowed is a Pid")
    return PidRef(pid, find_process(pid))


def send(target: Target, message: object) -> None:
    """Send any message to a pid or a handle; never blocks. OTP: ``send``."""
    if isinstance(target, Ref):
        target.send(message)
        return
    check_sendable(message)
    process = find_process(target)
    if process is not None:
        process.post(message)


def _kind(message: object) -> str:
    """What was given, by its class: its fields may be nobody else's business."""
    if isinstance(message, type):
        return f"the class {message.__name__}, not an instance: {message.__name__}()"
    name = type(message).__name__
    if isinstance(message, Cast):
        return f"{name}, a Cast, for ref.cast"
    return f"{name}, a Call, for await ref.call" if is_call_class(type(message)) else name
