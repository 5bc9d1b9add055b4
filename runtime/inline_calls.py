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
with a mailbox that is not empty. So does the next call after 64 without a switch, or after a
millisecond of them, so that others get their turn. It is sent as soon as any other: whoever asks
first is first.

What would change our mind: a Trio that switches tasks in less than a microsecond.
"""

from __future__ import annotations

import sys
import threading
from typing import Final

from trio.lowlevel import Task, current_task, enable_ki_protection

from runtime._trio import live_scope, return_to_scope
from runtime.callback_results import is_plain_reply
from runtime.containment import crash_of
from runtime.messages import Call
from runtime.pending_calls import PendingCall, ReplyTo, own_process
from runtime.process import Process
from runtime.user_code import call_method

QUEUED: Final = object()
"""The call has not been made: it must go by the mailbox."""


@enable_ki_protection
def call_inline(server: Process, target: object, request: Call[object]) -> object:
    """The reply; or ``QUEUED``; or the call, under way, to be waited for."""
    inlet, task, turn = server.inlet, current_task(), server.table.turn
    if inlet is None or turn is None or not _may_run_here(server, task):
        return QUEUED
    scope = live_scope(task)
    if scope is None:
        return QUEUED
    handler = inlet.plain_handler(request)
    if handler is None or not turn.goes_on(task):
        return QUEUED
    assert server.task is not None
    run = server.task.context.run
    name, wants_reply_to = handler
    server.handled += 1
    server.current = request
    server.lent = True
    try:
        if wants_reply_to:
            pending = PendingCall(server, target, request, own_process(task))
            reply_to: ReplyTo[object] = ReplyTo(pending)
            result, crash = crash_of(run, call_method, inlet.server, name, request, reply_to)
        else:
            result, crash = crash_of(run, call_method, inlet.server, name, request)
            if crash is None and live_scope(task) is scope and is_plain_reply(request, result):
                return result
            pending = PendingCall(server, target, request, own_process(task))
            reply_to = ReplyTo(pending)
        if return_to_scope(task, scope) and crash is None:
            crash = _scope_left_open(server, name)
        inlet.handed_over(pending, reply_to, result, crash)
    finally:
        server.lent = False
        crash = None  # this frame is behind those of its traceback: break the cycle
    return pending


def _may_run_here(server: Process, task: Task) -> bool:
    """Only if it sleeps; not from another thread, nor as a part of handling an exception.

    Nor where its context is entered already, as in a task that shares it.
    """
    return (
        server.parked
        and not server.lent
        and threading.get_ident() == server.table.thread
        and sys.exception() is None
        and server.task is not None
        and server.task.context is not task.context
    )


def _scope_left_open(server: Process, name: str) -> RuntimeError:
    return RuntimeError(
        f"{name} of {server.pid!r} left a cancel scope open in the task of its caller; "
        "with `inline = False` a server handles calls in a task of its own"
    )
