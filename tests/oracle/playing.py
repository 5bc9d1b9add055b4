"""The traces by name, and how one is played: ``play("01_rest_for_one")``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager, nullcontext
from typing import Any, TypeAlias
from unittest.mock import patch

import trio
import trio.testing

from runtime import Crashed, ExitReason, Normal, open_node, spawn, wait_exit
from tests.oracle import (
    trace_01_rest_for_one,
    trace_02_one_for_all_mixed,
    trace_05_async_stream_mixed,
    trace_06_async_stream_pull,
    trace_07_task_nolink,
    trace_09_monitors,
    trace_10_shutdown_order,
    trace_12_registry,
    trace_13_rate_limiter,
    trace_14_partition,
    trace_17_genserver_life,
    trace_stages_01_demand_trace,
    trace_stages_02_producer_consumer,
    trace_stages_03_demand_dispatcher,
    trace_stages_05_partition,
    trace_stages_06_buffer,
    trace_stages_08_consumer_supervisor,
    trace_stages_09_manual_accumulate_stream,
)
from tests.oracle.rendering import say
from tests.oracle.trace import Trace

Scenario: TypeAlias = Callable[[Trace], Awaitable[None]]

TRACES: dict[str, Scenario] = {
    "01_rest_for_one": trace_01_rest_for_one.scenario,
    "02_one_for_all_mixed": trace_02_one_for_all_mixed.scenario,
    "05_async_stream_mixed": trace_05_async_stream_mixed.scenario,
    "06_async_stream_pull": trace_06_async_stream_pull.scenario,
    "07_task_nolink": trace_07_task_nolink.scenario,
    "09_monitors": trace_09_monitors.scenario,
    "10_shutdown_order": trace_10_shutdown_order.scenario,
    "12_registry": trace_12_registry.scenario,
    "13_rate_limiter": trace_13_rate_limiter.scenario,
    "14_partition": trace_14_partition.scenario,
    "17_genserver_life": trace_17_genserver_life.scenario,
    "stages_01_demand_trace": trace_stages_01_demand_trace.scenario,
    "stages_02_producer_consumer": trace_stages_02_producer_consumer.scenario,
    "stages_03_demand_dispatcher": trace_stages_03_demand_dispatcher.scenario,
    "stages_05_partition": trace_stages_05_partition.scenario,
    "stages_06_buffer": trace_stages_06_buffer.scenario,
    "stages_08_consumer_supervisor": trace_stages_08_consumer_supervisor.scenario,
    "stages_09_manual_accumulate_stream": trace_stages_09_manual_accumulate_stream.scenario,
}

PATIENCE = 30.0
"""Seconds for a whole trace, as many as ``T.main`` gives it."""


STAGES = "stages_"
"""What the names of traces of stages begin with."""


def play(name: str) -> list[str]:
    """The lines of a trace, played in virtual time in a node of its own.

    Stages that work at the same time print in the order in which they were woken, as processes do
    on the one scheduler that Elixir had.
    """
    clock = trio.testing.MockClock(autojump_threshold=0)
    with in_turn() if name.startswith(STAGES) else nullcontext():
        return trio.run(perform, TRACES[name], clock=clock)


@contextmanager
def in_turn() -> Generator[None]:
    """Trio runs tasks that are ready at once in the order in which they became so.

    By itself it tosses a coin for each batch of them: with 0 it takes them from the front. Under
    pytest it shuffles them all.
    """
    run: Any = trio._core._run
    with (
        patch.object(run, "_ALLOW_DETERMINISTIC_SCHEDULING", new=False),
        patch.object(run._r, "random", lambda: 0.0),
    ):
        yield


async def perform(scenario: Scenario) -> list[str]:
    """The lines of a scenario; what its main process crashes with is raised."""
    trace = Trace()
    reason: ExitReason = None
    with trio.fail_after(PATIENCE):
        async with open_node(instruments=[]):
            reason = await wait_exit(spawn(trace.main, scenario))
    if isinstance(reason, Crashed):
        reason.exception.add_note("\n".join(["printed before:", *trace.lines]))
        raise reason.exception
    if not isinstance(reason, Normal):
        trace.lines.append(f"MAIN DIED {say(reason)}")
    return trace.lines
