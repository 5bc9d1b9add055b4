"""A test waits for its messages, all at once or as they come."""

from __future__ import annotations

from typing import Any

import pytest
import trio
import trio.testing

from runtime import Node, ProcessNotFound
from supervisors.pipeline.declaration import Group, Producers, declare
from supervisors.pipeline.line import Line
from supervisors.pipeline.message import Acknowledger, AnyMessage, Message
from supervisors.pipeline.trials import Acked, Trial, push
from tests.supervisors.pipeline_parts import Running, batched


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


class Book(Acknowledger):
    """Takes options, and writes down what it is told."""

    def __init__(self) -> None:
        self.log: list[object] = []

    async def ack(
        self, reference: Any, successful: list[AnyMessage], failed: list[AnyMessage]
    ) -> None:
        self.log.append((reference, [m.receipt for m in successful], [m.receipt for m in failed]))

    async def give_back(self, reference: Any, messages: list[AnyMessage]) -> None:
        self.log.append((reference, [message.receipt for message in messages]))

    def configure(self, reference: Any, receipt: Any, options: Any) -> object:
        return receipt, options


async def test_a_message_of_its_own_acknowledger_is_told_of_twice(node: Node) -> None:
    """BW-65."""
    book = Book()

    def handle(message: AnyMessage) -> AnyMessage:
        if message.data == "b":
            return message.configure_ack(retry=2).fail("no")
        return message

    run = await Running(handle=handle).start()
    given = [Message(data, book, "ref", data.upper(), {"line": 3}) for data in "ab"]
    trial = run.ref.test_batch(given, metadata={"test": True})
    acked = await trial.all()
    (good,), (bad,) = acked.successful, acked.failed
    assert (good.data, good.metadata) == ("a", {"line": 3, "test": True})
    assert (bad.data, bad.acknowledger) == ("b", book)
    told = ["A"], [("B", {"retry": 2})]
    assert book.log in ([("ref", *told)], [("ref", told[0], []), ("ref", [], told[1])])
    await run.stop()


async def test_what_is_lost_is_given_back_to_both(node: Node) -> None:
    book = Book()

    async def handle(message: AnyMessage) -> AnyMessage:
        await trio.sleep_forever()
        return message

    run = await Running(handle=handle).start()
    trial = run.ref.test_batch([Message("a", book, "ref", "A"), "b"])
    await run.settle()
    await run.kill("processor_0")
    acked = await trial.all()
    assert sorted(message.data for message in acked.given_back) == ["a", "b"]
    assert book.log == [("ref", ["A"])]
    await run.stop()


async def test_a_test_may_choose_whether_batches_wait(node: Node) -> None:
    """BW-63, BW-64."""
    run = await Running().start(batchers=batched(2, timeout=5.0))
    await run.ref.test_message("a").all()
    await run.ref.test_batch(["b", "c", "d"], flush=True).all()
    assert trio.current_time() == 0
    seen = [acked async for acked in run.ref.test_batch(["e", "f", "g"])]
    assert [[message.data for message in acked.successful] for acked in seen] == [["e", "f"], ["g"]]
    assert trio.current_time() == 5
    await run.stop()


async def test_a_message_cannot_be_pushed_twice(node: Node) -> None:
    run = await Running().start()
    message = Message("a")
    await run.ref.test_message(message).all()
    with pytest.raises(ValueError, match="a second time"):
        run.ref.test_message(message)
    await run.stop()


async def test_without_a_producer_there_is_nobody_to_push_to(node: Node) -> None:
    line = Line(declare("line", Producers(lambda _: None), {"default": Group(None)}))
    with pytest.raises(ProcessNotFound, match=r"there is no process 'line\.producer_0'"):
        push(line, ["a"], flush=False)
    assert line.custody.under_way == 0
