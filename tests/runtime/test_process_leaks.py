"""A nursery or cancel scope that user code leaves open hurts its own process and nobody else."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import pytest
import trio

from runtime import (
    CleanupFailed,
    Crashed,
    Killed,
    Node,
    Normal,
    ProcessExit,
    Ref,
    Shutdown,
    exit,
    is_alive,
    kill,
    spawn,
    start,
    wait_exit,
)
from runtime.process import current_process_var
from tests.conftest import Recorder
from tests.support import Ask, Do, Scripted, end_of, stop_all


@pytest.fixture
async def sibling(node: Node) -> Any:
    """A process that must not notice anything: it is asked, and ends in order."""
    server = await start(Scripted.child_spec())
    yield server
    assert await server.call(Ask(lambda _server, _reply_to: "unhurt")) == "unhurt"
    await server.stop()


def leave_cancelled_scope(_server: object) -> None:
    scope = trio.CancelScope()
    scope.__enter__()
    scope.cancel()


def leave_scope(_server: object) -> None:
    trio.CancelScope().__enter__()


def leave_deadline(_server: object) -> None:
    trio.CancelScope(deadline=trio.current_time() + 5).__enter__()


@pytest.mark.parametrize("leave", [leave_cancelled_scope, leave_deadline])
async def test_a_cancelled_scope_left_open_in_a_def_handler_is_a_crash_of_that_server_only(
    sibling: Ref, leave: Callable[[object], None], events: Recorder
) -> None:
    server = await start(Scripted.child_spec())
    pid = server.pid
    server.cast(Do(leave))
    await trio.sleep(10)
    assert not is_alive(server)
    reason = end_of(events, pid)
    assert isinstance(reason, Crashed)
    assert isinstance(reason.exception, RuntimeError)
    assert is_alive(sibling)


async def test_a_scope_left_open_in_a_def_handler_is_reported_when_the_server_ends(
    sibling: Ref, events: Recorder
) -> None:
    server = await start(Scripted.child_spec())
    pid = server.pid
    server.cast(Do(leave_scope))
    await trio.sleep(1)
    await server.stop()
    assert end_of(events, pid) == Normal()
    (failed,) = events.of(CleanupFailed)
    assert (failed.pid, failed.reason) == (pid, Normal())
    assert "left open" in str(failed.exception)


@pytest.mark.parametrize("leave", [leave_cancelled_scope, leave_scope])
@pytest.mark.parametrize("then", ["return", "raise", "exit"])
async def test_a_scope_left_open_by_a_function_is_a_crash_of_its_process_only(
    sibling: Ref, leave: Callable[[object], None], then: str, events: Recorder
) -> None:
    async def body() -> None:
        leave(None)
        if then == "raise":
            raise ValueError("boom")
        if then == "exit":
            raise ProcessExit("out")

    pid = spawn(body)
    await trio.sleep(1)
    reason = end_of(events, pid)
    assert isinstance(reason, Crashed)
    assert "Cancel scope stack corrupted" in str(reason.exception)


async def test_a_checkpoint_inside_a_cancelled_scope_left_open_is_a_crash_too(
    sibling: Ref, events: Recorder
) -> None:
    async def body() -> None:
        leave_cancelled_scope(None)
        await trio.sleep(1)

    pid = spawn(body)
    await trio.sleep(5)
    reason = end_of(events, pid)
    assert isinstance(reason, Crashed)
    assert not isinstance(reason.exception, trio.Cancelled)


class Leaver:
    """Opens a nursery by hand, with one task in it, and never closes it."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.manager = trio.open_nursery()

    async def open(self) -> trio.Nursery:
        nursery = await self.manager.__aenter__()
        nursery.start_soon(self.child)
        return nursery

    async def child(self) -> None:
        try:
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(3)
            process = current_process_var.get()
            self.log.append(f"child ended, process {process.status}")


async def test_the_tasks_of_a_nursery_left_open_end_before_the_process(
    sibling: Ref, events: Recorder
) -> None:
    """Contract 6: no task is detached."""
    leaver = Leaver()

    async def body() -> None:
        await leaver.open()
        await trio.sleep(1)

    pid = spawn(body)
    assert isinstance(await wait_exit(pid), Crashed)
    assert leaver.log == ["child ended, process running"]
    assert events.of(CleanupFailed)[0].pid is pid


@pytest.mark.parametrize("how", ["return", "raise", "signal", "kill", "child raises"])
async def test_a_nursery_left_open_hurts_only_its_process_however_that_ends(
    sibling: Ref, how: str, events: Recorder
) -> None:
    leaver = Leaver()

    async def broken() -> None:
        raise KeyError("child")

    async def body() -> None:
        nursery = await leaver.open()
        await trio.sleep(1)
        if how == "raise":
            raise ValueError("boom")
        if how == "child raises":
            nursery.start_soon(broken)
        if how != "return":
            await trio.sleep_forever()

    pid = spawn(body)
    await trio.sleep(5)
    if how == "signal":
        exit(pid, Shutdown())
    elif how == "kill":
        kill(pid)
    await trio.sleep(10)
    reason = end_of(events, pid)
    if how in ("signal", "kill"):
        assert reason == (Killed() if how == "kill" else Shutdown())
    else:
        assert isinstance(reason, Crashed)
    assert leaver.log == ["child ended, process running"]


@pytest.mark.parametrize("how", ["stop", "kill", "crash"])
async def test_a_nursery_opened_by_hand_in_init_hurts_only_its_server(
    sibling: Ref, how: str, events: Recorder
) -> None:
    leaver = Leaver()

    async def init(_server: Scripted) -> None:
        await leaver.open()

    def crash(_server: Scripted) -> None:
        raise ValueError("boom")

    server = await start(Scripted.child_spec(init=init))
    pid = server.pid
    await trio.sleep(1)
    if how == "stop":
        exit(server, Shutdown())
    elif how == "kill":
        kill(server)
    else:
        server.cast(Do(crash))
    await trio.sleep(10)
    assert leaver.log == ["child ended, process running"]
    reason = end_of(events, pid)
    assert isinstance(reason, Crashed) if how == "crash" else not isinstance(reason, Crashed)


async def test_a_process_restarted_after_a_leak_starts_clean(node: Node, events: Recorder) -> None:
    async def body() -> None:
        trio.CancelScope(deadline=trio.current_time() + 1).__enter__()

    for _ in range(20):
        spawn(body)
        await trio.sleep(0.5)
    late = spawn(trio.sleep_forever)
    await trio.sleep(10)
    assert is_alive(late)
    await stop_all(late)


async def test_scopes_left_open_by_servers_do_not_pile_up_in_the_node(node: Node) -> None:
    async def one() -> None:
        server = await start(Scripted.child_spec())
        server.cast(Do(leave_scope))
        await server.stop()

    def alive() -> int:
        gc.collect()
        return sum(type(one).__name__ == "CancelStatus" for one in gc.get_objects())

    await one()
    before = alive()
    for _ in range(20):
        await one()
    assert alive() == before
