"""A full mailbox of a live process: who is told, what is dropped, what always fits."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress

import pytest
import trio

from runtime import (
    Call,
    CallError,
    Cast,
    Down,
    Exit,
    MailboxFull,
    MailboxLimit,
    MailboxPolicy,
    MessageDropped,
    Node,
    Pid,
    ReceiveTimeout,
    Request,
    exit,
    get_state,
    kill,
    monitor,
    open_node,
    process_info,
    receive,
    ref,
    send,
    send_after,
    spawn,
    start,
    trap_exits,
    wait_exit,
)
from runtime.current import find_process
from tests.conftest import Recorder
from tests.support import Ask, Do, Note, Scripted, in_process, stop_all


class Get(Call[str]):
    """A call."""


class Add(Cast):
    """A cast."""


class Reader:
    """A process with a limited mailbox that does not read until it is told."""

    def __init__(self, policy: MailboxPolicy, length: int = 2) -> None:
        self.go = trio.Event()
        self.got: list[object] = []
        self.pid = spawn(self._body, mailbox=MailboxLimit(length, policy))

    async def _body(self) -> None:
        trap_exits()
        await self.go.wait()
        while True:
            try:
                message = await receive(timeout=0)
            except ReceiveTimeout:
                return
            if isinstance(message, Request):
                message.reply_to.reply("answer")
            self.got.append(message)

    async def read(self) -> list[object]:
        self.go.set()
        await wait_exit(self.pid)
        return self.got

    def dropped(self) -> tuple[int, int]:
        info = process_info(self.pid)
        assert info is not None
        return info.mailbox_length, info.dropped


async def test_raise_tells_the_sender_and_keeps_what_is_there(node: Node) -> None:
    reader = Reader("raise")
    send(reader.pid, 1)
    ref(reader.pid).cast(Add())
    calls: tuple[Callable[[], None], ...] = (
        lambda: send(reader.pid, 3),
        lambda: ref(reader.pid).send(3),
        lambda: ref(reader.pid).cast(Add()),
    )
    for call in calls:
        with pytest.raises(MailboxFull, match="holds its limit of 2 messages") as raised:
            call()
        assert (raised.value.pid, raised.value.limit) == (reader.pid, 2)
    assert reader.dropped() == (2, 0)
    assert await reader.read() == [1, Add()]


async def test_drop_newest_drops_the_new_message_counted_and_reported(
    node: Node, events: Recorder
) -> None:
    reader = Reader("drop_newest")
    for number in range(5):
        send(reader.pid, number)
    assert reader.dropped() == (2, 3)
    assert events.of(MessageDropped) == [
        MessageDropped(reader.pid, str(number), number - 1, "_body") for number in (2, 3, 4)
    ]
    assert await reader.read() == [0, 1]


async def test_drop_oldest_drops_the_oldest_message_counted_and_reported(
    node: Node, events: Recorder
) -> None:
    reader = Reader("drop_oldest")
    for number in range(5):
        send(reader.pid, number)
    assert reader.dropped() == (2, 3)
    assert events.of(MessageDropped) == [
        MessageDropped(reader.pid, str(number), number + 1, "_body") for number in (0, 1, 2)
    ]
    assert await reader.read() == [3, 4]


@pytest.mark.parametrize("policy", ["raise", "drop_newest"])
async def test_a_call_is_never_dropped_silently_its_caller_gets_mailbox_full(
    node: Node, policy: MailboxPolicy
) -> None:
    reader = Reader(policy, 1)
    send(reader.pid, 1)
    with pytest.raises(MailboxFull):
        await ref(reader.pid).call(Get())
    assert reader.dropped() == (1, 0)
    assert await reader.read() == [1]


async def test_a_call_that_is_evicted_fails_its_caller_at_once(node: Node) -> None:
    reader = Reader("drop_oldest", 1)

    async def calls() -> None:
        before = trio.current_time()
        with pytest.raises(MailboxFull) as raised:
            await ref(reader.pid).call(Get(), timeout=100)
        assert raised.value.pid is reader.pid
        assert trio.current_time() == before + 1

    async with trio.open_nursery() as nursery:
        nursery.start_soon(calls)
        await trio.sleep(1)
        send(reader.pid, "newer")
    assert reader.dropped() == (1, 0)
    assert await reader.read() == ["newer"]


async def test_a_call_evicts_an_older_message_and_is_answered(node: Node) -> None:
    reader = Reader("drop_oldest", 1)
    send(reader.pid, "older")
    answers: list[str] = []

    async def calls() -> None:
        answers.append(await ref(reader.pid).call(Get()))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(calls)
        await trio.sleep(1)
        await reader.read()
    assert answers == ["answer"]


@pytest.mark.parametrize("policy", ["raise", "drop_newest", "drop_oldest"])
async def test_what_the_runtime_sends_always_fits_and_is_never_dropped(
    node: Node, policy: MailboxPolicy
) -> None:
    """Losing one of those would lose a death."""
    reader = Reader(policy, 1)
    await trio.sleep(1)
    send(reader.pid, "user's")
    for number in range(5):
        exit(reader.pid, number)
    assert reader.dropped() == (6, 0)
    exits = [Exit(None, number) for number in range(5)]
    assert await reader.read() == ["user's", *exits]


@pytest.mark.parametrize("policy", ["raise", "drop_newest", "drop_oldest"])
async def test_a_limit_counts_only_what_users_send(node: Node, policy: MailboxPolicy) -> None:
    reader = Reader(policy, 2)
    await trio.sleep(1)
    for number in range(5):
        exit(reader.pid, number)
    send(reader.pid, "one")
    exit(reader.pid, 5)
    send(reader.pid, "two")
    assert reader.dropped() == (8, 0)
    users = [message for message in await reader.read() if isinstance(message, str)]
    assert users == ["one", "two"]


async def test_what_is_evicted_hides_nothing_from_a_waiting_receive(node: Node) -> None:
    got: list[object] = []

    async def selective() -> None:
        got.append(await receive(str))
        got.extend([await receive() for _ in range(2)])

    pid = spawn(selective, mailbox=MailboxLimit(3, "drop_oldest"))
    await trio.sleep(1)
    for number in range(10):
        send(pid, number)
        await trio.lowlevel.checkpoint()
    send(pid, "match")
    await trio.sleep(1)
    assert got == ["match", 8, 9]


async def test_monitors_of_a_limited_process_get_through(node: Node) -> None:
    downs: list[Down] = []

    async def watcher() -> None:
        for pid in watched:
            monitor(pid)
        await trio.sleep(2)
        downs.extend([await receive(Down) for _ in watched])

    watched = [spawn(trio.sleep_forever) for _ in range(10)]
    pid = spawn(watcher, mailbox=MailboxLimit(1))
    await trio.sleep(1)
    for one in watched:
        kill(one)
    await wait_exit(pid)
    assert {down.pid for down in downs} == set(watched)


async def test_a_limited_server_answers_system_calls_however_full_it_is(node: Node) -> None:
    spec = Scripted.child_spec().replace(mailbox=MailboxLimit(1))
    server = await start(spec)

    async def busy(_server: Scripted) -> None:
        await trio.sleep(5)

    server.cast(Do(busy))
    await trio.sleep(1)
    server.send(Note())
    with pytest.raises(MailboxFull):
        await server.call(Ask(lambda _server, _reply_to: 1))
    assert "log" in await get_state(server, timeout=10)
    await server.stop()


async def test_a_dead_process_takes_and_refuses_nothing(node: Node) -> None:
    async def body() -> None:
        pid: Pid = spawn(trio.sleep_forever, mailbox=MailboxLimit(1))
        await stop_all(pid)
        for _ in range(3):
            send(pid, "vanishes")

    await in_process(body)


async def test_a_drop_of_what_cannot_be_shown_is_reported_all_the_same(
    node: Node, events: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Unprintable:
        def __repr__(self) -> str:
            raise ValueError("no repr")

    reported: list[object] = []
    monkeypatch.setattr("sys.excepthook", lambda *details: reported.append(details[1]))
    reader = Reader("drop_newest", 1)
    send(reader.pid, 1)
    send(reader.pid, Unprintable())
    (dropped,) = events.of(MessageDropped)
    assert dropped.message == "<Unprintable whose repr raises>"
    assert [str(one) for one in reported] == ["no repr"]
    assert await reader.read() == [1]


async def test_a_death_that_a_user_forwards_is_not_dropped_either(node: Node) -> None:
    reader = Reader("drop_oldest", 1)
    forwarded = Exit(None, "forwarded")
    send(reader.pid, forwarded)
    send(reader.pid, "one")
    send(reader.pid, "two")
    assert await reader.read() == [forwarded, "two"]


async def test_drops_are_counted_also_when_nobody_wants_to_hear_of_them() -> None:
    async with open_node(instruments=[]):
        reader = Reader("drop_newest", 1)
        for number in range(3):
            send(reader.pid, number)
        assert reader.dropped() == (1, 2)
        assert await reader.read() == [0]


@pytest.mark.parametrize("policy", ["raise", "drop_newest", "drop_oldest"])
@pytest.mark.parametrize("seed", range(20))
async def test_it_never_holds_more_than_its_limit_of_users_messages(
    node: Node, policy: MailboxPolicy, seed: int
) -> None:
    """Whatever comes, from whomever, in whatever order, read slowly."""
    dice = random.Random(seed)

    async def slow_reader() -> None:
        trap_exits()
        while True:
            await trio.sleep(1)
            await receive(lambda _message: dice.random() < 0.3)

    async def call() -> None:
        with suppress(MailboxFull, CallError):
            await ref(pid).call(Get(), timeout=dice.randrange(3))

    pid = spawn(slow_reader, mailbox=MailboxLimit(3, policy))
    process = find_process(pid)
    assert process is not None
    await trio.sleep(0.5)
    most = 0
    sends: tuple[Callable[[], object], ...] = (
        lambda: send(pid, "info"),
        lambda: ref(pid).cast(Add()),
        lambda: send_after(pid, "timer", dice.randrange(3)),
        lambda: exit(pid, "signal"),
        lambda: nursery.start_soon(call),
    )
    async with trio.open_nursery() as nursery:
        for _ in range(200):
            with suppress(MailboxFull):
                dice.choice(sends)()
            if dice.random() < 0.3:
                await trio.sleep(dice.randrange(2))
            users = [one for one in process.mailbox.items if not isinstance(one, Exit)]
            most = max(most, len(users))
        kill(pid)
    assert most == 3
