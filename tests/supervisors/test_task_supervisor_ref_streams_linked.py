"""Linked streams under a task supervisor: how they end, and what they say when it is full."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from runtime import (
    Exited,
    Node,
    Ok,
)
from supervisors import MaxChildren, TaskSupervisorRef
from tests.runtime.streaming import (
    collect,
    mixed,
    take,
)
from tests.supervisors.task_parts import tasks_supervised
from tests.supervisors.tree_parts import say
from tests.support import in_process, reason_of

BOTH = pytest.mark.parametrize(
    "make", [TaskSupervisorRef.async_stream, TaskSupervisorRef.async_stream_nolink]
)

BASE: dict[str, Any] = {"timeout": 0.08, "on_timeout": "kill_task", "max_concurrency": 4}


def lines(results: list[Ok[Any] | Exited[Any]]) -> list[str]:
    """Results as the OTP trace writes them; a reason with its input as a pair."""
    return [line(result) for result in results]


def line(result: Ok[Any] | Exited[Any]) -> str:
    if isinstance(result, Ok):
        return f"{{ok,{result.value}}}"
    reason = "timeout" if repr(result.reason).startswith("TimedOut") else say(result.reason)
    return f"{{exit,{reason}}}" if result.input is None else f"{{exit,{{{result.input},{reason}}}}}"


async def test_a_linked_task_that_exits_is_an_item_to_a_trapping_consumer_and_ends_another(
    node: Node,
) -> None:
    """STRM-012, STRM-015."""
    seen: list[Any] = []
    async with tasks_supervised() as supervisor:
        stream = supervisor.async_stream([1, "exit", 2], mixed, **BASE)
        assert lines(await in_process(lambda: collect(stream), trap=True)) == [
            "{ok,2}",
            "{exit,boom}",
            "{ok,4}",
        ]

        async def consume() -> None:
            async with supervisor.async_stream(
                [1, "exit", 2], mixed, max_concurrency=1, timeout=0.08
            ) as results:
                seen.extend(await take(1, results))
                seen.extend(await take(1, results))

        assert await reason_of(consume) == "boom"
        assert lines(seen) == ["{ok,2}"]


@BOTH
async def test_a_supervisor_smaller_than_the_stream_is_full(
    node: Node, make: Callable[..., Any]
) -> None:
    """STRM-029. differs: the error says what is full, and is an exception of its own."""
    async with tasks_supervised(max_children=1) as supervisor:
        stream = make(supervisor, ["slow", "slow"], mixed, **BASE)
        with pytest.raises(MaxChildren, match="1"):
            await in_process(lambda: collect(stream))
        assert await supervisor.children() == []
