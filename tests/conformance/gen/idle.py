"""Rows of GEN about the idle time-out: who arms it, what calls it off, how it arrives."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import trio
import trio.testing

from runtime import Continue, Idle, IdleTimeout, NoReply, Ref, Reply, ReplyTo, self_, send, start
from tests.conformance.scenarios import row
from tests.support import Ask, Do, Note, Scripted

TOLD = ("info", IdleTimeout())


def put_off(one: object, reply_to: ReplyTo[str]) -> NoReply:
    """Answered by hand, and then idle."""
    reply_to.reply("reply")
    return NoReply(then=Idle(2))


async def by_call(server: Ref) -> None:
    await server.call(Ask(lambda one, reply_to: Reply("reply", then=Idle(2))))


async def by_call_without_a_reply(server: Ref) -> None:
    await server.call(Ask(put_off))


async def by_cast(server: Ref) -> None:
    server.cast(Do(lambda one: Idle(2)))


async def by_info(server: Ref) -> None:
    server.send(Note(lambda one: Idle(2)))


async def by_info_as_noreply(server: Ref) -> None:
    server.send(Note(lambda one: NoReply(then=Idle(2))))


async def by_continue(server: Ref) -> None:
    server.send(Note(lambda one: Continue(lambda again: Idle(2))))


ARM: list[Callable[[Ref], Awaitable[None]]] = [
    by_call, by_call_without_a_reply, by_cast, by_info, by_info_as_noreply, by_continue,
]  # fmt: skip


async def idle_server(log: list[Any], seconds: float) -> Ref:
    """A server that waits idle from its start."""
    return await start(Scripted.child_spec(log, init=lambda one: Idle(seconds)))


@row("GEN-072")
async def every_callback_may_say_how_long_to_wait_idle() -> None:
    logs: list[list[Any]] = [[] for _ in range(7)]
    await idle_server(logs[0], 2)
    for log, arm in zip(logs[1:], ARM, strict=True):
        await arm(await start(Scripted.child_spec(log)))
    await trio.sleep(1.9)
    assert logs == [[]] * 7
    await trio.sleep(0.2)
    assert logs == [[TOLD]] * 7
    await trio.sleep(20)
    assert logs == [[TOLD]] * 7


@row("GEN-073")
async def any_message_calls_the_idle_timeout_off_until_it_is_returned_again() -> None:
    log: list[Any] = []
    servers = [await idle_server(log, 2) for _ in range(3)]
    await trio.sleep(1)
    servers[0].send(Note(lambda one: None))
    servers[1].cast(Do(lambda one: None))
    await servers[2].call(Ask(lambda one, reply_to: "reply"))
    await trio.sleep(20)
    assert log == []
    for server in servers:
        await by_info(server)
    await trio.sleep(1.9)
    assert log == []
    await trio.sleep(0.2)
    assert log == [TOLD] * 3


@row("GEN-074")
async def an_idle_time_of_zero_does_not_fire_before_a_queued_message() -> None:
    log: list[Any] = []

    def init(one: object) -> Idle:
        send(self_(), "queued")
        return Idle(0)

    await start(Scripted.child_spec(log, init=init))
    await trio.sleep(20)
    assert log == [("info", "queued")]


@row("GEN-075")
async def an_idle_time_of_zero_fires_when_nothing_is_queued() -> None:
    log: list[Any] = []
    begun = trio.current_time()
    await idle_server(log, 0)
    await trio.testing.wait_all_tasks_blocked()
    assert log == [TOLD]
    assert trio.current_time() == begun


@row("GEN-076")
async def an_idle_timeout_that_was_sent_looks_like_one() -> None:
    sent: list[Any] = []
    fired: list[Any] = []
    (await start(Scripted.child_spec(sent))).send(IdleTimeout())
    await idle_server(fired, 1)
    await trio.sleep(2)
    assert sent == fired == [TOLD]


@row("GEN-077")
async def the_idle_time_begins_with_the_reply() -> None:
    log: list[Any] = []
    server = await start(Scripted.child_spec(log))
    reply = await server.call(Ask(lambda one, reply_to: Reply("reply", then=Idle(2))))
    log.append(reply)
    await trio.sleep(1.9)
    assert log == ["reply"]
    await trio.sleep(0.2)
    assert log == ["reply", TOLD]
