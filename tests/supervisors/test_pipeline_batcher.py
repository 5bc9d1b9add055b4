"""Batchers: when a batch leaves, and in what order."""

from __future__ import annotations

from typing import Any

import trio

from runtime import CallbackFailed, Node, named
from supervisors.pipeline.batches import BatchInfo
from supervisors.pipeline.declaration import FULL, Batcher, Processors, SizedBy
from supervisors.pipeline.message import Message
from tests.conftest import Recorder
from tests.supervisors.pipeline_parts import Messages, Running, batched


def by_tens(message: Message[int]) -> Message[int]:
    return message.batch_by(message.data // 10)


async def test_by_size_and_what_is_left_by_time(node: Node) -> None:
    """BW-33."""
    run = await Running(range(7)).start(batchers=batched(3, timeout=60.0))
    await run.after(59.9)
    assert run.log[7:] == [("size", "default", [0, 1, 2]), ("size", "default", [3, 4, 5])]
    await run.after(0.1)
    assert run.log[9:] == [("timeout", "default", [6])]
    await run.stop()


async def test_the_time_of_a_batch_begins_with_its_first_message_and_ends_with_its_leaving(
    node: Node,
) -> None:
    """BW-34, trap 7."""
    run = await Running([1]).start(batchers=batched(3, timeout=10.0))
    await run.after(9.0)
    trial = run.ref.test_batch([2])
    await run.after(1.0)
    assert run.log == [1, 2, ("timeout", "default", [1, 2])]
    await run.after(8.0)
    run.ref.test_batch([3])
    await run.after(1.5)
    run.ref.test_batch([4, 5])
    await run.after(0.0)
    assert run.log[3:] == [3, 4, 5, ("size", "default", [3, 4, 5])]
    await run.after(8.0)
    run.ref.test_batch([6])
    await run.after(0.5)
    assert run.log[7:] == [6], "the timer of the batch before is no business of this one"
    await run.after(9.5)
    assert run.log[8:] == [("timeout", "default", [6])]
    assert trial.missing == 1
    await run.stop()


async def test_each_key_has_batches_of_its_own(node: Node) -> None:
    """BW-35."""
    run = await Running([1, 11, 2, 12, 3], by_tens).start(batchers=batched(2, timeout=5.0))
    await run.after(5.0)
    assert run.log[5:] == [("size", 0, [1, 2]), ("size", 1, [11, 12]), ("timeout", 0, [3])]
    await run.stop()


async def test_batchers_work_side_by_side(node: Node) -> None:
    """BW-36."""

    async def slowly(messages: Messages, batch: BatchInfo) -> Messages:
        await trio.sleep(1)
        return messages

    def route(message: Message[int]) -> Message[int]:
        return message.to_batcher("odd" if message.data % 2 else "even")

    run = Running(range(4), route, slowly)
    await run.start(batchers={"odd": Batcher(size=2), "even": Batcher(size=2)})
    await run.after(1.0)
    assert sorted(run.told.log) == [("ok", [0, 2]), ("ok", [1, 3])]
    await run.stop()


async def test_a_message_that_flushes_takes_along_what_came_with_it(node: Node) -> None:
    """BW-37."""

    def flush(message: Message[int]) -> Message[int]:
        return message.flush() if message.data == 1 else message

    run = await Running(range(4), flush).start(batchers=batched(100))
    await run.settle()
    assert run.log[4:] == [("flush", "default", [0, 1, 2, 3])]
    await run.stop()


async def test_handle_batch_is_told_about_its_batch(node: Node) -> None:
    """BW-38."""
    infos: list[BatchInfo] = []

    def remember(messages: Messages, batch: BatchInfo) -> Messages:
        infos.append(batch)
        return messages

    run = Running([1, 11, 12], by_tens, remember)
    await run.start(
        batchers=batched(2, timeout=1.0, concurrency=2, partition_by=lambda one: one.data // 10)
    )
    await run.after(1.0)
    assert infos == [
        BatchInfo("default", 1, 1, 2, "size"),
        BatchInfo("default", 0, 0, 1, "timeout"),
    ]
    await run.stop()


async def test_a_batch_is_as_large_as_the_users_function_says(node: Node) -> None:
    """BW-43."""

    def add(so_far: int, message: Message[int]) -> Any:
        return so_far + message.data if so_far + message.data < 10 else FULL

    sized = Batcher(size=SizedBy(0, add), timeout=60.0, max_demand=10)
    run = await Running([4, 4, 4, 9, 1, 1]).start(batchers={"default": sized})
    await run.settle()
    assert run.log[6:] == [("size", "default", [4, 4, 4]), ("size", "default", [9, 1])]
    await run.stop()


async def test_a_message_at_which_the_users_function_raises_fails(
    node: Node, events: Recorder
) -> None:
    def add(so_far: int, message: Message[int]) -> Any:
        if message.data == 2:
            raise ValueError(message.data)
        return so_far + 1 if so_far < 1 else FULL

    sized = Batcher(size=SizedBy(0, add), timeout=60.0, max_demand=10)
    run = await Running([1, 2, 3]).start(batchers={"default": sized})
    await run.settle()
    assert run.told.log == [("failed", [2]), ("ok", [1, 3])]
    (failed,) = events.of(CallbackFailed)
    assert (failed.stage, failed.messages) == ("line.batcher_default", 1)
    await run.stop()


async def test_a_batcher_whose_processors_wait_takes_no_more_than_it_asked_for(node: Node) -> None:
    async def never(messages: Messages, batch: BatchInfo) -> Messages:
        await trio.sleep_forever()
        return messages

    run = Running(range(1000), handle_batch=never)
    await run.start(batchers=batched(5, timeout=1.0), drain_timeout=0.0)
    await run.after(100)
    batcher = named("line.batcher_default").find()
    assert batcher is not None
    assert (await run.ref.statistics()).under_way < 40
    assert batcher.body.facts()["unfinished"] == 0
    await run.stop()
    assert run.told.of("back") == list(range(1000 - len(run.items)))


async def test_several_processors_fill_one_batch(node: Node) -> None:
    run = await Running(range(12)).start(
        processors=Processors(concurrency=3, max_demand=2), batchers=batched(12)
    )
    await run.settle()
    ((_, _, batch),) = [one for one in run.log if isinstance(one, tuple)]
    assert sorted(batch) == list(range(12))
    await run.stop()
