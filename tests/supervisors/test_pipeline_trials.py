"""A test waits for its messages, all at once or as they come."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from supervisors.pipeline.message import Message
from supervisors.pipeline.trials import Acked, Trial


def messages_of(acks: Trial, *data: str) -> list[Message[str]]:
    return [Message(one, acks) for one in data]


async def test_all_waits_for_the_last() -> None:
    acks = Trial(4)
    a, b, c, d = messages_of(acks, "a", "b", "c", "d")

    async def tell() -> None:
        acks.ack(None, [a], [])
        await trio.sleep(1)
        acks.ack(None, [b], [c])
        await trio.sleep(1)
        acks.give_back(None, [d])

    async with trio.open_nursery() as nursery:
        nursery.start_soon(tell)
        assert await acks.all() == Acked((a, b), (c,), (d,))
    assert trio.current_time() == 2
    assert acks.missing == 0
    assert await acks.all() == Acked()


async def test_they_come_one_by_one_and_once() -> None:
    acks = Trial(3)
    a, b, c = messages_of(acks, "a", "b", "c")
    acks.ack(None, [a], [b])
    assert acks.missing == 3
    async for first in acks:
        assert first == Acked((a,), (b,))
        assert len(first) == 2
        break
    assert acks.missing == 1
    with trio.move_on_after(1) as scope:
        await acks.all()
    assert scope.cancelled_caught
    acks.ack(None, [c], [])
    assert [ack async for ack in acks] == [Acked((c,))]


@pytest.mark.parametrize("way", ["all", "one by one"])
async def test_cancelling_the_reader_loses_nothing(way: str) -> None:
    acks = Trial(2)
    a, b = messages_of(acks, "a", "b")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(acks.all if way == "all" else acks.__anext__)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
        acks.ack(None, [a], [])
    acks.ack(None, [b], [])
    assert await acks.all() == Acked((a, b))


async def test_more_than_expected_is_told_too() -> None:
    acks = Trial(1)
    a, b = messages_of(acks, "a", "b")
    acks.ack(None, [a], [])
    acks.ack(None, [b], [])
    assert await acks.all() == Acked((a, b))


async def test_without_messages_there_is_nothing_to_wait_for() -> None:
    assert await Trial(0).all() == Acked()
