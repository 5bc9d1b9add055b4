"""What a look at the whole node costs: 10,000 processes at once, in milliseconds."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from time import thread_time

from trio.testing import wait_all_tasks_blocked

from benchmarks.effort import Effort, Values
from benchmarks.figure import OURS, Contender, Figure, Row, Subject, Target
from benchmarks.grounds import in_node
from benchmarks.isolated import hand_over
from benchmarks.servers import Echo
from runtime import snapshot
from runtime.current import current_table
from runtime.inspection.sampling import Sampler
from supervisors import DynamicSupervisor, DynamicSupervisorRef

PROCESSES = 10_000
TIMES = 15
MILLISECONDS = 1000

WHOLE = "all of them, as a tree"
FIRST = "the first 50 by"
LOOK = "a look for rates and ages"


def cost(look: Callable[[], object]) -> float:
    """Of one look; the median of several."""
    took: list[float] = []
    for _ in range(TIMES):
        began = thread_time()
        seen = look()
        took.append((thread_time() - began) * MILLISECONDS)
        del seen
    return statistics.median(took)


@in_node
async def inspecting_ours(effort: Effort) -> Values:
    supervisor = DynamicSupervisorRef(await DynamicSupervisor.start())
    spec = Echo.child_spec()
    for _ in range(effort.number(PROCESSES)):
        await supervisor.start_child(spec)
    await wait_all_tasks_blocked()
    effort.settle()
    table = current_table()
    values = {
        WHOLE: cost(snapshot),
        f"{FIRST} mailbox": cost(lambda: snapshot(sort="mailbox", limit=50)),
        f"{FIRST} rate": cost(lambda: snapshot(sort="rate", limit=50)),
        LOOK: cost(lambda: Sampler(table).sample()),
    }
    return hand_over(values)


ROWS = (
    Row(WHOLE, Target(10), "ms"),
    Row(f"{FIRST} mailbox", unit="ms"),
    Row(f"{FIRST} rate", unit="ms"),
    Row(LOOK, unit="ms"),
)

SUBJECT = Subject(
    "inspecting",
    "A look at 10,000 processes",
    (
        Figure(
            "snapshot",
            "",
            "a snapshot of a node with 10,000 idle servers",
            (Contender(OURS, inspecting_ours, isolated=True),),
            ROWS,
            rounds=3,
        ),
    ),
    ratios=(),
)
