"""Run-to-completion dispatch: a call whose handler runs at once, in the caller's own step.

The choice: when a call reaches a server that sleeps in its empty mailbox and whose handler is a
plain ``def``, the caller's task runs the handler, in the server's context and under its identity,
instead of waking the server, sleeping, and being woken. That is the schedule in which the server
ran next, so order, ``self_()``, context variables, crash isolation and counters are the same; it
costs a tenth of two task switches. Whatever is not a plain reply (a raise, a coroutine, ``Stop``,
``NoReply``) is handed over to the server's own task, which goes on from there, and the caller waits
as for any other call.

What can be told apart: ``trio.lowlevel.current_task()`` in the handler is the caller's, so a server
whose ``def`` handlers use what belongs to a task, such as ``trio.Lock``, says ``inline = False``. A
scope that such a handler leaves open is taken off the caller and is a crash of the server.
And the handler stands on the caller's stack: one that is a thousand frames deep leaves it no room.
Between a raise or ``Stop`` and what follows from it others may run, as they always may before an
``async def terminate``.

While its handler runs the server is ``lent``: a cancellation of its task (it exits itself, it
cancels a nursery that it entered) wakes it up instead of being raised where it sleeps, and is
raised at its next checkpoint. A handler may cancel its caller too: then nothing is returned, as
nothing reaches a caller that was cancelled while it waited.

Not inline, but by the mailbox as ever: a call made while an exception is handled (it would become
the context of the handler's own), by a task that is cancelled, and to a server with an idle time or
with a mailbox that is not empty. Who has made 256 calls without a switch, or spent a millisecond on
them, lets others run before it gets its reply.

What would change our mind: a Trio that switches tasks in less than a microsecond.
"""

from __future__ import annotations

import sys
from threading import get_ident
from typing import Any, Final, Generic, TypeVar

from trio.lowlevel import current_task, enable_ki_protection

from runtime._trio import live_scope, return_to_scope, within
from runtime.containment import crash_in
from runtime.messages import Call
from runtime.pending_calls import PendingCall, ReplyTo, own_process
from runtime.process import Process
from runtime.turn import Turn
from runtime.user_code import call_method

R = TypeVar("R")


class Later:
    """Not the reply, but what is left to do for it: one of the three below."""

    __slots__ = ()


class Queued(Later):
    """The call has not been made: it must go by the mailbox."""


class Waiting(Later):
    """The call is under way, and must be waited for."""

    __slots__ = ("pending",)

    def __init__(self, pending: PendingCall) -> None:
        self.pending = pending


class Yielding(Later, Generic[R]):
    """The reply is there, but it is time for others first."""

    __slots__ = ("reply",)

    def __init__(self, reply: R) -> None:
        self.reply = reply


QUEUED: Final = Queued()


@enable_ki_protection
def call_inline(
    server: Process, target: object, request: Call[R], turn: Turn | None
) -> R | Yielding[R] | Later:
    """The reply, or what is left to do for it: a ``Later``. Without a turn it is ``QUEUED``."""
    inlet = server.inlet
    if turn is None or inlet is None or not server.parked or server.lent:
        return QUEUED
    if get_ident() != server.table.thread:
        return QUEUED
    callee = inlet.callee
    handler = callee._call_handler_of(request)
    if handler is None or not (handler.plain and callee.inline) or sys.exception() is not None:
        return QUEUED
    home, task = server.task, current_task()
    scope = live_scope(task)
    if scope is None or home is None or home.context is task.context:
        return QUEUED
    pending: PendingCall | None = None
    reply_to: ReplyTo[object] | None = None
    if handler.wants_reply_to:
        pending = PendingCall(server, target, request, own_process(task), task)
        reply_to = ReplyTo(pending)
    server.handled += 1
    server.current = request
    server.lent = True
    try:
        result: Any
        result, crash = crash_in(home.context, call_method, callee, handler.name, request, reply_to)
        if (
            crash is None
            and pending is None
            and live_scope(task) is scope
            and (type(result) is handler.reply_kind or handler.has_replied(request, result))
        ):
            return Yielding(result) if turn.is_over(task) else result
        caller = own_process(task)  # which the handler may have told to exit
        if caller is not None:
            scope = within(scope, caller.scope)
        if return_to_scope(task, scope) and crash is None:
            crash = _scope_left_open(server, handler.name)
        if pending is None:
            pending = PendingCall(server, target, request, own_process(task), task)
            reply_to = ReplyTo(pending)
        inlet.handed_over(pending, reply_to, result, crash)
    finally:
        server.lent = False
        crash = None  # this frame is behind those of its traceback: break the cycle
    return Waiting(pending)


def _scope_left_open(server: Process, name: str) -> RuntimeError:
    return RuntimeError(
        f"{name} of {server.pid!r} left a cancel scope open in the task of its caller; "
        "with `inline = False` a server handles calls in a task of its own"
    )
