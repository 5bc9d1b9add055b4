"""Rows of PROC about the mailbox and about sending: order, selective receive, who is not there."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from runtime import (
    Pid,
    ProcessNotFound,
    ReceiveTimeout,
    named,
    receive,
    ref,
    self_,
    send,
    spawn,
)
from tests.conformance.proc.parts import dead, peer, rest_of_mailbox
from tests.conformance.scenarios import row
from tests.conftest import Recorder
from tests.support import Do, in_process


def in_mailbox(*messages: object) -> None:
    """Put messages into the mailbox of the calling process."""
    for message in messages:
        send(self_(), message)


@row("PROC-001")
async def each_senders_messages_are_received_in_the_order_sent() -> None:
    receiver = await peer()

    async def sends(kind: Callable[[int], object]) -> None:
        for number in range(1, 1001):
            send(receiver.pid, kind(number))
            if number % 10 == 0:
                await trio.lowlevel.checkpoint()

    spawn(sends, int)
    spawn(sends, str)
    await wait_all_tasks_blocked()
    one = [message for message in receiver.heard if isinstance(message, int)]
    other = [message for message in receiver.heard if isinstance(message, str)]
    assert one == list(range(1, 1001))
    assert other == [str(number) for number in range(1, 1001)]
    assert len(receiver.heard) == 2000


@row("PROC-002")
async def a_selective_receive_leaves_the_others_in_order() -> None:
    async def body() -> None:
        in_mailbox("a", "b", "c")
        assert await receive(lambda message: message == "b") == "b"
        assert await rest_of_mailbox() == ["a", "c"]

    await in_process(body)


@row("PROC-003")
async def with_no_time_a_message_that_matches_is_returned() -> None:
    async def body() -> None:
        in_mailbox("message")
        assert await receive(str, timeout=0) == "message"
        assert await rest_of_mailbox() == []

    await in_process(body)


@row("PROC-004")
async def a_timeout_keeps_the_messages_that_do_not_match() -> None:
    async def body() -> None:
        in_mailbox(1, 2)
        before = trio.current_time()
        with pytest.raises(ReceiveTimeout):
            await receive(str, timeout=0.02)
        assert trio.current_time() - before == pytest.approx(0.02)
        assert await rest_of_mailbox() == [1, 2]

    await in_process(body)


@row("PROC-005")
async def sleeping_consumes_nothing() -> None:
    async def body() -> None:
        in_mailbox("message")
        before = trio.current_time()
        await trio.sleep(10)
        assert trio.current_time() - before == pytest.approx(10)
        assert await rest_of_mailbox() == ["message"]

    await in_process(body)


@row("PROC-006")
async def a_message_to_the_dead_vanishes(events: Recorder) -> None:
    """differs: sending returns nothing."""
    pid = await dead()
    before = list(events)
    sending: Callable[[Pid, object], object] = send
    assert sending(pid, "message") is None
    ref(pid).send("message")
    await wait_all_tasks_blocked()
    assert events == before


@row("PROC-007")
async def sending_by_a_name_nobody_holds_raises_in_the_sender() -> None:
    pid = await dead()

    async def sender() -> None:
        with pytest.raises(ProcessNotFound) as raised:
            send(named("nobody"), "message")
        assert raised.value.target == named("nobody")
        send(pid, "message")
        ref(pid).cast(Do(print))
        named("nobody").cast(Do(print))

    await in_process(sender)
