"""Processes that do what they are told, and what can be seen of a process from outside."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import TypeVar

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from runtime import (
    Down,
    ExitReason,
    MonitorRef,
    Pid,
    ProcessExit,
    ProcessInfo,
    ReceiveTimeout,
    exit,
    is_alive,
    link,
    monitor,
    process_info,
    receive,
    send,
    spawn,
    spawn_monitor,
    trap_exits,
    wait_exit,
)
from tests.support import in_process

T = TypeVar("T")


class Peer:
    """A process that does what it is told and keeps whatever else it hears, in order."""

    def __init__(self, *, trap: bool, name: str | None) -> None:
        self.heard: list[object] = []
        self.pid = spawn(self._live, trap, name=name)

    async def _live(self, trap: bool) -> None:
        trap_exits(trap)
        while True:
            message = await receive()
            if callable(message):
                message()
            else:
                self.heard.append(message)

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        return is_alive(self.pid)

    async def do(self, action: Callable[[], T]) -> T:
        """Let it do this; what follows from it has happened when this returns."""
        results: list[T] = []
        send(self.pid, lambda: results.append(action()))
        await wait_all_tasks_blocked()
        (result,) = results
        return result

    async def fail(self, error: BaseException) -> None:
        """Let it raise; what follows from it has happened when this returns."""

        def fails() -> None:
            raise error

        send(self.pid, fails)
        await wait_all_tasks_blocked()

    async def leave(self, reason: ExitReason) -> None:
        """Let it end with this reason."""
        await self.fail(ProcessExit(reason))


async def peer(*, trap: bool = False, name: str | None = None) -> Peer:
    """A peer that is up."""
    one = Peer(trap=trap, name=name)
    await wait_all_tasks_blocked()
    return one


async def linked_peer(other: Peer, *, trap: bool = False) -> Peer:
    """A peer that has linked itself to another one."""
    one = await peer(trap=trap)
    await one.do(partial(link, other.pid))
    return one


async def chain_of(count: int, *, trapping: Sequence[int] = ()) -> list[Peer]:
    """Peers of which each is linked to the next."""
    chain = [await peer(trap=number in trapping) for number in range(count)]
    for one, following in pairwise(chain):
        await one.do(partial(link, following.pid))
    return chain


async def dead() -> Pid:
    """The pid of a process that has ended."""

    async def nothing() -> None: ...

    pid = spawn(nothing)
    await wait_exit(pid)
    return pid


async def reason_in_down(fn: Callable[..., Awaitable[object]], *args: object) -> ExitReason:
    """Why ``fn(*args)`` ended as a process, as a monitor tells."""

    async def watches() -> ExitReason:
        pid, ref = spawn_monitor(fn, *args)
        down = await receive(Down)
        assert down == Down(ref, pid, down.reason)
        return down.reason

    return await in_process(watches)


async def a_queued_down() -> tuple[MonitorRef, Down]:
    """A monitor of the calling process, and the ``Down`` of it that is in its mailbox."""
    pid = spawn(trio.sleep_forever)
    ref = monitor(pid)
    exit(pid, "boom")
    await wait_exit(pid)
    return ref, Down(ref, pid, "boom")


async def rest_of_mailbox() -> list[object]:
    """All that the calling process has not received yet."""
    rest: list[object] = []
    with pytest.raises(ReceiveTimeout):
        while True:
            rest.append(await receive(timeout=0))
    return rest


def info_of(pid: Pid) -> ProcessInfo:
    """Facts about a process that is alive."""
    info = process_info(pid)
    assert info is not None
    return info
