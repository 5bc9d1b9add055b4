"""What the rows of tasks share: a scenario that runs as the owner of its tasks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps

from runtime import Pid, ProcessInfo, process_info
from tests.support import in_process

Owner = Callable[[], Awaitable[None]]


def by_an_owner(scenario: Owner) -> Owner:
    """It runs in a process that does not trap exits."""

    @wraps(scenario)
    async def run() -> None:
        await in_process(scenario)

    return run


def by_an_owner_that_traps_exits(scenario: Owner) -> Owner:
    """It runs in a process that finds exit signals in its mailbox."""

    @wraps(scenario)
    async def run() -> None:
        await in_process(scenario, trap=True)

    return run


def info_of(pid: Pid) -> ProcessInfo:
    """Facts about a process that is alive."""
    info = process_info(pid)
    assert info is not None
    return info


class Thrown(BaseException):
    """No ``Exception``: the nearest Python has to a value that is thrown."""


async def throw() -> None:
    """Raise it."""
    raise Thrown
