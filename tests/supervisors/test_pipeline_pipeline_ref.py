"""The handle of a pipeline: what it says of it, and the limit that it changes."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from runtime import CallExit, GenServer, Node, NoProcess, start
from supervisors.pipeline.declaration import Batcher, Processors, RateLimit
from supervisors.pipeline.message import Message
from supervisors.pipeline.pipeline_ref import (
    BatcherTopology,
    GroupTopology,
    NoRateLimit,
    PipelineRef,
    Topology,
)
from tests.supervisors.pipeline_parts import Running, batched


async def test_it_says_what_the_pipeline_is_made_of(node: Node) -> None:
    """BW-10."""
    run = Running()
    await run.start(
        producers=run.producers(concurrency=2),
        processors=Processors(concurrency=1),
        batchers={"sql": Batcher(concurrency=2)},
    )
    assert await run.ref.topology() == Topology(
        ("line.producer_0", "line.producer_1"),
        (
            GroupTopology(
                "default",
                ("line.processor_0",),
                (
                    BatcherTopology(
                        "sql",
                        "line.batcher_sql",
                        ("line.batch_processor_sql_0", "line.batch_processor_sql_1"),
                    ),
                ),
            ),
        ),
    )
    assert sorted(await run.ref.stage_pids()) == [
        "line.batch_processor_sql_0", "line.batch_processor_sql_1", "line.batcher_sql",
        "line.processor_0", "line.producer_0", "line.producer_1",
    ]  # fmt: skip
    assert await run.ref.all_running()
    await run.stop()


async def test_it_says_what_has_become_of_the_messages_and_who_has_the_others(node: Node) -> None:
    def odd(message: Message[int]) -> Message[int]:
        return message.fail("odd") if message.data == 1 else message

    run = await Running(range(6), odd).start(batchers=batched(3))
    await run.settle()
    said = await run.ref.statistics()
    assert (said.emitted, said.successful, said.failed, said.given_back) == (6, 3, 1, 0)
    assert (said.under_way, said.draining) == (2, False)
    assert said.held == {
        "line.producer_0": 0,
        "line.processor_0": 0,
        "line.batcher_default": 2,
        "line.batch_processor_default_0": 0,
    }
    await run.stop()


async def test_it_can_be_asked_while_the_pipeline_drains(node: Node) -> None:
    async def slowly(message: Message[int]) -> Message[int]:
        await trio.sleep(5)
        return message

    run = await Running(range(2), slowly).start()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(run.stop)
        await trio.sleep(6)
        said = await run.ref.statistics()
        assert (said.draining, said.under_way) == (True, 2)
        assert not await run.ref.all_running()


async def test_a_limit_can_be_changed_from_the_next_window_on_or_at_once(node: Node) -> None:
    """BW-53."""
    run = Running(range(100))
    limit = RateLimit(allowed=3, interval=10.0)
    await run.start(producers=run.producers(rate_limit=limit))
    await run.settle()
    assert await run.ref.rate_limit() == limit
    assert len(run.log) == 3
    await run.ref.set_rate_limit(allowed=5)
    await run.settle()
    assert len(run.log) == 3
    await run.after(10)
    assert len(run.log) == 8
    await run.ref.set_rate_limit(interval=1.0, allowed=2, reset=True)
    await run.settle()
    assert len(run.log) == 10
    await run.after(1)
    assert len(run.log) == 12
    with pytest.raises(ValueError, match="allowed"):
        await run.ref.set_rate_limit(allowed=0)
    await run.stop()


async def test_where_there_is_no_limit_none_can_be_changed(node: Node) -> None:
    """BW-54."""
    run = await Running().start()
    with pytest.raises(NoRateLimit, match="line was declared without"):
        await run.ref.rate_limit()
    with pytest.raises(NoRateLimit):
        await run.ref.set_rate_limit(allowed=3)
    await run.stop()


async def test_a_message_of_a_test_goes_through_at_once(node: Node) -> None:
    """BW-63, BW-64, BW-65."""
    run = await Running().start(batchers=batched(100))
    told = await run.ref.test_message(7, metadata={"from": "test"}).all()
    assert [(one.data, one.metadata["from"]) for one in told.successful] == [(7, "test")]
    assert trio.current_time() == 0.0
    trial = run.ref.test_batch([1, 2])
    await run.settle()
    assert trial.missing == 2
    assert len((await trial.all()).successful) == 2
    assert trio.current_time() == 60.0
    assert len((await run.ref.test_batch([1, 2], flush=True).all()).successful) == 2
    assert trio.current_time() == 60.0
    await run.stop()


async def test_nobody_there_or_somebody_else_is_told(node: Node) -> None:
    ref = PipelineRef("nobody")
    asked: list[Any] = [ref.topology, ref.statistics, ref.all_running, ref.wait_done]
    for ask in asked:
        with pytest.raises(CallExit) as info:
            await ask()
        assert info.value.reason == NoProcess()
    with pytest.raises(CallExit):
        ref.test_message(1)

    class Other(GenServer):
        pass

    other = await start(Other.child_spec())
    with pytest.raises(TypeError, match="which is no pipeline"):
        await PipelineRef(other).statistics()
    await other.stop()
