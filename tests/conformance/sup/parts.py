"""What several scenarios of supervisors are made of."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

import pytest
import trio

from runtime import ChildSpec, Event, Exit, Pid, Shutdown, StartFailed, receive
from supervisors import ChildSource, GaveUp, Supervisor, SupervisorRef
from tests.supervisors.tree_parts import worker
from tests.support import end_of, in_process


def trapping(log: list[str], tag: str, **how: Any) -> ChildSpec:
    """A worker that traps exits, as those of OTP must to have a last word."""
    return worker(log, tag, trap=True, **how)


def trapping_ones(log: list[str], tags: str) -> list[ChildSpec]:
    """One of them for each letter."""
    return [trapping(log, tag) for tag in tags]


def inits(tags: str) -> list[str]:
    """What they log when they are started in this order."""
    return [f"init {tag}" for tag in tags]


def stops(tags: str) -> list[str]:
    """What they log when they are shut down in this order."""
    return [f"terminate {tag} shutdown" for tag in tags]


async def pids(supervisor: SupervisorRef) -> dict[Hashable, Pid | None]:
    """The pid of each child."""
    return {one.id: one.pid for one in await supervisor.which_children()}


async def failed_start(children: Iterable[ChildSource]) -> tuple[StartFailed, Exit]:
    """What a ``start_link`` that fails gives to a process that traps exits."""

    async def caller() -> tuple[StartFailed, Exit]:
        with pytest.raises(StartFailed) as caught:
            await Supervisor.start_link(children)
        return caught.value, await receive(Exit)

    return await in_process(caller, trap=True)


async def refusal(children: Iterable[Any], **options: Any) -> str:
    """How ``start_link`` refuses what cannot be started."""

    async def caller() -> str:
        with pytest.raises((TypeError, ValueError)) as caught:
            await Supervisor.start_link(children, **options)
        return str(caught.value)

    return await in_process(caller)


def history(events: Iterable[Event], supervisor: Pid) -> list[str]:
    """What led a supervisor to give up, oldest first; it ended in no other way."""
    reason = end_of(events, supervisor)
    assert isinstance(reason, Shutdown)
    assert isinstance(reason.detail, GaveUp)
    return list(reason.detail.history)


class FailsOnce:
    """An ``init`` whose second run fails after a second; requests queue up meanwhile."""

    def __init__(self) -> None:
        self.attempts = 0

    async def __call__(self) -> None:
        self.attempts += 1
        if self.attempts == 2:
            await trio.sleep(1)
            raise RuntimeError("no luck")
