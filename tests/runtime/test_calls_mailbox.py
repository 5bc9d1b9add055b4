"""Calls to a server whose mailbox is full: never dropped silently, under no policy."""

from __future__ import annotations

from typing import Any

import pytest
import trio
import trio.lowlevel
import trio.testing

from runtime import (
    ChildSpec,
    MailboxFull,
    MailboxLimit,
    MailboxPolicy,
    MessageDropped,
    Node,
    Ref,
    get_state,
    process_info,
    resume,
    start,
    suspend,
)
from tests.conftest import Recorder
from tests.support import Ask, Do, Note, Scripted

QUICK = Ask(lambda server, reply_to: "reply")


def limited(length: int, policy: MailboxPolicy, log: list[Any] | None = None) -> ChildSpec:
    return Scripted.child_spec(log).replace(mailbox=MailboxLimit(length, policy))


async def busy(server: Ref, seconds: float = 10) -> None:
    """Let the server be in a handler for a while."""

    async def handler(one: object) -> None:
        await trio.sleep(seconds)

    server.cast(Do(handler))
    await trio.lowlevel.checkpoint()
    await trio.testing.wait_all_tasks_blocked()


@pytest.mark.parametrize("policy", ["raise", "drop_newest"])
async def test_a_call_to_a_full_mailbox_is_refused(node: Node, policy: MailboxPolicy) -> None:
    server = await start(limited(2, policy))
    await busy(server)
    server.send(Note(text="1"))
    server.send(Note(text="2"))
    begun = trio.current_time()
    with pytest.raises(MailboxFull) as caught:
        await server.call(QUICK)
    assert trio.current_time() == begun
    assert (caught.value.pid, caught.value.limit) == (server.pid, 2)
    assert str(caught.value) == f"the mailbox of {server.pid!r} holds its limit of 2 messages"
    info = process_info(server)
    assert info is not None
    assert (info.mailbox_length, info.dropped) == (2, 0)
    await trio.sleep(20)
    assert await server.call(QUICK) == "reply", "there is room again"


async def test_a_cast_or_info_over_the_limit_raises_only_under_the_policy_raise(
    node: Node, events: Recorder
) -> None:
    log: list[Any] = []
    policies: list[MailboxPolicy] = ["raise", "drop_newest", "drop_oldest"]
    for policy in policies:
        server = await start(limited(2, policy, log))
        await busy(server)
        for text in "abcd":
            if policy == "raise" and text in "cd":
                with pytest.raises(MailboxFull):
                    server.send(Note(text=text))
                with pytest.raises(MailboxFull):
                    server.cast(Do(lambda one: None))
            else:
                server.send(Note(text=text))
        await trio.sleep(20)
        await server.stop()
    texts = "".join(entry[1].text for entry in log if entry[0] == "info")
    assert texts == "ab" + "ab" + "cd"
    assert [event.total for event in events.of(MessageDropped)] == [1, 2, 1, 2]


async def test_the_oldest_call_makes_room_and_its_caller_hears_of_it(node: Node) -> None:
    """``drop_oldest``: the caller that was thrown out gets the error, the new one its reply."""
    server = await start(limited(2, "drop_oldest"))
    await busy(server, 1)
    got: list[tuple[int, Any]] = []

    async def client(number: int) -> None:
        await trio.sleep(number / 10)
        try:
            got.append((number, await server.call(QUICK)))
        except MailboxFull as exc:
            got.append((number, exc.limit))

    async with trio.open_nursery() as nursery:
        for number in range(4):
            nursery.start_soon(client, number)
    assert sorted(got) == [(0, 2), (1, 2), (2, "reply"), (3, "reply")]
    info = process_info(server)
    assert info is not None
    assert info.dropped == 0, "a call that was refused is not a message that was dropped"


async def test_a_call_throws_out_the_oldest_message(node: Node, events: Recorder) -> None:
    log: list[Any] = []
    server = await start(limited(1, "drop_oldest", log))
    await busy(server, 1)
    server.send(Note(text="lost"))
    assert await server.call(QUICK) == "reply"
    assert log == []
    (dropped,) = events.of(MessageDropped)
    assert (dropped.pid, dropped.total) == (server.pid, 1)
    assert "lost" in dropped.message


@pytest.mark.parametrize("policy", ["raise", "drop_newest", "drop_oldest"])
async def test_what_the_runtime_asks_always_fits(node: Node, policy: MailboxPolicy) -> None:
    """``get_state``, ``suspend``, ``stop``: and none of it is thrown out for a newer message."""
    server = await start(limited(1, policy))
    await suspend(server)
    if policy == "raise":
        server.send(Note(text="waits"))
    else:
        for _ in range(5):
            server.send(Note(text="waits"))
    assert "log" in await get_state(server)
    info = process_info(server)
    assert info is not None
    assert info.mailbox_length == 1
    await resume(server)
    await busy(server, 1)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.stop)
        await trio.sleep(0.1)
        if policy != "raise":
            for _ in range(5):
                server.send(Note(text="more"))


async def test_a_retry_loop_at_a_full_mailbox_lets_the_server_run(node: Node) -> None:
    server = await start(limited(1, "raise"))
    server.send(Note(text="fills it until the server gets a turn"))
    for attempt in range(100):
        try:
            assert await server.call(QUICK) == "reply"
        except MailboxFull:
            assert attempt < 10
        else:
            break


async def test_a_server_has_the_limit_of_its_class_unless_its_spec_says_otherwise(
    node: Node,
) -> None:
    class Limited(Scripted):
        mailbox = MailboxLimit(1)

    server = await Limited.start()
    roomy = await start(Limited.child_spec().replace(mailbox=None))
    for one in (server, roomy):
        await busy(one, 1)
        one.send(Note(text="1"))
    roomy.send(Note(text="2"))
    with pytest.raises(MailboxFull):
        server.send(Note(text="2"))
