"""Where a measurement runs: in a node, in a process of one, in bare Trio, in asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

import trio

from benchmarks.effort import Effort, Values
from benchmarks.figure import Measure
from runtime import Crashed, open_node, spawn, wait_exit

AsyncMeasure: TypeAlias = Callable[[Effort], Coroutine[Any, Any, Values]]


def on_trio(measure: AsyncMeasure) -> Measure:
    """Run it with Trio and nothing else."""

    def run(effort: Effort) -> Values:
        return trio.run(measure, effort)

    return run


def on_asyncio(measure: AsyncMeasure) -> Measure:
    """Run it with asyncio."""

    def run(effort: Effort) -> Values:
        return asyncio.run(measure(effort))

    return run


def in_node(measure: AsyncMeasure) -> Measure:
    """Run it in a plain task beside a node, which tells nobody anything."""

    async def main(effort: Effort) -> Values:
        async with open_node(instruments=[]):
            return await measure(effort)
        raise AssertionError("a node swallows nothing")

    return on_trio(main)


def in_process(measure: AsyncMeasure) -> Measure:
    """Run it in a process of a node."""

    async def main(effort: Effort) -> Values:
        results: list[Values] = []

        async def body() -> None:
            results.append(await measure(effort))

        reason = await wait_exit(spawn(body))
        if isinstance(reason, Crashed):
            raise reason.exception
        return results[0]

    return in_node(main)
