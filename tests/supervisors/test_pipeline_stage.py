"""Consuming stages: finding those before them, and what does not end them."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from runtime import (
    Killed,
    MessageUnexpected,
    Node,
    Pid,
    kill,
    named,
    processes,
    spawn_link,
    wait_exit,
    whereis,
)
from supervisors.pipeline.declaration import Processors
from supervisors.pipeline.message import Message
from supervisors.pipeline.stage import LineStage
from tests.conftest import Recorder
from tests.supervisors.pipeline_parts import Running, batched


async def test_only_a_producer_that_crashes_is_restarted_and_found_again(node: Node) -> None:
    """BW-21."""
    run = await Running(range(3)).start(batchers=batched(1))
    await run.settle()
    before = await run.ref.stage_pids()
    await run.kill("producer_0")
    run.items.extend([3, 4])
    await run.settle()
    assert run.told.of("ok") == [0, 1, 2], "not before the interval"
    await run.after(0.1)
    assert run.told.of("ok") == [0, 1, 2, 3, 4]
    after = await run.ref.stage_pids()
    changed = {name for name in before if before[name] is not after[name]}
    assert changed == {"line.producer_0"}
    await run.stop()


async def test_a_batcher_that_is_killed_comes_back_and_its_messages_are_given_back(
    node: Node,
) -> None:
    """BW-20."""
    run = await Running(range(3)).start(batchers=batched(2))
    await run.settle()
    before = await run.ref.stage_pids()
    await run.kill("batcher_default")
    await run.after(0.1)
    assert run.told.log == [("ok", [0, 1]), ("back", [2])]
    after = await run.ref.stage_pids()
    changed = {name for name in before if before[name] is not after[name]}
    assert changed == {"line.batcher_default"}
    trial = run.ref.test_batch([5, 6])
    assert len((await trial.all()).successful) == 2
    await run.stop()


async def test_a_processor_that_is_killed_takes_along_what_is_behind_it_but_no_producer(
    node: Node,
) -> None:
    """BW-12, BW-19."""
    run = await Running(range(3)).start(processors=Processors(concurrency=2), batchers=batched(2))
    await run.settle()
    before = await run.ref.stage_pids()
    await run.kill("processor_1")
    await run.settle()
    after = await run.ref.stage_pids()
    changed = {name for name in before if before[name] is not after[name]}
    assert changed == set(before) - {"line.producer_0"}
    assert run.told.all == [0, 1, 2]
    await run.stop()


async def test_a_producer_that_is_away_for_longer_is_looked_for_again_and_again(
    node: Node,
) -> None:
    run = Running()
    starts: list[float] = []
    source = run.source

    def late(index: int) -> Any:
        starts.append(trio.current_time())
        if 1 < len(starts) < 4:
            raise OSError("not yet")
        return source(index)

    run.source = late  # type: ignore[method-assign]
    await run.start(max_restarts=10)
    await run.kill("producer_0")
    await run.after(0.05)
    run.items.extend([1, 2])
    await run.after(1)
    assert len(starts) == 4
    assert run.told.of("ok") == [1, 2]
    await run.stop()


async def test_a_process_that_a_handler_has_linked_may_die(node: Node, events: Recorder) -> None:
    """BW-18."""

    async def linking(message: Message[Any]) -> Message[Any]:
        async def helper() -> None:
            raise ValueError("helper")

        await wait_exit(spawn_link(helper))
        return message

    run = await Running([1], linking).start()
    await run.settle()
    assert run.told.log == [("ok", [1])]
    assert [one.pid for one in events.of(MessageUnexpected)] == [
        (await run.ref.stage_pids())["line.processor_0"]
    ]
    await run.stop()


async def test_a_stage_says_what_it_has_done_and_holds(node: Node) -> None:
    run = await Running(range(5)).start(batchers=batched(3))
    await run.settle()
    facts = {
        name: {key: process.body.facts()[key] for key in ("successful", "failed", "held")}
        for name in ("processor_0", "batcher_default", "batch_processor_default_0")
        if (process := named(f"line.{name}").find()) is not None
    }
    assert facts == {
        "processor_0": {"successful": 0, "failed": 0, "held": 0},
        "batcher_default": {"successful": 0, "failed": 0, "held": 2},
        "batch_processor_default_0": {"successful": 3, "failed": 0, "held": 0},
    }
    await run.stop()


async def test_a_stage_that_starts_behind_what_is_over_ends_at_once(node: Node) -> None:
    """A batcher that is restarted while the processors have ended already."""

    async def slow_batch(messages: Any, batch: Any) -> Any:
        await trio.sleep(5)
        return messages

    run = Running(range(2), handle_batch=slow_batch)
    await run.start(batchers=batched(2))
    await run.settle()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(run.stop)
        await trio.sleep(1)
        assert whereis("line.processor_0") is None
        pid = whereis("line.batch_processor_default_0")
        assert pid is not None
        kill(pid)
        assert await wait_exit(pid) == Killed()
    assert trio.current_time() == pytest.approx(1.0)
    assert run.told.log == [("back", [0, 1])]
    assert processes() == []


def test_each_kind_says_how_it_subscribes_and_how_it_finishes() -> None:
    stage = LineStage[Any](None, "default", "stage", [])  # type: ignore[arg-type]
    with pytest.raises(NotImplementedError):
        stage.subscribe_to(Pid(1, "producer"))
    with pytest.raises(NotImplementedError):
        stage.finish()
