"""The leak check: which processes a test leaves behind."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import trio

from runtime.introspection import ProcessInfo, process_info
from runtime.pending_calls import PendingCall, StopServer
from runtime.process import Process
from runtime.testing.nodes import table_of_test
from runtime.waiting import wait_ended

PATIENCE = 1.0
"""Seconds for what has been asked to end and is still at it."""
TURNS = 100
"""Steps of the scheduler for what needs no time to end: bounded, as some process may never rest."""


class LeakError(AssertionError):
    """Processes are left that were not there before; ``left`` are the facts about them."""

    def __init__(self, left: list[ProcessInfo]) -> None:
        self.left = left
        lines = "".join(f"\n  {_line(info)}" for info in left)
        super().__init__(
            f"{len(left)} process{'es' if len(left) > 1 else ''} left running:{lines}\n"
            "stop what was started, or start it with start_supervised or in open_supervisor"
        )


def _line(info: ProcessInfo) -> str:
    said = [repr(info.pid)]
    if info.name is not None:
        said.append(f"name {info.name!r}")
    if info.label is not None:
        said.append(f"label {info.label!r}")
    said.append(f"parent {info.parent!r}")
    if info.ancestors:
        said.append(f"started by {info.ancestors[0]!r}")
    if info.current is not None:
        said.append(f"last message {info.current}")
    return ", ".join(said)


@asynccontextmanager
async def no_leaks() -> AsyncGenerator[None]:
    """Every process that is started within the block must have ended with it: ``LeakError``.

    In an open node. What is about to end without any waiting is let end. What has been asked to end
    gets a second to do so, and so does what falls with it; what has not is left alone: this only
    looks. If the block raises, nothing is checked: what is left then is no news.
    """
    __tracebackhide__ = True
    before = set(_living())
    yield
    with trio.move_on_after(PATIENCE):
        await _settle(before)
        while _started_since(before) and (ending := _next_to_end()) is not None:
            await wait_ended(ending)
            await _settle(before)
    left = [info for one in _started_since(before) if (info := process_info(one.pid)) is not None]
    if left:
        raise LeakError(left)


async def _settle(before: set[Process]) -> None:
    """Let happen what can happen at once: a message is read, a process is done."""
    for _ in range(TURNS):
        await trio.lowlevel.checkpoint()
        if not _started_since(before):
            return


def _next_to_end() -> Process | None:
    """Also one that was there before: what is linked to it falls with it."""
    return next(filter(_is_to_end, _living()), None)


def _is_to_end(process: Process) -> bool:
    """By an exit signal, by its owner, by itself, or by a ``stop`` that it has not read yet."""
    return (
        process.exiting is not None
        or process.stop_asked_at is not None
        or process.ending
        or any(_is_stop(item) for item in process.mailbox.items)
    )


def _is_stop(item: object) -> bool:
    return isinstance(item, PendingCall) and isinstance(item.request, StopServer)


def _started_since(before: set[Process]) -> list[Process]:
    return [process for process in _living() if process not in before]


def _living() -> list[Process]:
    return list(table_of_test().by_pid.values())
