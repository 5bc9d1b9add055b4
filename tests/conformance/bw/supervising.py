"""Rows of BW about what is restarted, and what becomes of messages then."""

from __future__ import annotations

import trio

from runtime import Pid, ProcessEnded, named, spawn_link, wait_exit
from supervisors.pipeline import Batcher, Message, Processors
from tests.conformance.bw.parts import Do, Line
from tests.conformance.scenarios import row
from tests.conftest import Recorder

STAGES = (
    "producer_0",
    "processor_0",
    "processor_1",
    "batcher_default",
    "batch_processor_default_0",
)


def pids(line: Line) -> dict[str, Pid]:
    return {stage: line.pid(stage) for stage in STAGES}


async def restarted_by_the_end_of(stage: str) -> set[str]:
    """Which stages are others after this one was killed."""
    line = await Line().start(None, Processors(2), {"default": Batcher(2)})
    before = pids(line)
    await line.kill(stage)
    await line.settle(1)
    after = pids(line)
    await line.emit("a", "b")
    assert line.told_of("ok") == ["a", "b"], "it goes on"
    await line.stop()
    return {one for one in STAGES if before[one] is not after[one]}


@row("BW-12")
async def a_stage_takes_those_behind_it_along() -> None:
    """differs: there is no terminator; the supervisor drains before it stops its children."""
    assert await restarted_by_the_end_of("producer_0") == {"producer_0"}
    assert await restarted_by_the_end_of("processor_1") == set(STAGES) - {"producer_0"}
    assert await restarted_by_the_end_of("batcher_default") == {"batcher_default"}
    only = {"batch_processor_default_0"}
    assert await restarted_by_the_end_of("batch_processor_default_0") == only


@row("BW-18")
async def the_end_of_a_helper_is_not_that_of_the_processor(events: Recorder) -> None:
    helpers: list[Pid] = []

    async def helper() -> None:
        raise ValueError("helper")

    async def handle(message: Message[str]) -> Message[str]:
        helpers.append(spawn_link(helper))
        await wait_exit(helpers[-1])
        await trio.sleep(1)
        return message

    line = await Line("ab", handle).start()
    pid = line.pid("processor_0")
    await line.settle(5)
    assert line.told_of("ok") == ["a", "b"]
    assert line.pid("processor_0") is pid
    assert [one.name for one in events if isinstance(one, ProcessEnded)] == [None, None]
    await line.stop()


@row("BW-19")
async def what_a_killed_processor_had_is_given_back() -> None:
    """differs: it is not lost."""

    async def handle(message: Message[int]) -> Message[int]:
        if message.data == 3:
            await trio.sleep_forever()
        return message

    line = await Line(range(1, 7), handle).start(None, Processors(1, max_demand=2, min_demand=0))
    producer = line.pid("producer_0")
    assert line.log == [("ack", [1, 2], [])]
    await line.kill("processor_0")
    await line.settle(1)
    assert line.log == [("ack", [1, 2], []), ("back", [3, 4]), ("ack", [5, 6], [])]
    assert line.pid("producer_0") is producer
    await line.stop()


@row("BW-20")
async def what_a_killed_batcher_had_is_given_back() -> None:
    """differs: it is not lost."""
    line = await Line(range(1, 4)).start(None, None, {"default": Batcher(5, timeout=60.0)})
    processor = line.pid("processor_0")
    await line.kill("batcher_default")
    assert line.log == [("back", [1, 2, 3])]
    await line.settle(1)
    await line.emit(*range(4, 9))
    assert line.log[1:] == [("size", "default", [4, 5, 6, 7, 8]), ("ack", [4, 5, 6, 7, 8], [])]
    assert line.pid("processor_0") is processor
    await line.stop()


@row("BW-21")
async def a_producer_that_crashes_is_found_again_after_the_interval() -> None:
    line = await Line("ab").start(resubscribe_interval=0.5)
    others = line.pid("processor_0")
    line.items += line.messages("cd")
    named("line.producer_0").cast(Do(lambda source: 1 / 0))
    await line.settle(0.4)
    assert line.told_of("ok") == ["a", "b"]
    await line.settle(0.2)
    assert line.told_of("ok") == ["a", "b", "c", "d"]
    assert line.pid("processor_0") is others
    await line.stop()


@row("BW-25")
async def what_is_no_message_ends_its_producer(events: Recorder) -> None:
    line = Line()
    line.items += [7, *line.messages("ab")]
    await line.start(None, Processors(1, max_demand=1))
    await line.settle(1)
    ended = [one for one in events if isinstance(one, ProcessEnded)]
    assert [one.name for one in ended] == ["line.producer_0"]
    assert "emitted 7, allowed is a Message" in str(ended[0].reason)
    assert line.told_of("ok") == ["a", "b"]
    await line.stop()


@row("BW-26")
async def a_transform_that_raises_ends_its_producer(events: Recorder) -> None:
    line = Line()
    line.items += [0, 1, 2]
    producers = line.producers(transform=lambda event: Message(2 // event, line.told))
    await line.start(producers, Processors(1, max_demand=1))
    await line.settle(1)
    assert [one.name for one in events if isinstance(one, ProcessEnded)] == ["line.producer_0"]
    assert line.told_of("ok") == [2, 1]
    await line.stop()
