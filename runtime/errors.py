"""What a caller can catch, by whose fault it is.

``CallError`` and below: a call did not get its reply. ``StartError`` and below: nothing was
started. The rest: the program is wrong (a bad callback, the wrong place to call from).
"""

from __future__ import annotations

from runtime.containment import short_repr
from runtime.exits import ExitReason, NoProcess, check_reason
from runtime.pid import Pid


def _call(request: object, target: object) -> str:
    """A request is named by its class: its fields may be nobody else's business."""
    name = getattr(type(request), "__told_as__", type(request).__name__)
    return f"{name} to {short_repr(target)}"


class CallError(Exception):
    """A call ended without a reply. ``target`` was called with ``request``."""

    def __init__(self, message: str, target: object, request: object) -> None:
        super().__init__(message)
        self.target = target
        self.request = request


class CallExit(CallError):
    """The server ended, or was not there, before it replied. OTP: ``exit({reason, call_info})``.

    ``reason`` says why; if the server crashed, its exception is the ``__cause__``. You do not get
    it for a server that is only slow (``CallTimeout``).
    """

    def __init__(self, reason: ExitReason, target: object, request: object) -> None:
        what = f"the server ended: {short_repr(reason)}"
        if isinstance(reason, NoProcess):
            what = (
                "there is no such process now: not started, being restarted, or a slip in the name"
                if getattr(target, "incarnation", None) is None
                else "it has ended; a handle by name follows restarts"
            )
        super().__init__(f"{_call(request, target)}: {what}", target, request)
        self.reason = reason


class CallTimeout(CallError, TimeoutError):
    """No reply within ``timeout`` seconds, the wait in the queue included.

    The server is not disturbed and may still do the work; its late reply is dropped.
    """

    def __init__(self, timeout: float, target: object, request: object) -> None:
        super().__init__(
            f"{_call(request, target)}: no reply within {timeout:g} s",
            target,
            request,
        )
        self.timeout = timeout


class CallCycle(CallError):
    """The call would wait for itself, so it was refused at once. OTP: ``calling_self``, or a hang.

    ``cycle`` lists the processes, from the caller round to the caller.
    """

    def __init__(self, cycle: tuple[Pid, ...], target: object, request: object) -> None:
        path = " -> ".join(map(repr, cycle))
        super().__init__(
            f"{_call(request, target)} would wait for itself: {path}",
            target,
            request,
        )
        self.cycle = cycle


class ReplyDropped(CallError):
    """The server let go of the ``ReplyTo`` without answering; no reply can ever come."""

    def __init__(self, target: object, request: object) -> None:
        super().__init__(
            f"{_call(request, target)}: the server dropped reply_to unanswered",
            target,
            request,
        )


class TaskExit(Exception):
    """A task ended without a value. OTP: what ``Task.await`` exits with.

    ``reason`` says why; if the task crashed, its exception is the ``__cause__``. You do not get it
    for a task that is only slow (``TaskTimeout``).
    """

    def __init__(self, task: object, reason: ExitReason) -> None:
        super().__init__(f"{short_repr(task)} ended: {short_repr(reason)}")
        self.task = task
        self.reason = reason


class TaskTimeout(TimeoutError):
    """A task had no result within ``timeout`` seconds.

    It goes on, unless its owner ends over it; one of a stream is killed as the block is left.
    """

    def __init__(self, task: object, timeout: float) -> None:
        super().__init__(f"{short_repr(task)}: no result within {timeout:g} s")
        self.task = task
        self.timeout = timeout


class StartError(Exception):
    """Nothing was started; nothing is left behind."""


class StartFailed(StartError):
    """The process ended before it was up; ``reason`` says why. OTP: ``{:error, reason}``.

    If its ``init`` raised, that exception is the ``__cause__``.
    """

    def __init__(self, what: object, reason: ExitReason) -> None:
        super().__init__(f"{what} did not start: {short_repr(reason)}")
        self.reason = reason


class StartTimeout(StartError, TimeoutError):
    """``init`` took longer than the start's ``timeout``; the process was killed."""

    def __init__(self, what: object, timeout: float) -> None:
        super().__init__(f"{what} was not up within {timeout:g} s and was killed")
        self.timeout = timeout


class Ignored(StartError):
    """``init`` returned ``Ignore()``: nothing runs, and that is no failure. OTP: ``:ignore``."""


class AlreadyStarted(StartError):
    """The name, or the child's id, is that of a live process, ``pid``; ``init`` did not run."""

    def __init__(self, name: str, pid: Pid, *, child_id: bool = False) -> None:
        taken = f"the id {name!r} is that of {pid!r}: give another with .replace(id=...)"
        super().__init__(taken if child_id else f"name {name!r} is held by {pid!r}")
        self.name = name
        self.pid = pid


class NameTaken(ValueError):
    """``register``: the name is held by ``pid``, or the process has the name ``name`` already.

    ``Table``: the name is that of another table, whose owner is ``pid``.
    """

    def __init__(self, message: str, name: str, pid: Pid) -> None:
        super().__init__(message)
        self.name = name
        self.pid = pid


class ProcessNotFound(LookupError):
    """There is no such process. OTP: ``noproc`` and its argument errors.

    Raised by ``send`` by name, ``unregister``, ``link`` of a process that does not trap exits, and
    what reads a registry, a bus or a partition supervisor that is not running. You do not get it
    for ``cast``, or ``send`` to a pid: those vanish. A call gets ``CallExit``.
    """

    def __init__(self, target: object) -> None:
        super().__init__(f"there is no process {short_repr(target)}")
        self.target = target


class MailboxFull(Exception):
    """The receiver's mailbox is at its limit and its policy does not take the message.

    ``cast`` and ``send`` raise it only under the policy ``raise``; a call gets it under every
    policy, because a call is never dropped silently.
    """

    def __init__(self, pid: Pid, limit: int) -> None:
        super().__init__(f"the mailbox of {pid!r} holds its limit of {limit} messages")
        self.pid = pid
        self.limit = limit


class ReceiveTimeout(TimeoutError):
    """``receive`` found no match in time; what was there is still there."""


class UnhandledMessage(Exception):
    """No handler takes this call or cast, so the server crashed. OTP: a function clause error.

    Supervisors, pools, registries and limiters live on, as does every server that is asked by the
    handle of another kind: to their callers it is the slip it is.
    """


class BadResult(TypeError):
    """A callback returned what it may not. OTP: ``bad_return_value``. ``value`` is what it was."""

    def __init__(self, message: str, value: object) -> None:
        super().__init__(message)
        self.value = value


class OutsideProcess(RuntimeError):
    """Only a process can do this: it needs a mailbox or an identity."""


class NoNode(RuntimeError):
    """There is no node here: not inside ``open_node``/``open_supervisor``, or not in its thread."""


class ProcessExit(BaseException):
    """Raise it in a process to end it with ``reason``. OTP: ``exit(reason)``.

    Like ``SystemExit`` it is no ``Exception``, so ``except Exception`` lets it through; who wants
    to catch it by name may, and the process lives on.
    """

    def __init__(self, reason: ExitReason) -> None:
        check_reason("reason", reason)
        super().__init__(reason)
        self.reason = reason
