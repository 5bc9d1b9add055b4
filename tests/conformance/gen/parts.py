"""What the scenarios of servers share: requests, callers, parents, and what each was told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast

import trio

from runtime import (
    Call,
    CallExit,
    ChildSpec,
    Crashed,
    ExitReason,
    NoReply,
    Pid,
    ProcessExit,
    ReceiveTimeout,
    Ref,
    ReplyTo,
    process_info,
    receive,
    spawn,
    start_link,
    trap_exits,
    wait_exit,
)
from tests.support import Ask

BOOM = ValueError("boom")

HELLO = Ask(lambda server, reply_to: "hello")


def trapping(server: object) -> None:
    """An ``init`` of a server that traps exits."""
    trap_exits()


def crash(*args: object) -> None:
    """A callback that raises."""
    raise BOOM


def leave(*args: object) -> None:
    """A callback, or a body, that exits with a reason of its own."""
    raise ProcessExit("left")


def throws(value: object) -> Callable[..., None]:
    """A callback that raises what is no exception, as near to a throw as Python has it."""

    def callback(*args: object) -> None:
        raise cast("BaseException", value)

    return callback


def refused_throw(reason: ExitReason) -> bool:
    """Whether the attempt to throw is itself the crash."""
    return (
        isinstance(reason, Crashed)
        and type(reason.exception) is TypeError
        and str(reason.exception) == "exceptions must derive from BaseException"
    )


async def hang(*args: object) -> None:
    """A callback that never returns."""
    await trio.sleep_forever()


def defer(server: Any, reply_to: ReplyTo[Any]) -> NoReply:
    """A handler that keeps ``reply_to`` for later, as ``server.kept``."""
    server.kept = reply_to
    return NoReply()


def works_for(seconds: float) -> Ask:
    """A request that takes its time, is then written down as done, and replied to."""

    async def work(server: Any, reply_to: object) -> str:
        await trio.sleep(seconds)
        server.log.append("done")
        return "reply"

    return Ask(work)


async def told(server: Ref, request: Call[object]) -> tuple[str, object]:
    """What one caller gets: its reply, or why it got none."""
    try:
        return "reply", await server.call(request)
    except CallExit as error:
        ended = error
    assert (ended.target, ended.request) == (server, request)
    return "exit", ended.reason


async def note_told(log: list[Any], server: Ref, request: Call[object]) -> None:
    """A caller that writes down what it gets."""
    log.append(await told(server, request))


async def left_in_mailbox() -> list[object]:
    """Everything in the calling process's mailbox, when all that could come has come."""
    await trio.sleep(100)
    found: list[object] = []
    while True:
        try:
            found.append(await receive(timeout=0))
        except ReceiveTimeout:
            return found


async def outlive_parent(spec: ChildSpec, end: Callable[[], Awaitable[object]]) -> Ref:
    """Start a server linked to a parent that then ends as it is told; time enough has passed."""
    started: list[Ref] = []

    async def parent() -> None:
        started.append(await start_link(spec))
        await end()

    await wait_exit(spawn(parent))
    await trio.sleep(100)
    return started[0]


def links_of(target: Pid | Ref) -> tuple[Pid, ...]:
    """To whom a live process is linked."""
    info = process_info(target)
    assert info is not None
    return info.links
