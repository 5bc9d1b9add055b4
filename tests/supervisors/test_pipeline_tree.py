"""A whole pipeline: messages through it, its supervision, and how it is drained."""

from __future__ import annotations

from runtime import Node
from supervisors.pipeline.declaration import Processors
from tests.supervisors.pipeline_parts import Running, batched


async def test_messages_go_through_batches_and_are_acknowledged(node: Node) -> None:
    """BW-13, BW-33."""
    run = await Running(range(1, 8)).start(batchers=batched(3))
    await run.settle()
    assert run.log == [
        1, 2, 3, 4, 5, 6, 7,
        ("size", "default", [1, 2, 3]),
        ("size", "default", [4, 5, 6]),
    ]  # fmt: skip
    assert run.told.log == [("ok", [1, 2, 3]), ("ok", [4, 5, 6])]
    await run.after(60)
    assert run.told.log[2:] == [("ok", [7])]
    await run.stop()


async def test_without_batchers_the_processor_acknowledges_each_chunk(node: Node) -> None:
    """BW-03."""
    run = Running(range(1, 8))
    await run.start(processors=Processors(concurrency=1, max_demand=4, min_demand=2))
    await run.settle()
    assert run.told.log == [("ok", [1, 2]), ("ok", [3, 4]), ("ok", [5, 6]), ("ok", [7])]
    await run.stop()
