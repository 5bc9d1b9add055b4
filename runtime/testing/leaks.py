"""The leak check: which processes a test leaves behind."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import trio

from runtime.current import current_table
from runtime.introspection import ProcessInfo, process_info
from runtime.process import Process
from runtime.waiting import wait_ended

PATIENCE = 1.0
"""Seconds for what has been asked to end and is still at it."""


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

    In an open node. What has been asked to end gets a second to do so, what has not is left alone:
    this only looks. If the block raises, nothing is checked: what is left then is no news.
    """
    __tracebackhide__ = True
    before = set(_living())
    yield
    with trio.move_on_after(PATIENCE):
        for process in _living():
            if process.exiting is not None:
                await wait_ended(process)
    left = [
        info
        for process in _living()
        if process not in before and (info := process_info(process.pid))
    ]
    if left:
        raise LeakError(left)


def _living() -> list[Process]:
    return list(current_table().by_pid.values())
