"""Start a process from a spec and wait until it is up. OTP: ``GenServer.start``/``start_link``."""

from __future__ import annotations

import math

import trio

from runtime._trio import is_cancelled
from runtime.calls import PidRef, Ref
from runtime.child_spec import ChildSpec
from runtime.current import current_table, require_process
from runtime.errors import Ignored, StartError, StartFailed, StartTimeout
from runtime.exits import Crashed, ExitReason
from runtime.outcomes import check_seconds
from runtime.process import Process
from runtime.spawning import spawn_process
from runtime.waiting import wait_started


async def start(spec: ChildSpec, *, timeout: float = math.inf) -> Ref:
    """Start a process in the node's root, linked to nobody, and wait until it is up.

    Works from any task of the node. ``AlreadyStarted`` if the name is taken, ``StartFailed`` if
    ``init`` failed, ``Ignored`` if it said so, ``StartTimeout`` after ``timeout`` seconds.
    Cancelling ends what was started and waits for that, so nothing is left behind.
    """
    return await _start(spec, None, timeout)


async def start_link(spec: ChildSpec, *, timeout: float = math.inf) -> Ref:
    """``start``, linked to the calling process, which becomes the parent. Only in a process.

    If ``init`` fails, the caller also feels it through the link: it ends with the same reason,
    unless that is ``Normal()`` or it traps exits.
    """
    return await _start(spec, require_process("start_link"), timeout)


async def _start(spec: ChildSpec, starter: Process | None, timeout: float) -> Ref:
    if not isinstance(spec, ChildSpec):
        raise TypeError(f"spec: got {spec!r}, allowed is a ChildSpec: Counter.child_spec(10)")
    check_seconds("timeout", timeout)
    await trio.lowlevel.checkpoint_if_cancelled()
    try:
        process = spawn_process(
            current_table(),
            spec.make_body(),
            label=spec.behaviour,
            name=spec.name,
            limit=spec.mailbox,
            link_to=starter,
            budget=spec.shutdown,
            parent=None if starter is None else starter.pid,
            begins=timeout > 0,
        )
    except StartError:
        await trio.lowlevel.checkpoint()
        raise
    if process.status == "running" and not is_cancelled(trio.lowlevel.current_task()):
        return PidRef(process.pid, process)

    def abandon() -> None:
        if starter is not None:
            starter.links.unlink(process)
            process.links.unlink(starter)
        process.kill()

    reason: ExitReason = None
    with trio.move_on_after(timeout) as patience:
        reason = await wait_started(process, abandon)
    if patience.cancelled_caught:
        raise StartTimeout(spec.behaviour, timeout)
    if reason is None:
        return PidRef(process.pid, process)
    try:
        raise start_error(spec, process, reason)
    finally:
        reason = None  # this frame is behind those of its traceback: break the cycle


def start_error(spec: ChildSpec, process: Process, reason: ExitReason) -> StartError:
    """The error for a process that ended with ``reason`` before it was up.

    Its cause is the exception that ``init`` raised, if it did.
    """
    if process.ignored:
        return Ignored(f"{spec.behaviour} did not start: its init returned Ignore()")
    error = StartFailed(spec.behaviour, reason)
    error.__cause__ = reason.exception if isinstance(reason, Crashed) else None
    return error
