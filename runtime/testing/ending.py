"""Ends: make a process crash, and say why one must have ended."""

from __future__ import annotations

from collections.abc import Callable

import trio

from runtime.calls import Ref, ref
from runtime.containment import short_repr
from runtime.current import Target, find_process, incarnation
from runtime.exits import Crashed, ExitReason
from runtime.outcomes import check_seconds
from runtime.pid import Pid
from runtime.testing.deaths import known_deaths
from runtime.testing.nodes import table_of_test
from runtime.testing.patterns import Pattern, classes_of, describe, predicate_of
from runtime.timeouts import DEFAULT_TIMEOUT
from runtime.waiting import wait_ended


class CrashedByTest(Exception):
    """What a process crashes with when ``crash`` is given no exception of its own."""


async def crash(
    target: Target, exception: Exception | None = None, *, timeout: float = DEFAULT_TIMEOUT
) -> None:
    """Let a process end as if ``exception`` had been raised in it; returns when it is dead.

    A server first handles what is in its mailbox, and its ``terminate`` runs: to its links, its
    monitors and its supervisor it is a crash like any other. A process that is no server is
    interrupted where it waits. Works whether it traps exits or not; ``kill`` is the harder way.

    ``CallExit`` if there is no such process or it ended with another reason, ``CallTimeout`` after
    ``timeout`` seconds. Cancelling gives up the wait; it crashes all the same.
    """
    if not (exception is None or isinstance(exception, Exception)):
        raise TypeError(
            f"exception: got {exception!r}, allowed are an instance of Exception and None"
        )
    if not isinstance(target, Pid | Ref):
        raise TypeError(f"target: got {target!r}, allowed are a Pid and a Ref such as named('x')")
    table_of_test()
    handle = ref(target) if isinstance(target, Pid) else target
    await handle.stop(Crashed(exception or CrashedByTest("crashed by the test")), timeout=timeout)


async def assert_down(
    target: Target, reason: Pattern = object, *, timeout: float = 1.0
) -> ExitReason:
    """Wait until a process is dead, assert that it died of ``reason``, and return why it did.

    ``reason`` is a class such as ``Killed`` or ``Crashed``, several of them, a value such as
    ``Shutdown("bye")``, or a predicate. A class of exceptions, ``ValueError``, means that it
    crashed with one. Works in any task of the node. Of a process that was dead before, the reason
    is known with the ``node`` fixture or within ``remember_deaths``. Fails after ``timeout``
    seconds. Cancelling gives up the wait. ExUnit: ``assert_receive {:DOWN, ...}``.
    """
    __tracebackhide__ = True
    expected = _expected(reason)
    check_seconds("timeout", timeout)
    ended = await _reason_of(target, timeout)
    if not expected(ended):
        wanted, got = describe(reason), short_repr(ended)
        another = "another " if got == wanted else ""
        raise AssertionError(f"{target!r} was to end with {wanted}, but ended with {another}{got}")
    return ended


def _expected(reason: Pattern) -> Callable[[object], bool]:
    """Like any pattern, but that a class stands for a crash with one as well."""
    if isinstance(reason, BaseException):
        name = type(reason).__name__
        raise TypeError(f"reason: got {reason!r}, allowed is the class of an exception: {name}")
    classes = classes_of("reason", reason)
    if not classes:
        return predicate_of(reason, "reason")
    return lambda ended: (
        isinstance(ended, classes)
        or (isinstance(ended, Crashed) and isinstance(ended.exception, classes))
    )


async def _reason_of(target: Target, timeout: float) -> ExitReason:
    __tracebackhide__ = True
    table_of_test()
    process = find_process(target)
    if process is None:
        await trio.lowlevel.checkpoint()  # a loop round it must not freeze the program
        return _reason_of_dead(target)
    with trio.move_on_after(timeout):
        return await wait_ended(process)
    raise AssertionError(f"{target!r} is still alive after {timeout:g} s")


def _reason_of_dead(target: Target) -> ExitReason:
    __tracebackhide__ = True
    pid = incarnation(target)
    if pid is None:
        raise AssertionError(f"nobody holds the name {target!r}: ask by the pid or the Ref")
    deaths = known_deaths()
    if pid not in deaths:
        raise AssertionError(
            f"{target!r} was dead already, and nobody noted why: take the `node` fixture, or put "
            "`with remember_deaths():` around"
        )
    return deaths[pid]
