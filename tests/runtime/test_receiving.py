"""``receive``: the first match is taken out, the rest stays as it was."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable

import msgspec
import pytest
import trio

from runtime import (
    Down,
    Killed,
    Node,
    OutsideProcess,
    ReceiveTimeout,
    demonitor,
    kill,
    monitor,
    process_info,
    receive,
    self_,
    send,
    spawn,
    wait_exit,
)
from tests.support import in_process, reason_of, stop_all


class Ping(msgspec.Struct, frozen=True):
    """A message."""

    number: int = 0


def waiting(*messages: object) -> Callable[[Callable[[], Awaitable[None]]], Awaitable[None]]:
    """Run a body as a process in whose mailbox ``messages`` are waiting."""

    async def run(body: Callable[[], Awaitable[None]]) -> None:
        async def filled() -> None:
            for message in messages:
                send(self_(), message)
            await body()

        await in_process(filled)

    return run


async def rest() -> list[object]:
    """All that is left in the mailbox."""
    left: list[object] = []
    while True:
        try:
            left.append(await receive(timeout=0))
        except ReceiveTimeout:
            return left


async def test_messages_are_received_in_the_order_sent(node: Node) -> None:
    """PROC-001."""

    async def body() -> None:
        assert [await receive() for _ in range(1000)] == list(range(1000))

    await waiting(*range(1000))(body)


async def test_a_selective_receive_leaves_the_others_in_order(node: Node) -> None:
    """PROC-002."""

    async def body() -> None:
        assert await receive(lambda message: message == "b") == "b"
        assert await rest() == ["a", "c"]

    await waiting("a", "b", "c")(body)


async def test_a_class_or_a_tuple_of_classes_matches_its_instances(node: Node) -> None:
    async def body() -> None:
        assert await receive(Ping) == Ping(1)
        assert await receive((int, Ping)) == 7
        assert await receive((int, Ping)) == Ping(2)
        assert await rest() == ["a"]

    await waiting("a", Ping(1), 7, Ping(2))(body)


@pytest.mark.parametrize("timeout", [0, 0.02, 1])
async def test_a_timeout_without_a_match_keeps_what_is_there(node: Node, timeout: float) -> None:
    """PROC-004."""

    async def body() -> None:
        before = trio.current_time()
        with pytest.raises(ReceiveTimeout, match=rf"no matching message within {timeout:g} s"):
            await receive(str, timeout=timeout)
        assert trio.current_time() - before == pytest.approx(timeout)
        assert await rest() == [1, 2]

    await waiting(1, 2)(body)


async def test_a_receive_timeout_is_a_timeout_error(node: Node) -> None:
    async def body() -> None:
        with pytest.raises(TimeoutError):
            await receive(timeout=1)

    await in_process(body)


@pytest.mark.parametrize("seconds", [0, 1e6, math.inf])
async def test_a_process_that_sleeps_is_not_disturbed_by_time_and_can_be_killed(
    node: Node, seconds: float
) -> None:
    """SYS-033."""

    async def body() -> None:
        await trio.sleep(seconds)
        await receive(timeout=1e9)

    pid = spawn(body)
    await trio.sleep(1)
    kill(pid)
    assert await wait_exit(pid) == Killed()


async def test_a_match_that_arrives_while_waiting_ends_the_wait(node: Node) -> None:
    async def body() -> None:
        me, before = self_(), trio.current_time()

        async def sender() -> None:
            for message in (1, 2, "match", "later"):
                await trio.sleep(1)
                send(me, message)

        spawn(sender)
        assert await receive(str, timeout=10) == "match"
        assert trio.current_time() - before == pytest.approx(3)
        await trio.sleep(5)
        assert await rest() == [1, 2, "later"]

    await in_process(body)


async def test_messages_that_do_not_match_do_not_prolong_the_timeout(node: Node) -> None:
    async def body() -> None:
        me, before = self_(), trio.current_time()

        async def sender() -> None:
            for number in range(30):
                await trio.sleep(0.1)
                send(me, number)

        pid = spawn(sender)
        with pytest.raises(ReceiveTimeout):
            await receive(str, timeout=1)
        assert trio.current_time() - before == pytest.approx(1)
        await stop_all(pid)

    await in_process(body)


async def test_cancelling_takes_nothing_out(node: Node) -> None:
    async def body() -> None:
        with trio.move_on_after(1) as scope:
            await receive(str)
        assert scope.cancelled_caught
        with trio.CancelScope() as cancelled:
            cancelled.cancel()
            await receive()
        assert cancelled.cancelled_caught
        assert await rest() == [1]

    await waiting(1)(body)


async def test_a_polling_loop_lets_others_run(node: Node) -> None:
    """Kernel trap: a retry loop must not freeze the program."""
    turns: list[int] = []

    async def other() -> None:
        while True:
            turns.append(1)
            await trio.lowlevel.checkpoint()

    async def body() -> None:
        assert await receive() == "first"
        before = len(turns)
        for _ in range(100):
            with pytest.raises(ReceiveTimeout):
                await receive(timeout=0)
        assert len(turns) - before >= 99  # who is first within a tick is random

    pid = spawn(other)
    await waiting("first")(body)
    await stop_all(pid)


async def test_a_full_mailbox_does_not_keep_others_from_running(node: Node) -> None:
    turns: list[int] = []

    async def other() -> None:
        while True:
            turns.append(1)
            await trio.lowlevel.checkpoint()

    async def body() -> None:
        before = len(turns)
        for _ in range(1000):
            await receive()
        assert len(turns) - before >= 30

    pid = spawn(other)
    await waiting(*range(1000))(body)
    await stop_all(pid)


async def test_what_a_helper_flushes_hides_nothing_from_a_waiting_receive(node: Node) -> None:
    async def nothing() -> None: ...

    async def body() -> None:
        me, mref = self_(), monitor(spawn(nothing))
        await trio.sleep(1)

        async def helper() -> None:
            await trio.sleep(1)
            demonitor(mref, flush=True)
            send(me, "match")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(helper)
            assert await receive(str, timeout=10) == "match"
        assert await rest() == []

    await in_process(body)


async def test_a_mailbox_has_one_reader_the_processs_own_task(node: Node) -> None:
    """Contract 1."""

    async def body() -> None:
        async def helper() -> None:
            with pytest.raises(OutsideProcess, match="helper task"):
                await receive()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(helper)

    await in_process(body)


@pytest.mark.parametrize(
    ("timeout", "error"),
    [(-1, ValueError), (math.nan, ValueError), ("5", TypeError), (True, TypeError)],
)
async def test_a_timeout_that_is_no_number_of_seconds_is_refused(
    node: Node, timeout: float, error: type[Exception]
) -> None:
    async def body() -> None:
        with pytest.raises(error, match=r"^timeout: got "):
            await receive(timeout=timeout)

    await in_process(body)


async def test_what_was_received_last_and_how_many_is_told(node: Node) -> None:
    async def body() -> None:
        await receive()
        await receive()
        info = process_info(self_())
        assert info is not None
        assert (info.handled, info.current, info.mailbox_length) == (2, "2", 1)

    await waiting(1, 2, 3)(body)


async def test_a_reader_that_is_killed_takes_nothing_with_it(node: Node) -> None:
    async def body() -> None:
        await receive()
        raise AssertionError("not reached")

    async def killed() -> None:
        kill(self_())
        send(self_(), "message")
        await body()

    assert await reason_of(killed) == Killed()


async def test_a_down_is_a_message_like_any_other(node: Node) -> None:
    async def nothing() -> None: ...

    async def body() -> None:
        send(self_(), "first")
        mref = monitor(spawn(nothing))
        assert (await receive(Down)).ref is mref
        assert await rest() == ["first"]

    await in_process(body)
