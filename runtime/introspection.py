"""Look into a live process. OTP: ``:sys``, by its names, and ``Process.info``.

What is asked of a server goes through its mailbox, so it sees the effect of everything its caller
sent before. It is answered by the loop, also while the server is suspended.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
import trio

from runtime.calls import Ref, ref
from runtime.current import Target, current_table, find_process, require_process
from runtime.pid import Pid
from runtime.process import Process, Status
from runtime.server_loop import LoopCall, ServerLoop
from runtime.timeouts import DEFAULT_TIMEOUT

T = TypeVar("T")


class ProcessInfo(msgspec.Struct, frozen=True):
    """One process as it is now. OTP: ``Process.info``.

    ``current`` is the message in hand, or the last one, as text; ``started_at`` is on Trio's
    clock; ``ancestors`` are who started it, who started that, and so on.
    """

    pid: Pid
    name: str | None
    label: str | None
    status: Status
    links: tuple[Pid, ...]
    monitors: tuple[Pid, ...]
    monitored_by: tuple[Pid, ...]
    mailbox_length: int
    handled: int
    dropped: int
    started_at: float
    parent: Pid
    ancestors: tuple[Pid | str, ...]
    trap_exits: bool
    current: str | None


class ServerStatus(msgspec.Struct, frozen=True):
    """A server as it is now. OTP: ``:sys.get_status``."""

    pid: Pid
    behaviour: str
    status: Status
    parent: Pid
    state: dict[str, Any]


class Statistics(msgspec.Struct, frozen=True):
    """What a server has done. OTP: ``:sys.statistics``. Times are on Trio's clock, in seconds."""

    started_at: float
    now: float
    messages_in: int
    mailbox_length: int


def process_info(target: Target) -> ProcessInfo | None:
    """Facts about a process, without asking it; ``None`` if it is dead."""
    process = find_process(target)
    if process is None:
        return None
    current = None if process.current is None else process.body.describe(process.current)
    return ProcessInfo(
        pid=process.pid, name=process.name, label=process.label, status=process.status,
        links=tuple(other.pid for other in process.links.linked()),
        monitors=tuple(other.pid for _, other in process.links.watching()),
        monitored_by=tuple(other.pid for _, other, _ in process.links.watchers()),
        mailbox_length=len(process.mailbox), handled=process.handled,
        dropped=process.mailbox.dropped, started_at=process.started_at, parent=process.parent,
        ancestors=process.ancestors, trap_exits=process.trap != "no", current=current,
    )  # fmt: skip


def processes() -> list[Pid]:
    """Every live process of the node, oldest first. OTP: ``Process.list``."""
    return list(current_table().by_pid)


def set_label(label: str | None) -> None:
    """Give the calling process a label for people to read. OTP: ``Process.set_label``."""
    if not (label is None or isinstance(label, str)):
        raise TypeError(f"label: got {label!r}, allowed are a string and None")
    require_process("set_label").label = label


async def get_state(target: Target, *, timeout: float = DEFAULT_TIMEOUT) -> dict[str, Any]:
    """A copy of a server's attributes, once it has handled what was sent before."""
    return await ask_loop(target, "get_state()", _state, timeout)


async def replace_state(
    target: Target,
    change: Callable[[dict[str, Any]], dict[str, Any]],
    *,
    timeout: float = DEFAULT_TIMEOUT,
) -> dict[str, Any]:
    """Replace a server's attributes by ``change(attributes)`` and return them.

    If ``change`` raises or returns no dict, the caller gets the error and the state stays.
    """

    def replace(loop: ServerLoop) -> dict[str, Any]:
        state = change(_state(loop))
        if not isinstance(state, dict):
            raise TypeError(f"change: returned {state!r}, allowed is a dict of attributes")
        attributes = vars(loop.server)
        attributes.clear()
        attributes.update(state)
        return dict(state)

    return await ask_loop(target, "replace_state()", replace, timeout)


async def get_status(target: Target, *, timeout: float = DEFAULT_TIMEOUT) -> ServerStatus:
    """What a server is, whether it is suspended, and its state."""

    def status(loop: ServerLoop) -> ServerStatus:
        process = loop.process
        return ServerStatus(
            process.pid, type(loop.server).__name__, process.status, process.parent, _state(loop)
        )

    return await ask_loop(target, "get_status()", status, timeout)


async def suspend(target: Target, *, timeout: float = DEFAULT_TIMEOUT) -> None:
    """Let a server handle nothing until ``resume``; messages queue up, calls wait."""
    await ask_loop(target, "suspend()", _set_suspended(True), timeout)


async def resume(target: Target, *, timeout: float = DEFAULT_TIMEOUT) -> None:
    """Let a suspended server go on, in order. One is enough, however often it was suspended."""
    await ask_loop(target, "resume()", _set_suspended(False), timeout)


async def statistics(target: Target, *, timeout: float = DEFAULT_TIMEOUT) -> Statistics:
    """How many messages a server has handled since it started."""

    def count(loop: ServerLoop) -> Statistics:
        process: Process = loop.process
        now = trio.current_time()
        return Statistics(process.started_at, now, process.handled, len(process.mailbox))

    return await ask_loop(target, "statistics()", count, timeout)


async def ask_loop(
    target: Target, operation: str, perform: Callable[[ServerLoop], T], timeout: float
) -> T:
    """Let the loop of a server ``perform`` something, in its turn; ``operation`` names it."""
    return await _handle(target).call(LoopCall(operation, perform), timeout=timeout)


def _handle(target: Target) -> Ref:
    if isinstance(target, Ref):
        return target
    if isinstance(target, Pid):
        return ref(target)
    raise TypeError(f"target: got {target!r}, allowed are a Pid and a Ref such as named('x')")


def _state(loop: ServerLoop) -> dict[str, Any]:
    return dict(vars(loop.server))


def _set_suspended(suspended: bool) -> Callable[[ServerLoop], None]:
    def perform(loop: ServerLoop) -> None:
        loop.suspended = suspended
        loop.process.status = "suspended" if suspended else "running"

    return perform
