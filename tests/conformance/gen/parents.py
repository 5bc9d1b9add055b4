"""Rows of GEN about exit signals: of parents, of links, of strangers, and the kill."""

from __future__ import annotations

from typing import Any

import trio

from runtime import (
    Crashed,
    Exit,
    Killed,
    Normal,
    exit,
    is_alive,
    kill,
    processes,
    spawn,
    spawn_link,
    start,
    start_link,
    trap_exits,
    wait_exit,
)
from tests.conformance.gen.parts import BOOM, HELLO, crash, leave, outlive_parent, trapping
from tests.conformance.scenarios import row
from tests.conftest import Recorder
from tests.support import Note, Scripted, end_of


async def exits() -> None:
    leave()


async def returns() -> None:
    """A body that is done."""


async def crashes() -> None:
    crash()


@row("GEN-022")
async def the_abnormal_end_of_its_parent_ends_a_server_that_does_not_trap(
    events: Recorder,
) -> None:
    """differs: ``terminate`` runs, whether exits are trapped or not."""
    log: list[Any] = []
    server = await outlive_parent(Scripted.child_spec(log), exits)
    assert end_of(events, server.pid) == "left"
    assert log == [("terminate", "left")]


@row("GEN-023")
async def the_abnormal_end_of_its_parent_ends_a_trapping_server(events: Recorder) -> None:
    log: list[Any] = []
    server = await outlive_parent(Scripted.child_spec(log, init=trapping), exits)
    assert log == [("terminate", "left")]
    assert end_of(events, server.pid) == "left"


@row("GEN-024")
async def the_normal_end_of_its_parent_ends_a_trapping_server(events: Recorder) -> None:
    log: list[Any] = []
    server = await outlive_parent(Scripted.child_spec(log, init=trapping), returns)
    assert log == [("terminate", Normal())]
    assert end_of(events, server.pid) == Normal()


@row("GEN-025")
async def the_normal_end_of_its_parent_is_nothing_to_a_server_that_does_not_trap() -> None:
    log: list[Any] = []
    server = await outlive_parent(Scripted.child_spec(log), returns)
    assert await server.call(HELLO) == "hello"
    assert log == []


@row("GEN-026")
async def what_was_queued_before_the_end_of_its_parent_is_handled_first() -> None:
    log: list[Any] = []

    async def parent() -> None:
        server = await start_link(Scripted.child_spec(log, init=trapping))
        server.send("first")
        server.send("second")
        leave()

    await wait_exit(spawn(parent))
    await trio.sleep(1)
    assert log == [("info", "first"), ("info", "second"), ("terminate", "left")]


@row("GEN-027")
async def the_end_of_its_parent_interrupts_init() -> None:
    """differs: ``init`` does not go on to its end, and so there are no last words."""
    log: list[Any] = []

    async def init(server: object) -> None:
        trap_exits()
        log.append("init begins")
        try:
            await trio.sleep(5)
            log.append("init ends")
        finally:
            log.append(trio.current_time() - begun)

    async def parent() -> None:
        await start_link(Scripted.child_spec(log, init=init))

    begun = trio.current_time()
    starter = spawn(parent)
    await trio.sleep(1)
    exit(starter, "left")
    assert await wait_exit(starter) == "left"
    assert processes() == []
    await trio.sleep(10)
    assert log == ["init begins", 1]


@row("GEN-028")
async def an_exit_signal_of_a_stranger_is_a_message_to_a_trapping_server() -> None:
    log: list[Any] = []
    server = await start(Scripted.child_spec(log, init=trapping))

    async def stranger() -> None:
        exit(server, "left")
        exit(server, Normal())

    pid = spawn(stranger)
    await wait_exit(pid)
    assert await server.call(HELLO) == "hello"
    assert log == [("info", Exit(pid, "left")), ("info", Exit(pid, Normal()))]


@row("GEN-029")
async def the_crash_of_a_linked_worker_is_a_message_to_a_trapping_server() -> None:
    log: list[Any] = []
    workers: list[Any] = []
    server = await start(Scripted.child_spec(log, init=trapping))
    server.send(Note(lambda one: workers.append(spawn_link(crashes))))
    await trio.sleep(1)
    assert log == [("info", Exit(workers[0], Crashed(BOOM)))]
    assert is_alive(server)


@row("GEN-030")
async def the_crash_of_a_linked_worker_ends_a_server_that_does_not_trap() -> None:
    """differs: ``terminate`` runs, whether exits are trapped or not."""
    log: list[Any] = []
    workers: list[Any] = []
    server = await start(Scripted.child_spec(log))
    server.send(Note(lambda one: workers.append(spawn_link(crashes))))
    assert await wait_exit(server) == Crashed(BOOM)
    assert log == [("terminate", Crashed(BOOM))]


@row("GEN-031")
async def a_kill_ends_a_trapping_server_without_last_words() -> None:
    log: list[Any] = []
    server = await start(Scripted.child_spec(log, init=trapping))
    kill(server)
    assert await wait_exit(server) == Killed()
    assert log == []
