"""Rows of GEN about calls: their order, replies that come later or twice, and time-outs."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import pytest
import trio
import trio.testing

from runtime import (
    CallTimeout,
    NoReply,
    OutsideProcess,
    Pid,
    Ref,
    ReplyTo,
    is_alive,
    kill,
    process_info,
    resume,
    self_,
    send,
    spawn,
    start,
    suspend,
    wait_exit,
)
from tests.conformance.gen.parts import HELLO, defer, left_in_mailbox, works_for
from tests.conformance.scenarios import row
from tests.support import Ask, Do, Note, Scripted, in_process


def note(number: int, server: Any, *reply_to: object) -> str | None:
    """A callback that writes down its number, and replies to a call."""
    server.log.append(number)
    return f"no. {number}" if reply_to else None


async def dead_client_of(server: Ref, request: Ask) -> None:
    """A client that is killed while it waits for its reply."""

    async def client() -> None:
        await server.call(request)

    pid = spawn(client)
    await trio.testing.wait_all_tasks_blocked()
    kill(pid)
    await wait_exit(pid)


async def too_slow(server: Ref, request: Ask, seconds: float) -> CallTimeout:
    """The error of a call that times out after exactly ``seconds``."""
    begun = trio.current_time()
    with pytest.raises(CallTimeout) as given_up:
        await server.call(request, timeout=seconds)
    assert trio.current_time() - begun == seconds
    return given_up.value


@row("GEN-032")
async def a_caller_gets_its_value_and_its_requests_are_handled_in_order() -> None:
    log: list[Any] = []
    server = await start(Scripted.child_spec(log))

    async def client() -> None:
        for number in range(0, 9, 3):
            server.cast(Do(partial(note, number)))
            server.send(Note(partial(note, number + 1)))
            assert await server.call(Ask(partial(note, number + 2))) == f"no. {number + 2}"

    await in_process(client)
    assert log == list(range(9))


@row("GEN-033")
async def casts_of_a_client_are_handled_before_its_call() -> None:
    server = await Scripted.start()
    for number in (1, 2, 3):
        server.cast(Do(partial(note, number)))
    assert await server.call(Ask(lambda one, reply_to: list(one.log))) == [1, 2, 3]


@row("GEN-034")
async def callers_of_a_suspended_server_are_served_as_they_arrived() -> None:
    log: list[Any] = []
    server = await start(Scripted.child_spec(log))
    await suspend(server)
    async with trio.open_nursery() as nursery:
        for number in range(5):
            nursery.start_soon(server.call, Ask(partial(note, number)))
            await trio.testing.wait_all_tasks_blocked()
        assert log == []
        await resume(server)
    assert log == [0, 1, 2, 3, 4]


@row("GEN-035")
async def a_reply_may_come_later_from_handle_info_or_from_another_process() -> None:
    server = await Scripted.start()

    def by_another(one: object, reply_to: ReplyTo[str]) -> NoReply:
        async def other() -> None:
            reply_to.reply("from another process")

        spawn(other)
        return NoReply()

    async def client() -> None:
        assert await server.call(Ask(defer)) == "from handle_info"
        assert await server.call(Ask(by_another)) == "from another process"

    async with trio.open_nursery() as nursery:
        nursery.start_soon(client)
        await trio.testing.wait_all_tasks_blocked()
        server.send(Note(lambda one: one.kept.reply("from handle_info")))


@row("GEN-036")
async def of_two_replies_the_first_counts() -> None:
    """differs: the second never reaches the caller's mailbox."""

    def handler(one: object, reply_to: ReplyTo[str]) -> str:
        reply_to.reply("first")
        return "second"

    async def client() -> list[object]:
        server = await Scripted.start()
        assert await server.call(Ask(handler)) == "first"
        assert await server.call(HELLO) == "hello"
        return await left_in_mailbox()

    assert await in_process(client) == []


@row("GEN-037")
async def a_reply_to_a_client_that_has_died_is_nothing() -> None:
    log: list[Any] = []
    server = await start(Scripted.child_spec(log))
    await dead_client_of(server, Ask(defer))

    def reply_late(one: Any) -> None:
        one.kept.reply("too late")
        log.append("replied")

    server.send(Note(reply_late))
    assert await server.call(HELLO) == "hello"
    assert log == ["replied"]


@row("GEN-038")
async def the_request_of_a_caller_that_was_killed_is_finished() -> None:
    log: list[Any] = []
    server = await start(Scripted.child_spec(log))
    await dead_client_of(server, works_for(3))
    assert log == []
    assert await server.call(HELLO) == "hello"
    assert log == ["done"]


@row("GEN-051")
async def a_call_that_takes_too_long_fails_and_the_server_finishes_the_work() -> None:
    log: list[Any] = []
    server = await start(Scripted.child_spec(log))
    request = works_for(3)
    given_up = await too_slow(server, request, 1)
    assert (given_up.target, given_up.request) == (server, request)
    assert log == []
    assert await server.call(HELLO) == "hello"
    assert log == ["done"]


@row("GEN-052")
async def a_late_reply_never_appears() -> None:
    log: list[Any] = []

    async def reply_late(one: Any, reply_to: ReplyTo[str]) -> NoReply:
        await trio.sleep(3)
        reply_to.reply("late")
        one.log.append("done")
        return NoReply()

    async def client() -> list[object]:
        server = await start(Scripted.child_spec(log))
        for request in (works_for(3), Ask(reply_late)):
            await too_slow(server, request, 1)
            assert await server.call(HELLO) == "hello"
        return await left_in_mailbox()

    assert await in_process(client) == []
    assert log == ["done", "done"]


@row("GEN-053")
async def a_timeout_of_zero_is_over_at_once() -> None:
    """And the request was sent: it is handled all the same, as after any other time-out."""
    log: list[Any] = []
    server = await start(Scripted.child_spec(log))
    await too_slow(server, Ask(partial(note, 1)), 0)
    assert is_alive(server)
    assert await server.call(HELLO) == "hello"
    assert log == [1]


@row("GEN-054")
async def a_negative_timeout_is_refused_and_nothing_is_sent() -> None:
    server = await Scripted.start()
    with pytest.raises(ValueError, match="timeout: got -1, allowed is 0 or more seconds"):
        await server.call(HELLO, timeout=-1)
    await trio.testing.wait_all_tasks_blocked()
    info = process_info(server)
    assert info is not None
    assert (info.handled, info.mailbox_length) == (0, 0)


@row("GEN-055")
async def an_infinite_timeout_waits() -> None:
    server = await Scripted.start()
    assert await server.call(works_for(1_000_000), timeout=math.inf) == "reply"


@row("GEN-056")
async def an_unrelated_message_is_left_in_place_by_a_call() -> None:
    async def client() -> list[object]:
        server = await Scripted.start()
        caller = self_()

        def handler(one: object, reply_to: object) -> str:
            send(caller, "during")
            return "reply"

        send(caller, "before")
        assert await server.call(Ask(handler)) == "reply"
        return await left_in_mailbox()

    assert await in_process(client) == ["before", "during"]


@row("GEN-057")
async def a_call_that_was_answered_says_nothing_of_the_servers_end() -> None:
    async def client() -> list[object]:
        server = await Scripted.start()
        assert await server.call(HELLO) == "hello"
        info = process_info(server)
        assert info is not None
        assert info.monitored_by == ()
        await server.stop()
        return await left_in_mailbox()

    assert await in_process(client) == []


@row("GEN-094")
async def each_call_has_a_reply_to_of_its_own() -> None:
    """differs: it does not say who calls, which may be a plain task that has no pid."""
    log: list[Any] = []
    server = await start(Scripted.child_spec(log))
    request = Ask(lambda one, reply_to: log.append(reply_to))
    with pytest.raises(OutsideProcess):
        self_()
    await server.call(request)
    await in_process(partial(server.call, request))
    first, second = log
    assert first is not second
    for one in log:
        assert not any(isinstance(getattr(one, name), Pid) for name in dir(one))
