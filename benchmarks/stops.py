"""Stopping 20,000 children at once."""

from __future__ import annotations

from time import thread_time

import trio
from trio.testing import wait_all_tasks_blocked

from benchmarks.beam import elixir
from benchmarks.effort import MICROSECONDS, Effort, Values
from benchmarks.figure import ELIXIR, OURS, TRIO, Contender, Figure, Subject, one_row
from benchmarks.grounds import in_node, on_trio
from benchmarks.servers import Echo
from supervisors import DynamicSupervisor, DynamicSupervisorRef

CHILDREN = 20_000


@in_node
async def stop_ours(effort: Effort) -> Values:
    children = effort.number(CHILDREN)
    supervisor = DynamicSupervisorRef(await DynamicSupervisor.start())
    spec = Echo.child_spec()
    for _ in range(children):
        await supervisor.start_child(spec)
    effort.settle()
    began = thread_time()
    await supervisor.stop()
    return {"": (thread_time() - began) / children * MICROSECONDS}


@on_trio
async def stop_trio(effort: Effort) -> Values:
    children = effort.number(CHILDREN)
    began = 0.0
    async with trio.open_nursery() as nursery:
        for _ in range(children):
            nursery.start_soon(trio.sleep_forever)
        await wait_all_tasks_blocked()
        effort.settle()
        began = thread_time()
        nursery.cancel_scope.cancel()
    return {"": (thread_time() - began) / children * MICROSECONDS}


SUBJECT = Subject(
    "stops",
    "Starting and stopping",
    (
        Figure(
            "stop-many",
            "stop a DynamicSupervisor of 20,000",
            "a dynamic supervisor is stopped until all its idle servers are gone; per child",
            (
                Contender(OURS, stop_ours),
                Contender(TRIO, stop_trio, "cancel the nursery"),
                elixir("stops", "stop-many"),
            ),
            one_row(1.0, ELIXIR),
            rounds=2,
        ),
    ),
)
