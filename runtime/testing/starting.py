"""Starts: wait until whoever bears a name is up, after a restart say."""

from __future__ import annotations

import trio

from runtime.calls import Ref
from runtime.current import current_table
from runtime.instruments import Event, Instrument, ProcessStarted
from runtime.outcomes import check_seconds
from runtime.pid import Pid
from runtime.process import Process

GLANCE = 0.01
"""Seconds after which it is looked again: a name that is taken by hand is told to nobody."""


async def assert_up(target: Ref, *, timeout: float = 1.0) -> Pid:
    """Wait until the process that ``target`` leads to is up, and return its pid.

    ``target`` is ``named("x")`` or a ``via`` handle: after a crash it leads to nobody until the
    supervisor has started the successor, at once or after its backoff. What has been asked to exit
    and is still at it is not up. Fails after ``timeout`` seconds, and as soon as the one process
    that a handle by its pid leads to is dead. Works in any task of the node. Cancelling gives up
    the wait.
    """
    __tracebackhide__ = True
    if not isinstance(target, Ref):
        raise TypeError(f"target: got {target!r}, allowed is a Ref such as named('x')")
    check_seconds("timeout", timeout)
    await trio.lowlevel.checkpoint()  # a loop round it must not freeze the program
    with trio.move_on_after(timeout):
        return await _until_up(target)
    raise AssertionError(f"{target!r} leads to nobody who is up, after {timeout:g} s")


async def _until_up(target: Ref) -> Pid:
    """Look again whenever a process has started, and now and then."""
    __tracebackhide__ = True
    news = trio.Event()

    def note(_event: Event) -> None:
        news.set()

    instruments = current_table().instruments
    instrument = Instrument(note, (ProcessStarted,))
    instruments.add(instrument)
    try:
        while (process := target.find()) is None or not _is_up(process):
            if process is None and target.incarnation is not None:
                raise AssertionError(f"{target!r}: it has ended; a handle by name follows restarts")
            with trio.move_on_after(GLANCE):
                await news.wait()
            news = trio.Event()
    finally:
        instruments.remove(instrument)
    return process.pid


def _is_up(process: Process) -> bool:
    """Started, and not about to end: it holds its name until it is dead."""
    return process.status != "starting" and process.exiting is None and not process.ending
