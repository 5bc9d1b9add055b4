"""Rows of GEN about the end of a server: the last words, and what its callers are told."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import trio
import trio.testing

from runtime import (
    Crashed,
    Exit,
    ExitReason,
    Killed,
    Normal,
    Pid,
    ProcessCrashed,
    Ref,
    Shutdown,
    Stop,
    exit,
    kill,
    self_,
    start,
    start_link,
    wait_exit,
)
from tests.conformance.gen.parts import (
    BOOM,
    HELLO,
    crash,
    defer,
    hang,
    leave,
    left_in_mailbox,
    note_told,
    told,
)
from tests.conformance.scenarios import row
from tests.conftest import Recorder
from tests.support import Ask, Do, Note, Scripted, end_of, in_process, reason_of


async def told_side_by_side(server: Ref, *requests: Ask, end: Any = None) -> list[Any]:
    """What callers get, who call one after the other and wait; ``end`` is done to the server."""
    log: list[Any] = []
    async with trio.open_nursery() as nursery:
        for request in requests:
            nursery.start_soon(note_told, log, server, request)
            await trio.testing.wait_all_tasks_blocked()
        if end is not None:
            end(server)
    return log


async def leave_later(*args: object) -> None:
    await trio.sleep(1)
    leave()


def stops(reason: ExitReason) -> Callable[..., Stop]:
    """A callback that stops the server."""

    def callback(*args: object) -> Stop:
        return Stop(reason)

    return callback


@row("GEN-039")
async def stop_with_a_reply_replies_after_the_last_words(events: Recorder) -> None:
    log: list[Any] = []

    async def last_words(one: Any, reason: ExitReason) -> None:
        await trio.sleep(3)
        log.append(one.state)

    def handler(one: Any, reply_to: object) -> Stop:
        one.state = "new state"
        return Stop("done", reply="reply")

    server = await start(Scripted.child_spec(log, terminate=last_words))
    await note_told(log, server, Ask(handler))
    assert log == [("terminate", "done"), "new state", ("reply", "reply")]
    await wait_exit(server)
    assert end_of(events, server.pid) == "done"


@row("GEN-040")
async def stop_without_a_reply_is_the_callers_exit() -> None:
    for reason in ("left", Normal(), Shutdown(), Shutdown("x")):
        server = await Scripted.start()
        assert await told(server, Ask(stops(reason))) == ("exit", reason)


@row("GEN-041")
async def a_raise_in_a_handler_is_the_callers_exit() -> None:
    """differs: ``terminate`` sees the state as the handler left it, not the old one."""
    log: list[Any] = []

    def handler(one: Any, reply_to: object) -> None:
        one.state = "new"
        crash()

    spec = Scripted.child_spec(
        log,
        init=lambda one: setattr(one, "state", "old"),
        terminate=lambda one, reason: log.append(one.state),
    )
    assert await told(await start(spec), Ask(handler)) == ("exit", Crashed(BOOM))
    assert log == [("terminate", Crashed(BOOM)), "new"]


@row("GEN-042")
async def an_exit_in_a_handler_is_the_callers_exit() -> None:
    log: list[Any] = []
    assert await told(await start(Scripted.child_spec(log)), Ask(leave)) == ("exit", "left")
    assert log == [("terminate", "left")]


@row("GEN-046")
async def a_kill_while_it_handles_is_the_callers_exit(events: Recorder) -> None:
    """differs: a ``def`` handler is atomic: what it returns counts, then the kill takes effect."""
    server = await Scripted.start()
    assert await told_side_by_side(server, Ask(hang), end=kill) == [("exit", Killed())]

    def handler(one: object, reply_to: object) -> str:
        kill(self_())
        return "reply"

    atomic = await Scripted.start()
    assert await told(atomic, Ask(handler)) == ("reply", "reply")
    await wait_exit(atomic)
    assert end_of(events, atomic.pid) == Killed()


@row("GEN-047")
async def an_exit_signal_while_it_handles_is_the_callers_exit() -> None:
    """differs: ``terminate`` runs, whether exits are trapped or not."""
    log: list[Any] = []
    server = await start(Scripted.child_spec(log))
    told_them = await told_side_by_side(server, Ask(hang), end=lambda one: exit(one, "left"))
    assert told_them == [("exit", "left")]
    assert log == [("terminate", "left")]


@row("GEN-048")
async def who_waits_for_a_later_reply_is_told_of_the_stop() -> None:
    server = await Scripted.start()

    def stop(one: Ref) -> None:
        one.send(Note(stops("left")))

    assert await told_side_by_side(server, Ask(defer), end=stop) == [("exit", "left")]


@row("GEN-049")
async def who_waits_in_the_queue_is_told_why_the_server_ended() -> None:
    server = await Scripted.start()
    told_them = await told_side_by_side(server, Ask(leave_later), HELLO, HELLO)
    assert told_them == [("exit", "left")] * 3


@row("GEN-050")
async def a_stop_with_a_reply_replies_to_its_caller_and_not_to_those_behind() -> None:
    async def handler(one: object, reply_to: object) -> Stop:
        await trio.sleep(1)
        return Stop("done", reply="reply")

    server = await Scripted.start()
    replies: list[Any] = []
    behind: list[Any] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(note_told, replies, server, Ask(handler))
        await trio.testing.wait_all_tasks_blocked()
        nursery.start_soon(note_told, behind, server, HELLO)
        nursery.start_soon(note_told, behind, server, HELLO)
    assert replies == [("reply", "reply")]
    assert behind == [("exit", "done")] * 2


@row("GEN-062")
async def a_linked_caller_that_does_not_trap_ends_with_the_servers_own_reason() -> None:
    async def client(end: Callable[..., None]) -> None:
        server = await start_link(Scripted.child_spec())
        await server.call(Ask(end))

    assert await reason_of(partial(client, leave)) == "left"
    assert await reason_of(partial(client, crash)) == Crashed(BOOM)


@row("GEN-063")
async def a_linked_caller_that_traps_is_told_by_the_call_and_by_a_message() -> None:
    async def client(end: Callable[..., None], reason: ExitReason) -> None:
        server = await start_link(Scripted.child_spec())
        assert await told(server, Ask(end)) == ("exit", reason)
        assert await left_in_mailbox() == [Exit(server.pid, reason)]

    await in_process(partial(client, leave, "left"), trap=True)
    await in_process(partial(client, crash, Crashed(BOOM)), trap=True)


@row("GEN-088")
async def last_words_see_the_state_that_a_stop_left() -> None:
    log: list[Any] = []

    def handler(one: Any) -> Stop:
        one.state = "new"
        return Stop("done")

    spec = Scripted.child_spec(
        log,
        init=lambda one: setattr(one, "state", "old"),
        terminate=lambda one, reason: log.append(one.state),
    )
    server = await start(spec)
    server.cast(Do(handler))
    assert await wait_exit(server) == "done"
    assert log == [("terminate", "done"), "new"]


@row("GEN-089")
async def last_words_see_the_state_that_a_raise_left() -> None:
    """differs: not the last one that a callback returned; the state is the object."""
    log: list[Any] = []

    def handler(one: Any) -> None:
        one.state = "half done"
        crash()

    spec = Scripted.child_spec(
        log,
        init=lambda one: setattr(one, "state", "old"),
        terminate=lambda one, reason: log.append(one.state),
    )
    server = await start(spec)
    server.cast(Do(handler))
    assert await wait_exit(server) == Crashed(BOOM)
    assert log == [("terminate", Crashed(BOOM)), "half done"]


@row("GEN-090")
async def a_server_that_ends_neither_normally_nor_in_order_is_reported(events: Recorder) -> None:
    unclean: list[tuple[Pid, ExitReason]] = []
    reasons = (Normal(), Shutdown(), Shutdown("x"), "left", Killed(), Crashed(BOOM))
    for reason in reasons:
        server = await Scripted.start()
        server.cast(Do(stops(reason)))
        assert await wait_exit(server) == reason
        if reason in reasons[3:]:
            unclean.append((server.pid, reason))
    assert [(crash.pid, crash.reason) for crash in events.of(ProcessCrashed)] == unclean
