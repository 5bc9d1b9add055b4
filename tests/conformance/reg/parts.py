"""What the scenarios of REG share: who is linked to whom, and values as they are written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import trio.testing

from runtime import Down, Entry, Pid, Ref, RegistryRef, kill, monitor, process_info, receive

Names: TypeAlias = RegistryRef[Any, Any]

KINDS: tuple[Literal["unique", "duplicate"], ...] = ("unique", "duplicate")


def links_of(process: Ref) -> tuple[Pid, ...]:
    """Who this process is linked to."""
    info = process_info(process)
    assert info is not None
    return info.links


def exactly(entries: list[Entry[Any]]) -> list[tuple[Pid, str]]:
    """The entries with their values as written: Python takes 1 and 1.0 for equal."""
    return [(entry.pid, repr(entry.value)) for entry in entries]


def never(*_: object) -> Any:
    """For a callback that must not be called."""
    raise AssertionError("called")


async def as_soon_as_it_is_dead(holder: Ref, look: Callable[[], object]) -> None:
    """Kill ``holder`` and call ``look`` in the very step in which its death is heard of."""
    monitor(holder)
    kill(holder)
    await receive(Down)
    look()


async def settled() -> None:
    """Everything has happened that can happen without the clock moving."""
    await trio.testing.wait_all_tasks_blocked()
