"""Odd things that are done to a pipeline, from inside and from outside."""

from __future__ import annotations

from typing import Any

import pytest
import trio
import trio.lowlevel

from runtime import (
    CallCycle,
    CallExit,
    GenServer,
    MessagesGivenBack,
    Node,
    PipelineDrained,
    Shutdown,
    kill,
    named,
    ref,
    start,
    wait_exit,
    whereis,
)
from supervisors import Supervisor, SupervisorRef, open_supervisor
from supervisors.pipeline.declaration import Processors
from supervisors.pipeline.message import Message
from tests.conftest import Recorder
from tests.supervisors.pipeline_parts import Messages, Running, batched


async def slowly(message: Message[Any]) -> Message[Any]:
    await trio.sleep(0.1)
    return message


async def test_a_handler_that_stops_its_own_pipeline_does_not_hold_up_the_drain(
    node: Node,
) -> None:
    async def stops(message: Message[int]) -> Message[int]:
        await run.ref.stop()
        return message

    run = Running([1, 2], stops)
    await run.start()
    await wait_exit(run.pid)
    assert trio.current_time() == 0.0
    assert run.told.all == [1, 2]
    assert isinstance(run.told.failures[1], CallCycle | CallExit)


async def test_a_handler_may_ask_about_its_own_pipeline(node: Node) -> None:
    seen: list[int] = []

    async def asks(message: Message[int]) -> Message[int]:
        seen.append((await run.ref.statistics()).under_way)
        return message

    run = Running([1, 2], asks)
    await run.start()
    await run.settle()
    await run.stop()
    assert seen == [2, 2]


@pytest.mark.parametrize("layer", ["producers", "processors", "batchers"])
@pytest.mark.parametrize("moment", [0.05, 0.25, 0.75])
async def test_a_layer_whose_supervisor_is_killed_comes_back(
    layer: str, moment: float, node: Node
) -> None:
    async def slow_batch(messages: Messages, batch: object) -> Messages:
        await trio.sleep(0.2)
        return messages

    run = Running(range(30), slowly, slow_batch)
    await run.start(
        processors=Processors(concurrency=2, max_demand=3), batchers=batched(4, timeout=0.5)
    )
    await trio.sleep(moment)
    (child,) = [one for one in await SupervisorRef("line").which_children() if one.id == layer]
    assert child.pid is not None
    kill(child.pid)
    await run.after(20)
    assert await run.ref.all_running()
    assert run.told.all == list(range(30))
    await run.stop()


async def test_a_pipeline_that_gives_up_is_started_again_by_its_supervisor(node: Node) -> None:
    async def deadly(message: Message[int]) -> Message[int]:
        if message.data == 1:
            kill(whereis("line.processor_0"))  # type: ignore[arg-type]
            await trio.lowlevel.checkpoint()
        return message

    run = Running([1, 1, 1, 1, 1, 2, 3], deadly)
    one = Processors(concurrency=1, max_demand=1, min_demand=0)
    async with open_supervisor([run.spec(processors=one)]):
        await run.after(5)
        assert run.told.of("ok") == [2, 3]
        assert run.told.of("back") == [1, 1, 1, 1, 1]


async def test_two_pipelines_that_depend_on_each_other_are_drained_in_order(node: Node) -> None:
    """The first hands over to a server that was started before it, and so is still there."""
    handed: list[int] = []

    class Next(GenServer):
        def handle_cast(self, message: Any) -> None:
            handed.append(message.data)

    async def hands_over(message: Message[int]) -> Message[int]:
        await trio.sleep(0.1)
        assert named("next").find() is not None
        handed.append(message.data)
        return message

    run = Running(range(30), hands_over)
    async with open_supervisor([Next.child_spec().replace(name="next"), run.spec()]):
        await trio.sleep(0.55)
    assert handed == run.told.of("ok") == list(range(30 - len(run.items)))


async def test_a_supervisor_above_that_restarts_it_drains_it_first(
    node: Node, events: Recorder
) -> None:
    class Other(GenServer):
        pass

    run = Running(range(100), slowly)
    tree = Supervisor.child_spec(
        [Other.child_spec().replace(name="other"), run.spec(batchers=batched(50))],
        strategy="one_for_all",
    )
    above = await start(tree)
    await trio.sleep(0.45)
    other = whereis("other")
    assert other is not None
    kill(other)
    await wait_exit(other)
    await run.after(2)
    (drained,) = events.of(PipelineDrained)
    assert drained.left == 0
    assert events.of(MessagesGivenBack) == []
    assert await run.ref.all_running()
    await above.stop()
    assert run.told.of("ok") == list(range(100 - len(run.items)))


async def test_a_shielded_handler_is_waited_for_and_what_it_held_is_given_back(
    node: Node,
) -> None:
    async def shielded(message: Message[int]) -> Message[int]:
        with trio.CancelScope(shield=True):
            await trio.sleep(40)
        return message

    run = await Running([1, 2], shielded).start(drain_timeout=10.0)
    await run.settle()
    await run.stop()
    assert trio.current_time() == 40.0
    assert run.log == [1], "the next one is not begun"
    assert run.told.log == [("back", [1, 2])]


async def test_a_pipeline_may_be_stopped_before_it_has_done_anything(node: Node) -> None:
    run = await Running(range(10), slowly).start(batchers=batched())
    await run.stop()
    assert run.told.all == list(range(10 - len(run.items)))
    assert await wait_exit(run.pid) is not None
    assert ref(run.pid).find() is None


async def test_its_end_is_that_of_its_supervisor(node: Node) -> None:
    run = await Running(range(3), slowly).start()
    await run.ref.stop(Shutdown("enough"))
    assert run.told.of("ok") == [0, 1, 2]
