"""Acknowledging in the middle of a callback."""

from __future__ import annotations

import pytest
import trio

from runtime import GenServer, Node, OutsideProcess, start
from supervisors.pipeline.ack_immediately import ack_immediately
from supervisors.pipeline.batches import BatchInfo
from supervisors.pipeline.message import Message
from tests.supervisors.pipeline_parts import Messages, Running, batched


async def test_it_is_acknowledged_then_and_never_again(node: Node) -> None:
    """BW-47."""

    async def at_once(message: Message[int]) -> Message[int]:
        (same,) = await ack_immediately([message])
        assert same is message
        await trio.sleep(1)
        return same.fail("too late")

    run = await Running([1], at_once).start()
    await run.settle()
    assert run.told.log == [("ok", [1])]
    await run.after(5)
    assert run.told.log == [("ok", [1])]
    assert (await run.ref.statistics()).under_way == 0
    await run.stop()


async def test_those_that_have_failed_are_acknowledged_as_failed(node: Node) -> None:
    async def some(messages: Messages, batch: BatchInfo) -> Messages:
        first, second, *rest = messages
        return [*await ack_immediately([first.fail("first"), second]), *rest]

    run = await Running([1, 2, 3], handle_batch=some).start(batchers=batched(3))
    await run.settle()
    assert run.told.log == [("ok", [2]), ("failed", [1]), ("ok", [3])]
    await run.stop()


async def test_whatever_becomes_of_them_then_they_are_not_given_back(node: Node) -> None:
    async def at_once(message: Message[int]) -> Message[int]:
        await ack_immediately([message])
        await trio.sleep_forever()
        raise AssertionError

    run = await Running([1, 2], at_once).start(drain_timeout=0.0)
    await run.settle()
    await run.stop()
    assert run.told.log == [("ok", [1]), ("back", [2])]


async def test_only_a_callback_of_a_pipeline_may(node: Node) -> None:
    with pytest.raises(OutsideProcess):
        await ack_immediately([Message(1)])

    class Other(GenServer):
        async def init(self) -> None:
            with pytest.raises(OutsideProcess, match="outside a callback of a pipeline"):
                await ack_immediately([Message(1)])

    await (await start(Other.child_spec())).stop()
