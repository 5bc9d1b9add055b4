"""What can be done to a process by hand, each with a line that says what was done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any, TypeAlias, TypeVar, assert_never

from runtime.calls import PidRef, Ref
from runtime.console.frames import Action
from runtime.errors import CallTimeout
from runtime.introspection import resume, suspend
from runtime.process import Process
from runtime.server_body import ServerBody
from runtime.signals import kill

T = TypeVar("T")

Restart: TypeAlias = Callable[[Process], Awaitable[str]]
"""How a child is stopped and started anew: supervisors know."""

STOP_WITHIN = 10.0
"""Seconds that a process has to stop by itself; then it is still asked to."""


class NotSuspended:
    """Base of servers that could not be resumed, since whoever would ask for it asks them."""


class NotDone(Exception):
    """It cannot be done to this process, and why."""


async def act(action: Action, process: Process, restart: Restart) -> str:
    """Do it, wait until it is done, and say so."""
    target = PidRef(process.pid, process)
    match action:
        case "kill":
            kill(target)
            return f"killed {said(process)}"
        case "stop":
            await target.stop(timeout=STOP_WITHIN)
            return f"stopped {said(process)}"
        case "restart":
            return await restart(process)
        case "suspend":
            _spare_the_console(process)
            await in_turn(process, partial(suspend, server(process)))
            return f"suspended {said(process)}"
        case "resume":
            await in_turn(process, partial(resume, server(process)))
            return f"resumed {said(process)}"
        case _:
            assert_never(action)


def server(process: Process) -> Ref:
    """A handle of a process that answers what every server does; ``NotDone`` for others."""
    if not process.body.is_server:
        raise NotDone(f"{said(process)} is no server: a function answers nothing")
    return PidRef(process.pid, process)


async def in_turn(process: Process, ask: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """What a server answers in its turn; ``NotDone`` says why it has not come to that in time."""
    try:
        return await ask()
    except CallTimeout as exc:
        raise NotDone(
            f"{said(process)} has not answered within {exc.timeout:g} s: it answers in its turn, "
            f"and {len(process.mailbox)} messages wait; info, mailbox and where do not ask it"
        ) from None


def said(process: Process) -> str:
    """How a process is called in a line."""
    return f"{process.name or process.pid.label} ({process.pid.number})"


def _spare_the_console(process: Process) -> None:
    body = process.body
    if isinstance(body, ServerBody) and isinstance(body.server, NotSuspended):
        raise NotDone("the console cannot be suspended: nobody could resume it")
