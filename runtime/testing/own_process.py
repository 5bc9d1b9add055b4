"""A test that is a process itself: it has a mailbox, can link, monitor and trap exits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextlib import contextmanager
from contextvars import copy_context
from functools import partial, wraps
from typing import Any, ParamSpec, TypeVar, overload

from trio.lowlevel import enable_ki_protection

from runtime.containment import short_repr
from runtime.current import require_process
from runtime.exits import SHUTDOWN, Crashed, is_abnormal
from runtime.instruments import Event, Instrument, ProcessEnded
from runtime.pid import Pid
from runtime.process import Process, current_process_var
from runtime.signals import trap_exits
from runtime.spawning import (
    FunctionBody,
    check_arguments,
    check_async_function,
    function_name,
    spawn_process,
)
from runtime.testing.nodes import table_of_test
from runtime.waiting import wait_ended

P = ParamSpec("P")
T = TypeVar("T")


@enable_ki_protection
async def run_as_process(fn: Callable[..., Awaitable[T]], *args: object, trap: bool = False) -> T:
    """Run ``fn(*args)`` as a process of the node; return what it returns, raise what it raises.

    ``trap`` says whether it traps exits. It sees the context variables of the caller. When it is
    done it ends with ``Shutdown()``, and what is linked to it ends too. ``AssertionError`` if it
    ends otherwise, by an exit signal say; if what is linked to it has crashed, that exception is
    raised. Cancelling ends it, whether it traps exits or not, and is delivered when it has ended.
    """
    __tracebackhide__ = True
    if not callable(fn):
        raise TypeError(f"fn: got {fn!r}, allowed is an async function, not called")
    check_arguments(function_name(fn), fn, args, {}, task_status=False)
    _check_trap(trap)
    callers = copy_context()
    results: list[T] = []

    async def test() -> None:
        for variable, value in callers.items():
            if variable is not current_process_var:
                variable.set(value)
        trap_exits(trap)
        results.append(await fn(*args))
        require_process("a test").accept_exit(SHUTDOWN)

    table = table_of_test()
    process = spawn_process(table, FunctionBody(test), label=function_name(fn))
    with _noting_who_ends(process) as ended_by:
        reason = await wait_ended(process, on_cancel=partial(process.accept_exit, SHUTDOWN))
    by = "".join(map(_by_link, ended_by))
    if isinstance(reason, Crashed):
        if by:
            reason.exception.add_note(f"the test's process was ended{by}")
        raise reason.exception
    if not results:
        raise AssertionError(f"the test's process was ended{by}: {short_repr(reason)}")
    return results[0]


@contextmanager
def _noting_who_ends(process: Process) -> Generator[list[Pid]]:
    """Whose end comes over a link and ends ``process`` too: none, or one."""
    ended_by: list[Pid] = []

    def note(event: Event) -> None:
        assert isinstance(event, ProcessEnded)
        linked = any(other.pid is event.pid for other in process.links.linked())
        unheard = process.trap == "no" and process.exiting is None
        if linked and unheard and is_abnormal(event.reason):
            ended_by.append(event.pid)

    instrument = Instrument(note, (ProcessEnded,))
    process.table.instruments.add(instrument)
    try:
        yield ended_by
    finally:
        process.table.instruments.remove(instrument)


def _by_link(other: Pid) -> str:
    hint = "with @as_process(trap=True) it is told instead"
    return f" by the end of {other!r}, to which it is linked ({hint})"


Test = Callable[P, Coroutine[Any, Any, T]]


@overload
def as_process(fn: Test[P, T]) -> Test[P, T]: ...
@overload
def as_process(*, trap: bool = ...) -> Callable[[Test[P, T]], Test[P, T]]: ...


def as_process(
    fn: Test[P, T] | None = None, *, trap: bool = False
) -> Test[P, T] | Callable[[Test[P, T]], Test[P, T]]:
    """Let the decorated async test run as a process of its node: ``@as_process``.

    What needs a process works in it then: ``self_()``, ``assert_receive``, ``monitor``,
    ``start_link``. With ``@as_process(trap=True)`` it traps exits. Its fixtures stay the same, and
    one of them must open the node: ``node`` or ``start_supervised``. What is linked to it ends with
    it. In Elixir every test is one.
    """
    _check_trap(trap)
    if isinstance(fn, bool):
        raise TypeError(f"as_process: got {fn!r}, allowed is @as_process(trap={fn!r})")
    if fn is None:
        return partial(_as_process, trap)
    return _as_process(trap, fn)


def _as_process(trap: bool, fn: Test[P, T]) -> Test[P, T]:
    check_async_function("fn", fn)

    @wraps(fn)
    async def test(*args: P.args, **kwargs: P.kwargs) -> T:
        return await run_as_process(partial(fn, *args, **kwargs), trap=trap)

    return test


def _check_trap(trap: object) -> None:
    if not isinstance(trap, bool):
        raise TypeError(f"trap: got {trap!r}, allowed are True and False")
