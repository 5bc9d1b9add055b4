"""Waking a process: many wake-ups for one sleep, in one tick, from many senders."""

from __future__ import annotations

from contextlib import suppress

import pytest
import trio
import trio.testing

from runtime import (
    CallTimeout,
    Killed,
    Node,
    Pid,
    ReceiveTimeout,
    exit,
    kill,
    process_info,
    receive,
    self_,
    send,
    spawn,
    start,
    trap_exits,
    wait_exit,
)
from runtime.current import find_process
from tests.conftest import Recorder
from tests.support import Ask, Scripted, end_of, in_process

TICKS = 200


async def test_a_message_in_the_same_tick_as_the_timeout_is_received_or_kept(node: Node) -> None:
    """Kernel trap: a double reschedule would end the whole run. No message is ever lost."""
    outcomes: dict[str, int] = {"received": 0, "kept": 0}

    async def reader() -> None:
        for _ in range(TICKS):
            try:
                assert await receive(timeout=1) == "tick"
                outcomes["received"] += 1
            except ReceiveTimeout:
                assert await receive() == "tick"
                outcomes["kept"] += 1
            send_next.set()

    pid = spawn(reader)
    for _ in range(TICKS):
        send_next = trio.Event()
        await trio.sleep(1)
        send(pid, "tick")
        await send_next.wait()
    await wait_exit(pid)
    assert sum(outcomes.values()) == TICKS


async def test_a_reply_in_the_same_tick_as_the_timeout_ends_the_call_once(node: Node) -> None:
    async def later(_server: Scripted, reply_to: object) -> str:
        await trio.sleep(1)
        return "reply"

    server = await start(Scripted.child_spec())
    ended = 0
    for _ in range(TICKS):
        try:
            assert await server.call(Ask(later), timeout=1) == "reply"
        except CallTimeout:
            pass
        ended += 1
        await trio.sleep(1)
    assert ended == TICKS
    await server.stop()


@pytest.mark.parametrize("first", ["message", "signal"])
async def test_a_message_and_an_exit_signal_in_the_same_tick(
    node: Node, events: Recorder, first: str
) -> None:
    """Whichever comes first, the process ends with the signal's reason."""

    async def reader() -> None:
        while True:
            await receive()

    pids = [spawn(reader) for _ in range(TICKS)]
    await trio.sleep(1)
    for pid in pids:
        if first == "message":
            send(pid, "message")
            exit(pid, "signal")
        else:
            exit(pid, "signal")
            send(pid, "message")
    await trio.sleep(1)
    assert {end_of(events, pid) for pid in pids} == {"signal"}


async def test_a_message_and_a_cancellation_in_the_same_tick_lose_nothing(node: Node) -> None:
    """Kernel trap: a cancel after the wake-up is not delivered to the wait, the message is."""

    async def body() -> None:
        received = 0
        for number in range(TICKS):
            with trio.CancelScope() as scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(disturb, scope, self_(), number % 2 == 0)
                    assert await receive() == "message"
                    received += 1
            if scope.cancelled_caught and received <= number:
                assert await receive(timeout=0) == "message"
                received += 1
        assert received == TICKS
        assert info_length(self_()) == 0

    async def disturb(scope: trio.CancelScope, pid: Pid, message_first: bool) -> None:
        await trio.sleep(1)
        if message_first:
            send(pid, "message")
            scope.cancel()
        else:
            scope.cancel()
            send(pid, "message")

    await in_process(body)


def info_length(pid: Pid) -> int:
    info = process_info(pid)
    assert info is not None
    return info.mailbox_length


async def test_many_messages_in_one_tick_wake_once_and_all_arrive(node: Node) -> None:
    """PROC-001."""

    received: list[object] = []

    async def reader() -> None:
        received.extend([await receive() for _ in range(1000)])

    target = spawn(reader)
    await trio.sleep(1)
    for number in range(1000):
        send(target, number)
    await wait_exit(target)
    assert received == list(range(1000))


async def test_a_thousand_senders_in_random_order_keep_each_senders_order(node: Node) -> None:
    """PROC-001: order is promised per pair of sender and receiver."""
    received: list[tuple[int, int]] = []

    async def reader() -> None:
        received.extend([await receive(tuple) for _ in range(3000)])

    async def sender(number: int) -> None:
        for count in range(3):
            send(target, (number, count))
            await trio.lowlevel.checkpoint()

    target = spawn(reader)
    senders = [spawn(sender, number) for number in range(1000)]
    await wait_exit(target)
    for number in range(1000):
        assert [count for who, count in received if who == number] == [0, 1, 2]
    assert len(senders) == 1000


async def test_a_message_from_before_the_first_step_is_there(node: Node) -> None:
    """Kernel trap: a fresh process is not parked yet."""
    received: list[object] = []

    async def reader() -> None:
        received.append(await receive())
        received.append(await receive())

    pid = spawn(reader)
    send(pid, "before")
    await trio.testing.wait_all_tasks_blocked()
    send(pid, "parked")
    await wait_exit(pid)
    assert received == ["before", "parked"]


async def test_a_process_that_works_is_not_woken_from_its_work(node: Node) -> None:
    """The parked flag: only a process that sleeps in its mailbox is woken by a message."""
    log: list[object] = []

    async def worker() -> None:
        started = trio.current_time()
        await trio.sleep(5)
        log.append(round(trio.current_time() - started))
        event = trio.Event()
        with trio.move_on_after(5):
            await event.wait()
        log.append(await receive())

    pid = spawn(worker)
    for _ in range(8):
        await trio.sleep(1)
        send(pid, "message")
    await wait_exit(pid)
    assert log == [5, "message"]


async def test_an_exit_signal_wakes_a_parked_process_behind_a_shield_only_to_look(
    node: Node,
) -> None:
    log: list[object] = []

    async def body() -> None:
        with trio.CancelScope(shield=True):
            log.append(await receive(timeout=10))
        await trio.lowlevel.checkpoint()
        log.append("not reached")

    pid = spawn(body)
    await trio.sleep(1)
    exit(pid, "signal")
    kill(pid)
    await trio.sleep(1)
    send(pid, "still served")
    assert await wait_exit(pid) == Killed()
    assert log == ["still served"]


async def test_a_message_to_itself_is_found_by_the_next_receive(node: Node) -> None:
    async def body() -> object:
        send(self_(), "mine")
        return await receive(timeout=0)

    assert await in_process(body) == "mine"


async def test_the_flag_is_down_whenever_the_process_is_not_in_its_mailbox(node: Node) -> None:
    async def body() -> None:
        with trio.move_on_after(1):
            await receive()
        await receive(lambda message: message == "go")
        await trio.sleep_forever()

    pid = spawn(body)
    process = find_process(pid)
    assert process is not None
    flags = [process.parked]
    for step in (0.5, 1.0):
        await trio.sleep(step)
        flags.append(process.parked)
    send(pid, "no match")
    await trio.sleep(1)
    flags.append(process.parked)
    send(pid, "go")
    await trio.sleep(1)
    flags.append(process.parked)
    kill(pid)
    await wait_exit(pid)
    flags.append(process.parked)
    assert flags == [False, True, True, True, False, False]


async def test_kill_at_every_step_ends_a_process_that_traps(node: Node, events: Recorder) -> None:
    """PROC-021, at every moment of a life."""

    async def body() -> None:
        trap_exits()
        await trio.sleep(0.1)
        with suppress(ReceiveTimeout):
            await receive(lambda _message: False, timeout=0.2)
        await trio.lowlevel.checkpoint()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            with trio.fail_after(3):
                await receive(lambda _message: False)

    for step in range(60):
        pid = spawn(body)
        for _ in range(step % 6):
            await trio.lowlevel.checkpoint()
        await trio.sleep(step / 100)
        exit(pid, "trapped")
        kill(pid)
        await trio.sleep(5)
        assert end_of(events, pid) == Killed()
