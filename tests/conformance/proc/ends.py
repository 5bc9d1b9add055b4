"""Rows of PROC about how a process ends: by returning, by raising, by a signal or a kill."""

from __future__ import annotations

import traceback
from typing import cast

import trio
from trio.testing import wait_all_tasks_blocked

from runtime import (
    Crashed,
    Down,
    Exit,
    ExitReason,
    Killed,
    MonitorRef,
    Normal,
    Pid,
    ProcessExit,
    Shutdown,
    exit,
    is_alive,
    kill,
    monitor,
    receive,
    self_,
    spawn,
    spawn_link,
)
from tests.conformance.proc.parts import peer, reason_in_down
from tests.conformance.scenarios import row
from tests.support import in_process


async def leaves(reason: ExitReason) -> None:
    """A body that ends with this reason."""
    raise ProcessExit(reason)


@row("PROC-008")
async def a_body_that_returns_ends_normal() -> None:
    async def returns() -> int:
        return 42

    assert await reason_in_down(returns) == Normal()


@row("PROC-009")
async def a_raise_is_told_with_its_exception_and_its_stack() -> None:
    error = ValueError("boom")

    async def raises() -> None:
        raise error

    async def observer() -> tuple[Pid, MonitorRef, set[object]]:
        pid = spawn_link(raises)
        ref = monitor(pid)
        return pid, ref, {await receive(), await receive()}

    pid, ref, heard = await in_process(observer, trap=True)
    assert heard == {Exit(pid, Crashed(error)), Down(ref, pid, Crashed(error))}
    assert traceback.extract_tb(error.__traceback__)[-1].name == "raises"


@row("PROC-010")
async def what_is_no_exception_cannot_be_thrown() -> None:
    """differs: the attempt is itself the crash, a ``TypeError``; there is no ``nocatch``."""

    class Odd(BaseException):
        """No ``Exception``, but as near to a throw as Python has it."""

    odd = Odd()

    async def throws(value: object) -> None:
        raise cast("BaseException", value)

    assert await reason_in_down(throws, odd) == Crashed(odd)
    reason = await reason_in_down(throws, "value")
    assert isinstance(reason, Crashed)
    assert type(reason.exception) is TypeError
    assert str(reason.exception) == "exceptions must derive from BaseException"


@row("PROC-011")
async def an_exit_ends_with_exactly_its_reason() -> None:
    """differs: ``None``, a bare exception and a class of reasons are refused as slips."""
    of_all_kinds: list[object] = ["boom", 0, False, ("a", 1), ["a"], {}, print, object(), int]
    for reason in [*of_all_kinds, Normal(), Shutdown("x"), Killed(), Crashed(ValueError("x"))]:
        assert await reason_in_down(leaves, reason) is reason
    for slip in (None, ValueError("x"), Shutdown):
        refused = await reason_in_down(leaves, slip)
        assert isinstance(refused, Crashed)
        assert type(refused.exception) is TypeError
        assert str(refused.exception).startswith("reason: got ")


@row("PROC-012")
async def an_exit_of_ones_own_can_be_caught() -> None:
    async def body() -> ExitReason:
        try:
            raise ProcessExit("out")
        except ProcessExit as caught:
            reason = caught.reason
        await trio.sleep(1)
        return reason

    assert await in_process(body) == "out"


@row("PROC-013")
async def clean_up_runs_when_an_exit_signal_ends_a_process() -> None:
    """differs: the ``finally`` block runs, and the process counts as dead when it has."""
    log: list[tuple[bool, list[object]]] = []

    async def blocked() -> None:
        try:
            await trio.sleep_forever()
        finally:
            log.append((is_alive(self_()), list(watcher.heard)))

    watcher, pid = await peer(), spawn(blocked)
    ref = await watcher.do(lambda: monitor(pid))
    exit(pid, Shutdown())
    await wait_all_tasks_blocked()
    assert watcher.heard == [Down(ref, pid, Shutdown())]
    assert log == [(True, [])]


@row("PROC-014")
async def clean_up_runs_when_a_kill_ends_a_process() -> None:
    """differs: the ``finally`` block runs, but what it waits for is cancelled at once."""
    log: list[str] = []

    async def blocked() -> None:
        try:
            await trio.sleep_forever()
        finally:
            log.append("cleans up")
            await trio.sleep(1)
            log.append("has slept")

    watcher, pid = await peer(), spawn(blocked)
    ref = await watcher.do(lambda: monitor(pid))
    kill(pid)
    await wait_all_tasks_blocked()
    assert watcher.heard == [Down(ref, pid, Killed())]
    assert log == ["cleans up"]
