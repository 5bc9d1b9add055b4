"""Rows of GEN about ``stop``: what it waits for, and what becomes of it when the end is another."""

from __future__ import annotations

from typing import Any

import pytest
import trio
import trio.testing

from runtime import (
    CallCycle,
    CallExit,
    CallTimeout,
    Crashed,
    ExitReason,
    Killed,
    Normal,
    Ref,
    is_alive,
    kill,
    named,
    ref,
    self_,
    start,
    wait_exit,
    whereis,
)
from tests.conformance.gen.parts import BOOM, crash, hang, leave
from tests.conformance.scenarios import row
from tests.conftest import Recorder
from tests.support import Ask, Do, Scripted, end_of


async def stop_told(server: Ref, reason: ExitReason = Normal()) -> object:
    """What one who stops the server gets."""
    try:
        await server.stop(reason)
    except CallExit as error:
        ended = error
    else:
        return "ok"
    assert ended.target is server
    return ended.reason


async def note_stopped(log: list[Any], server: Ref, reason: ExitReason) -> None:
    """Stop the server, and write down what one gets for it."""
    log.append(await stop_told(server, reason))


async def say_goodbye(server: Any, reason: object) -> None:
    """Last words that take their time."""
    await trio.sleep(3)
    server.log.append("goodbye")


@row("GEN-078")
async def stop_returns_when_the_last_words_are_said_and_the_server_is_gone(
    events: Recorder,
) -> None:
    log: list[Any] = []

    async def last_words(server: object, reason: object) -> None:
        await trio.sleep(80_000)
        log.append("goodbye")

    server = await start(Scripted.child_spec(log, terminate=last_words).replace(name="counter"))
    await server.stop()
    assert log == [("terminate", Normal()), "goodbye"]
    assert not is_alive(server)
    assert whereis("counter") is None
    assert end_of(events, server.pid) == Normal()


@row("GEN-079")
async def stop_gives_the_server_its_reason(events: Recorder) -> None:
    for reason in ("moving", Killed()):
        log: list[Any] = []
        server = await start(Scripted.child_spec(log))
        assert await stop_told(server, reason) == "ok"
        assert log == [("terminate", reason)]
        assert end_of(events, server.pid) == reason


@row("GEN-080")
async def what_was_queued_before_a_stop_is_handled_first() -> None:
    log: list[Any] = []
    server = await start(Scripted.child_spec(log))
    server.cast(Do(lambda one: log.append("cast")))
    server.send("info")
    await server.stop()
    assert log == ["cast", ("info", "info"), ("terminate", Normal())]


@row("GEN-081")
async def a_raise_in_the_last_words_is_the_exit_of_who_stops() -> None:
    server = await start(Scripted.child_spec(terminate=crash))
    assert await stop_told(server) == Crashed(BOOM)


@row("GEN-082")
async def another_reason_in_the_last_words_is_the_exit_of_who_stops() -> None:
    server = await start(Scripted.child_spec(terminate=leave))
    assert await stop_told(server) == "left"


@row("GEN-083")
async def a_stop_that_times_out_still_ends_the_server() -> None:
    log: list[Any] = []
    server = await start(Scripted.child_spec(log, terminate=say_goodbye))
    begun = trio.current_time()
    with pytest.raises(CallTimeout) as given_up:
        await server.stop(timeout=1)
    assert trio.current_time() - begun == 1
    assert given_up.value.target is server
    assert is_alive(server)
    assert log == [("terminate", Normal())]
    assert await wait_exit(server) == Normal()
    assert log == [("terminate", Normal()), "goodbye"]


@row("GEN-085")
async def a_server_that_stops_itself_gets_an_error_at_once() -> None:
    server = await start(Scripted.child_spec().replace(name="counter"))

    async def handler(one: object, reply_to: object) -> str:
        for me in (ref(self_()), named("counter")):
            with pytest.raises(CallCycle) as refused:
                await me.stop()
            assert refused.value.target is me
            assert refused.value.cycle == (self_(), self_())
        return "goes on"

    assert await server.call(Ask(handler)) == "goes on"
    assert is_alive(server)


@row("GEN-086")
async def of_two_stops_at_once_the_second_gets_the_servers_exit() -> None:
    """differs: unless it asked for the very reason that the server ended with."""
    for second, gets in (("later", "first"), ("first", "ok")):
        log: list[Any] = []
        told: list[list[Any]] = [[], []]
        server = await start(Scripted.child_spec(log, terminate=say_goodbye))
        async with trio.open_nursery() as nursery:
            for one, reason in zip(told, ("first", second), strict=True):
                nursery.start_soon(note_stopped, one, server, reason)
                await trio.testing.wait_all_tasks_blocked()
        assert told == [["ok"], [gets]]
        assert log == [("terminate", "first"), "goodbye"]


@row("GEN-087")
async def a_kill_in_the_last_words_is_the_exit_of_who_stops() -> None:
    log: list[Any] = []
    told: list[Any] = []
    server = await start(Scripted.child_spec(log, terminate=hang))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(note_stopped, told, server, Normal())
        await trio.testing.wait_all_tasks_blocked()
        assert told == []
        kill(server)
    assert told == [Killed()]
    assert log == [("terminate", Normal())]
