"""Streams under a task supervisor against what Elixir printed for them, line by line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from runtime import (
    Exited,
    Node,
    Ok,
    TaskTimeout,
    async_stream_nolink,
)
from supervisors import MaxChildren, TaskSupervisorRef
from tests.runtime.streaming import (
    collect,
    mixed,
    nap,
    take,
    values,
)
from tests.supervisors.task_parts import tasks_supervised
from tests.supervisors.tree_parts import say
from tests.support import in_process, reason_of

BOTH = pytest.mark.parametrize(
    "make", [TaskSupervisorRef.async_stream, TaskSupervisorRef.async_stream_nolink]
)

INPUT = [1, "slow", 5, "exit", "raise", 3, "kill", "normal", "shutdown", 2]
BASE: dict[str, Any] = {"timeout": 0.08, "on_timeout": "kill_task", "max_concurrency": 4}


def lines(results: list[Ok[Any] | Exited[Any]]) -> list[str]:
    """Results as the OTP trace writes them; a reason with its input as a pair."""
    return [line(result) for result in results]


def line(result: Ok[Any] | Exited[Any]) -> str:
    if isinstance(result, Ok):
        return f"{{ok,{result.value}}}"
    reason = "timeout" if repr(result.reason).startswith("TimedOut") else say(result.reason)
    return f"{{exit,{reason}}}" if result.input is None else f"{{exit,{{{result.input},{reason}}}}}"


async def test_oracle_05_ordered_nolink(node: Node) -> None:
    """STRM-012, 013, 014, 016, 018, 020. differs: Python has no throw."""
    async with tasks_supervised() as supervisor:
        stream = supervisor.async_stream_nolink(INPUT, mixed, **BASE)
        assert lines(await collect(stream)) == [
            "{ok,2}",
            "{exit,timeout}",
            "{ok,10}",
            "{exit,boom}",
            "{exit,error(RuntimeError:bad input)}",
            "{ok,6}",
            "{exit,killed}",
            "{exit,normal}",
            "{exit,{shutdown,early}}",
            "{ok,4}",
        ]
        assert await supervisor.children() == []


async def test_oracle_05_ordered_nolink_with_the_input(node: Node) -> None:
    """STRM-022."""
    async with tasks_supervised() as supervisor:
        stream = supervisor.async_stream_nolink(INPUT, mixed, zip_input_on_exit=True, **BASE)
        assert lines(await collect(stream)) == [
            "{ok,2}",
            "{exit,{slow,timeout}}",
            "{ok,10}",
            "{exit,{exit,boom}}",
            "{exit,{raise,error(RuntimeError:bad input)}}",
            "{ok,6}",
            "{exit,{kill,killed}}",
            "{exit,{normal,normal}}",
            "{exit,{shutdown,{shutdown,early}}}",
            "{ok,4}",
        ]


async def test_oracle_05_unordered(node: Node) -> None:
    """STRM-011."""
    async with tasks_supervised() as supervisor:
        stream = supervisor.async_stream_nolink(INPUT, mixed, ordered=False, **BASE)
        assert sorted(lines(await collect(stream))) == [
            "{exit,boom}",
            "{exit,error(RuntimeError:bad input)}",
            "{exit,killed}",
            "{exit,normal}",
            "{exit,timeout}",
            "{exit,{shutdown,early}}",
            "{ok,10}",
            "{ok,2}",
            "{ok,4}",
            "{ok,6}",
        ]
    assert await values(
        async_stream_nolink([0.15, 0.01, 0.08], nap, ordered=False, max_concurrency=3)
    ) == [0.01, 0.08, 0.15]


async def test_oracle_05_linked(node: Node) -> None:
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


async def test_oracle_05_exit_on_timeout(node: Node) -> None:
    """STRM-019."""
    async with tasks_supervised() as supervisor:
        seen: list[Any] = []
        with pytest.raises(TaskTimeout):
            async with supervisor.async_stream_nolink(
                [1, "slow", "slow"], mixed, timeout=0.06, max_concurrency=3
            ) as results:
                seen += await take(1, results)
                await take(1, results)
        assert lines(seen) == ["{ok,2}"]
        assert await supervisor.children() == []


async def test_oracle_05_a_consumer_that_raises(node: Node) -> None:
    """STRM-025."""
    async with tasks_supervised() as supervisor:
        with pytest.raises(RuntimeError, match="consumer"):
            async with supervisor.async_stream_nolink(
                [1, "slow", "slow"], mixed, max_concurrency=3
            ) as results:
                assert lines(await take(1, results)) == ["{ok,2}"]
                raise RuntimeError("consumer")
        assert await supervisor.children() == []


@BOTH
async def test_oracle_05_max_children_below_max_concurrency(
    node: Node, make: Callable[..., Any]
) -> None:
    """STRM-029. differs: the error says what is full, and is an exception of its own."""
    async with tasks_supervised(max_children=1) as supervisor:
        stream = make(supervisor, ["slow", "slow"], mixed, **BASE)
        with pytest.raises(MaxChildren, match="1"):
            await in_process(lambda: collect(stream))
        assert await supervisor.children() == []
