"""Processors: what becomes of a message in ``prepare_messages`` and ``handle_message``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import trio

from runtime import BadResult, CallbackFailed, Node, ProcessExit
from supervisors.pipeline.declaration import Batcher, Processors
from supervisors.pipeline.message import AnyMessage, Message
from supervisors.pipeline.pipeline import Pipeline
from tests.conftest import Recorder
from tests.supervisors.pipeline_parts import Messages, Running, batched


def raising(error: BaseException) -> Callable[[Message[int]], Message[int]]:
    """Raises for 2."""

    def handle(message: Message[int]) -> Message[int]:
        if message.data == 2:
            raise error
        return message

    return handle


def returning(value: Callable[[Message[int]], Any]) -> Pipeline[int]:
    class Returning(Pipeline[int]):
        def handle_message(self, message: Message[int]) -> Any:
            return value(message) if message.data == 2 else message

        def handle_batch(self, messages: Messages, batch: object) -> Messages:
            return messages

    return Returning()


async def ran(run: Running, **options: Any) -> Running:
    await run.start(**options)
    await run.settle()
    await run.stop()
    return run


@pytest.mark.parametrize("with_batchers", [True, False])
@pytest.mark.parametrize(
    "error", [ValueError("no"), ProcessExit("out"), ExceptionGroup("many", [KeyError()])]
)
async def test_only_the_message_fails_whose_handler_raises(
    error: BaseException, with_batchers: bool, node: Node, events: Recorder
) -> None:
    """BW-15, trap 3."""
    run = Running([1, 2, 3], raising(error))
    await ran(run, batchers=batched(2) if with_batchers else None)
    assert sorted(run.told.of("ok")) == [1, 3]
    assert run.told.of("failed") == [2]
    assert run.told.failures[2] in (error, "out")
    (failed,) = events.of(CallbackFailed)
    assert (failed.callback, failed.messages) == ("handle_message", 1)


async def test_a_nursery_in_a_handler_is_its_own_affair(node: Node) -> None:
    """Trap 3."""

    async def handle(message: Message[int]) -> Message[int]:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            nursery.start_soon(trio.sleep_forever)
            await trio.sleep(1)
            raise ValueError(message.data)

    run = await Running([1], handle).start()
    await run.after(2)
    await run.stop()
    failure = run.told.failures[1]
    assert isinstance(failure, ExceptionGroup)
    assert [type(one) for one in failure.exceptions] == [ValueError]


@pytest.mark.parametrize(
    "value",
    [
        lambda message: None,
        lambda message: message.data,
        lambda message: Message(2),
        lambda message: message.anew(),
        lambda message: [message],
    ],
)
async def test_a_handler_that_returns_something_else_fails_its_message(
    value: Callable[[Message[int]], Any], node: Node, events: Recorder
) -> None:
    """BW-16."""
    run = await ran(Running([1, 2, 3], pipeline=returning(value)))
    assert run.told.of("ok") == [1, 3]
    assert run.told.of("failed") == [2]
    assert isinstance(run.told.failures[2], BadResult)
    assert [one.callback for one in events.of(CallbackFailed)] == ["handle_message"]


async def test_a_message_for_an_unknown_batcher_fails(node: Node, events: Recorder) -> None:
    """BW-04, BW-17."""
    run = Running([1, 2, 3], pipeline=returning(lambda message: message.to_batcher("slq")))
    await ran(run, batchers={"default": Batcher(), "sql": Batcher()})
    assert run.told.of("ok") == [1, 3]
    assert "allowed are 'default', 'sql'" in str(run.told.failures[2])
    assert len(events.of(CallbackFailed)) == 1


async def test_one_that_is_failed_goes_to_no_batcher_and_is_acknowledged_at_once(
    node: Node, events: Recorder
) -> None:
    """BW-14."""
    run = Running([1, 2, 3], pipeline=returning(lambda message: message.fail("no")))
    await run.start(batchers=batched(3))
    await run.settle()
    assert run.told.log == [("failed", [2])]
    await run.stop()
    assert run.told.of("ok") == [1, 3]
    assert events.of(CallbackFailed) == []


# ---------------------------------------------------------------------- prepare_messages


class Preparing(Pipeline[int]):
    """``prepare`` is its ``prepare_messages``."""

    def __init__(self, prepare: Callable[[Messages], Any]) -> None:
        self.prepare = prepare
        self.log: list[object] = []

    def prepare_messages(self, messages: Messages) -> Any:
        self.log.append([message.data for message in messages])
        return self.prepare(messages)

    def handle_message(self, message: Message[Any]) -> Message[Any]:
        self.log.append(message.data)
        return message


async def test_a_chunk_is_prepared_as_a_whole_before_each_is_handled(node: Node) -> None:
    """BW-22."""
    pipeline = Preparing(lambda messages: [one.replace(-one.data) for one in messages])
    await ran(
        Running([1, 2, 3], pipeline=pipeline),
        processors=Processors(concurrency=1, max_demand=4, min_demand=2),
    )
    assert pipeline.log == [[1, 2], -1, -2, [3], -3]


@pytest.mark.parametrize("way", ["raise", "fewer", "other", "nothing"])
async def test_a_chunk_that_cannot_be_prepared_fails_and_is_not_handled(
    way: str, node: Node, events: Recorder
) -> None:
    """BW-23."""

    def prepare(messages: Messages) -> Any:
        if way == "raise":
            raise ValueError(way)
        return {"fewer": messages[1:], "other": [Message(1), *messages[1:]]}.get(way)

    pipeline = Preparing(prepare)
    run = await ran(Running([1, 2, 3], pipeline=pipeline))
    assert pipeline.log == [[1, 2, 3]]
    assert run.told.log == [("failed", [1, 2, 3])]
    (failed,) = events.of(CallbackFailed)
    assert (failed.callback, failed.messages) == ("prepare_messages", 3)


async def test_one_that_failed_while_it_was_prepared_is_still_handled(node: Node) -> None:
    """BW-24."""
    pipeline = Preparing(lambda messages: [messages[0].fail("early"), *messages[1:]])
    run = await ran(Running([1, 2], pipeline=pipeline))
    assert pipeline.log == [[1, 2], 1, 2]
    assert run.told.log == [("ok", [2]), ("failed", [1])]
    assert run.told.failures == {1: "early"}


# ---------------------------------------------------------------------- partitions


async def test_the_messages_of_a_partition_stay_in_order_through_both_layers(node: Node) -> None:
    """BW-57, BW-58."""

    async def unevenly(message: Message[int]) -> Message[int]:
        await trio.sleep(1 + message.data * 7 % 5)
        return message.fail("no") if message.data == 8 else message

    run = Running(range(40), unevenly)
    await run.start(
        processors=Processors(concurrency=4, max_demand=2, partition_by=lambda one: one.data % 4),
        batchers=batched(3, timeout=1.0, concurrency=2, partition_by=lambda one: one.data % 4),
    )
    await run.after(500)
    handled = [one for one in run.log if isinstance(one, int)]
    in_batches = [one for entry in run.log if isinstance(entry, tuple) for one in entry[2]]
    for partition in range(4):
        mine = list(range(partition, 40, 4))
        assert [one for one in handled if one % 4 == partition] == mine
        mine = [one for one in mine if one != 8]
        assert [one for one in in_batches if one % 4 == partition] == mine
    await run.stop()


async def test_with_one_at_a_time_all_partitions_go_in_lockstep(node: Node) -> None:
    """BW-59."""

    async def slow_zero(message: Message[int]) -> Message[int]:
        await trio.sleep(10 if message.data == 0 else 0)
        return message

    run = Running([0, 1, 3, 5, 2, 7], slow_zero)
    one = Processors(concurrency=2, max_demand=1, min_demand=0, partition_by=lambda one: one.data)
    await run.start(processors=one)
    await run.after(5)
    assert len(run.told.of("ok")) < 5
    await run.after(50)
    assert run.told.all == [0, 1, 2, 3, 5, 7]
    await run.stop()


async def test_a_message_whose_partition_cannot_be_told_fails_without_being_handled(
    node: Node, events: Recorder
) -> None:
    def partition_by(message: AnyMessage) -> int:
        if message.data == 2:
            raise ValueError("partition")
        return int(message.data)

    run = Running([1, 2, 3])
    await ran(run, processors=Processors(concurrency=2, partition_by=partition_by))
    assert sorted(run.log) == [1, 3]
    assert run.told.of("failed") == [2]
    (failed,) = events.of(CallbackFailed)
    assert failed.callback == "partition_by"


async def test_a_full_batcher_holds_up_the_others_instead_of_filling_memory(node: Node) -> None:
    """Two batchers, one of which does not get on: GS-70 does not happen here."""

    async def never(messages: Messages, batch: Any) -> Messages:
        if batch.batcher == "stuck":
            await trio.sleep_forever()
        return messages

    def route(message: Message[int]) -> Message[int]:
        return message.to_batcher("stuck") if message.data % 2 else message

    run = Running(range(1000), route, never)
    await run.start(
        batchers={"default": Batcher(size=2), "stuck": Batcher(size=2)}, drain_timeout=0.0
    )
    await run.after(100)
    statistics = await run.ref.statistics()
    assert statistics.under_way < 50
    assert len(run.items) > 900
    await run.stop()
    assert run.told.all + run.items == list(range(1000))
