"""A start whose ``init`` runs at once, in the starter's own step; for calls see ``inline_calls``.

The choice: Trio calls what is to be a task once, in the context that the task will have, to get
its coroutine. There a ``def init`` can run as well, under the identity of the new process and
before its task exists. That is the schedule in which the task ran next, and it saves the starter
the wait for it: two switches of tasks, which cost more than all the rest. Whatever is not a plain
success (a raise, a coroutine, ``Stop``, ``Ignore``) is left to the first step of the server's own
task, and the starter waits as for any other start.

What can be told apart is what can be in ``inline_calls``: ``init`` runs in the task of the starter
and on its stack, and a scope that it leaves open is a crash. ``inline = False`` says that this is
not wanted. Not at once, but in the first step of the new task as ever: a start while an exception
is handled, by a task that is cancelled or deep in its stack, or when others are to have a turn.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from inspect import CO_COROUTINE
from types import FunctionType

from trio.lowlevel import Task, current_task

from runtime._trio import live_scope, return_to_scope, within
from runtime.containment import crash_of
from runtime.process import Process, current_process_var
from runtime.stack_room import has_room


def has_plain_init(cls: object) -> bool:
    """Whether this is a class of servers whose ``init`` may run in the task of the starter."""
    if not isinstance(cls, type) or not getattr(cls, "inline", False):
        return False
    init: object = getattr(cls, "init", None)
    return type(init) is FunctionType and not init.__code__.co_flags & CO_COROUTINE


def run_at_once(
    process: Process, init: Callable[[], None], crashed: Callable[[BaseException], None]
) -> None:
    """Run ``init``, if it may run here; ``crashed`` is told what it raised, for another task."""
    task, turn = current_task(), process.table.turn
    if turn is None or sys.exception() is not None or not has_room():
        return
    scope = live_scope(task)
    if scope is None or turn.is_over(task):
        return
    for has_crashed in _apart(init, crashed):
        if return_to_scope(task, _home_of(task, scope)) and not has_crashed:
            crashed(_scope_left_open(process))


def _home_of(task: Task, scope: object) -> object:
    """Where the starter was, or the scope that ``init`` put there when it told it to exit."""
    starter = task.context.get(current_process_var)
    return scope if starter is None or starter.task is not task else within(scope, starter.scope)


def _apart(init: Callable[[], None], crashed: Callable[[BaseException], None]) -> Iterator[bool]:
    """Run ``init``. In a generator, or the frames of the starter would hang on the traceback."""
    _, crash = crash_of(init)
    has_crashed = crash is not None
    if crash is not None:
        crashed(crash)
        crash = None  # this frame is behind those of its traceback: break the cycle
    yield has_crashed


def _scope_left_open(process: Process) -> RuntimeError:
    return RuntimeError(
        f"init of {process.pid!r} left a cancel scope open in the task of its starter; "
        "with `inline = False` it runs in a task of its own"
    )
