"""Calls to a process that is no server: ``receive`` gives it a ``Request``."""

from __future__ import annotations

import pytest
import trio

from runtime import (
    Call,
    CallExit,
    Node,
    ReplyDropped,
    Request,
    get_state,
    receive,
    ref,
    send,
    spawn,
)
from tests.support import stop_all


class Get(Call[int]):
    """A call that a plain process answers."""

    number: int = 0


async def test_a_call_to_a_plain_process_comes_as_a_request(node: Node) -> None:
    async def serves() -> None:
        while True:
            request = await receive(Request)
            assert isinstance(request.message, Get)
            assert repr(request) == f"Request({request.message!r})"
            request.reply_to.reply(request.message.number * 2)

    pid = spawn(serves)
    send(pid, "not a request")
    for number in range(3):
        assert await ref(pid).call(Get(number)) == number * 2
    await stop_all(pid)


async def test_a_request_that_is_looked_at_but_not_taken_stays_whole(node: Node) -> None:
    async def serves() -> None:
        await receive(lambda message: message == "go")
        request = await receive(Request)
        request.reply_to.reply(1)

    pid = spawn(serves)
    async with trio.open_nursery() as nursery:

        async def calls() -> None:
            assert await ref(pid).call(Get()) == 1

        nursery.start_soon(calls)
        await trio.sleep(1)
        send(pid, "other")
        send(pid, "go")


async def test_a_request_that_is_dropped_fails_its_caller_at_once(node: Node) -> None:
    async def drops() -> None:
        await receive(Request)
        await receive()

    pid = spawn(drops)
    with pytest.raises(ReplyDropped):
        await ref(pid).call(Get())
    await stop_all(pid)


async def test_a_caller_of_a_plain_process_hears_of_its_end(node: Node) -> None:
    async def ends() -> None:
        await trio.sleep(1)

    with pytest.raises(CallExit):
        await ref(spawn(ends)).call(Get())


async def test_a_plain_process_answers_no_system_calls(node: Node) -> None:
    pid = spawn(trio.sleep_forever)
    with pytest.raises(TypeError, match="is no server"):
        await get_state(pid)
    await stop_all(pid)
