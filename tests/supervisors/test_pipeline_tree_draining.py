"""How a pipeline ends: by itself, drained by who stops it, out of time, and killed."""

from __future__ import annotations

from typing import Any

import pytest
import trio
import trio.lowlevel

from runtime import (
    BudgetExceeded,
    CallExit,
    Node,
    Normal,
    PipelineDrained,
    Shutdown,
    StartFailed,
    kill,
    self_,
    wait_exit,
)  # fmt: skip
from runtime.stages import Emitted
from supervisors import open_supervisor
from supervisors.pipeline.declaration import Processors, RateLimit
from supervisors.pipeline.message import Message
from supervisors.pipeline.source import Source
from tests.conftest import Recorder
from tests.supervisors.pipeline_parts import Listed, Running, batched, message


async def slowly(message: Message[Any]) -> Message[Any]:
    await trio.sleep(0.1)
    return message


async def for_ever(message: Message[Any]) -> Message[Any]:
    await trio.sleep_forever()
    raise AssertionError


def drained(events: Recorder) -> list[tuple[float, int]]:
    return [(round(one.seconds, 3), one.left) for one in events.of(PipelineDrained)]


async def test_an_unfinished_batch_is_flushed_and_acknowledged_before_the_stop_returns(
    node: Node, events: Recorder
) -> None:
    """BW-60, trap 5."""
    run = await Running(range(4)).start(batchers=batched(100))
    await run.settle()
    await run.stop()
    assert run.log[4:] == [("flush", "default", [0, 1, 2, 3])]
    assert run.told.log == [("ok", [0, 1, 2, 3])]
    assert drained(events) == [(0.0, 0)]


async def test_under_load_everything_emitted_is_finished_and_nothing_more_is_asked_for(
    node: Node, events: Recorder
) -> None:
    """BW-60, trap 4."""
    run = Running(range(1000), slowly)
    await run.start(processors=Processors(concurrency=3), batchers=batched(7, timeout=0.5))
    await trio.sleep(1.25)
    left = list(run.items)
    await run.stop()
    assert run.items == left
    assert run.told.all == [one for one in range(1000) if one not in left]
    assert run.told.of("ok") != []
    assert run.told.of("back") == run.told.of("failed") == []
    assert [one.left for one in events.of(PipelineDrained)] == [0]


class Draining(Listed):
    """Has some more when it is asked to drain, and emits late."""

    def prepare_for_draining(self) -> Emitted[Message[Any]]:
        self.emit([message("emitted", self.told)])
        self.queue_info("late")
        return [message("returned", self.told)]

    def handle_info(self, message: object) -> None:
        self.emit([Message("late", self.told, None, "late")])


async def test_what_a_source_has_to_say_at_the_end_is_processed_and_what_comes_later_given_back(
    node: Node,
) -> None:
    """BW-60, BW-61."""
    run = Running(["a"])
    run.source = lambda index: Draining(run.items, run.told)  # type: ignore[method-assign]
    await run.start(batchers=batched(100))
    await run.settle()
    await run.stop()
    assert run.told.of("ok") == ["a", "emitted", "returned"]
    assert run.told.of("back") in ([], ["late"])


async def test_a_handler_that_takes_too_long_is_cancelled_and_its_messages_are_given_back(
    node: Node, events: Recorder
) -> None:
    """BW-62, trap 3."""
    run = await Running(range(3), for_ever).start(drain_timeout=2.0)
    await run.settle()
    await run.stop()
    assert trio.current_time() == 2.0
    assert run.told.log == [("back", [0, 1, 2])]
    assert drained(events) == [(2.0, 3)]
    assert events.of(BudgetExceeded) == []


async def test_a_handler_that_makes_an_error_of_its_cancellation_fails_no_message(
    node: Node,
) -> None:
    """Trap 3."""

    async def turns(message: Message[Any]) -> Message[Any]:
        try:
            await trio.sleep_forever()
        except trio.Cancelled:
            raise ValueError("turned") from None
        raise AssertionError

    run = await Running(range(3), turns).start(drain_timeout=2.0)
    await run.settle()
    await run.stop()
    assert run.told.log == [("back", [0, 1, 2])]


async def test_a_drain_while_limited_waits_for_the_next_windows(node: Node) -> None:
    """BW-56."""
    run = Running(range(7))
    limit = RateLimit(allowed=3, interval=10.0)

    class Eager(Listed):
        def init(self) -> None:
            self.emit(message(item, self.told) for item in self.items)
            self.items.clear()

    run.source = lambda index: Eager(run.items, run.told)  # type: ignore[method-assign]
    await run.start(producers=run.producers(rate_limit=limit))
    await run.settle()
    assert len(run.log) == 3
    await run.stop()
    assert run.told.of("ok") == list(range(7))
    assert trio.current_time() == 20.0


async def test_a_drain_while_limited_that_runs_out_of_time_gives_back(node: Node) -> None:
    """BW-56, BW-62."""
    run = Running(range(7))
    limit = RateLimit(allowed=3, interval=60.0)

    class Eager(Listed):
        def init(self) -> None:
            self.emit(message(item, self.told) for item in self.items)
            self.items.clear()

    run.source = lambda index: Eager(run.items, run.told)  # type: ignore[method-assign]
    await run.start(producers=run.producers(rate_limit=limit))
    await run.settle()
    await run.stop()
    assert run.told.of("ok") == [0, 1, 2]
    assert run.told.of("back") == [3, 4, 5, 6]
    assert trio.current_time() == 30.0


async def test_a_tree_that_stops_its_pipeline_drains_it(node: Node) -> None:
    run = Running(range(100), slowly)
    async with open_supervisor([run.spec(batchers=batched(100))]):
        await trio.sleep(0.35)
    assert run.told.of("ok") == list(range(100 - len(run.items)))
    assert run.told.of("back") == []
    assert 0 < len(run.items) < 100


async def test_one_that_ends_with_its_sources_ends_normally(node: Node) -> None:
    run = Running(range(10), slowly, ends=True)
    await run.start(batchers=batched(4), ends=True)
    assert await wait_exit(run.pid) == Normal()
    assert run.told.log == [("ok", [0, 1, 2, 3]), ("ok", [4, 5, 6, 7]), ("ok", [8, 9])]
    assert trio.current_time() == pytest.approx(1.0)


async def test_any_other_stays_with_its_numbers(node: Node) -> None:
    run = Running(range(10), slowly, ends=True)
    await run.start(batchers=batched(4))
    await run.ref.wait_done()
    assert trio.current_time() == pytest.approx(1.0)
    assert (await run.ref.statistics()).successful == 10
    assert not await run.ref.all_running()
    await run.ref.wait_done()
    await run.stop()


async def test_whoever_waits_for_a_pipeline_that_is_stopped_is_told(node: Node) -> None:
    run = await Running(range(10), slowly).start()

    async def wait() -> None:
        with pytest.raises(CallExit, match="Shutdown"):
            await run.ref.wait_done()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait)
        await trio.sleep(0.1)
        await run.stop()


async def test_a_killed_pipeline_gives_back_what_it_can(node: Node) -> None:
    run = await Running(range(3), for_ever).start()
    await run.settle()
    kill(run.pid)
    await wait_exit(run.pid)
    assert run.told.log == [("back", [0, 1, 2])]


async def test_a_kill_interrupts_a_drain(node: Node) -> None:
    run = await Running(range(3), for_ever).start()
    await run.settle()

    async def stop() -> None:
        with pytest.raises(CallExit):
            await run.stop()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(stop)
        await trio.sleep(1)
        kill(run.pid)
        await wait_exit(run.pid)
    assert trio.current_time() == 1.0
    assert run.told.log == [("back", [0, 1, 2])]


async def test_nobody_waits_for_producers_that_have_nobody_to_give_to(node: Node) -> None:
    """The processors have ended as often as they may: the pipeline gives up, and drains."""

    async def never(message: Message[Any]) -> Message[Any]:
        kill(self_())
        await trio.lowlevel.checkpoint()
        return message

    run = Running(range(60), never)

    class Eager(Listed):
        def init(self) -> None:
            self.emit(message(item, self.told) for item in self.items)
            self.items.clear()

    run.source = lambda index: Eager(run.items, run.told)  # type: ignore[method-assign]
    await run.start()
    reason = await wait_exit(run.pid)
    assert isinstance(reason, Shutdown)
    assert trio.current_time() == 0.1, "one of them might have been about to be restarted"
    assert run.told.of("back") == list(range(60))


async def test_a_restart_of_a_layer_does_not_drain(node: Node, events: Recorder) -> None:
    run = await Running(range(5), slowly).start(batchers=batched(100))
    await trio.sleep(0.25)
    await run.kill("processor_0")
    await run.after(10)
    assert events.of(PipelineDrained) == []
    assert run.told.of("back") == list(range(5))
    assert await run.ref.all_running()
    await run.stop()


async def test_a_pipeline_that_did_not_start_waits_for_nothing(node: Node) -> None:
    run = Running(range(5))

    def broken(index: int) -> Source[Any]:
        raise OSError("no such host")

    run.source = broken  # type: ignore[method-assign]
    with pytest.raises(StartFailed, match="no such host"):
        await run.start()
    assert trio.current_time() == 0.0
