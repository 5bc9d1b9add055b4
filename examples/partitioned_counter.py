"""Counting visits by page, in four processes: the same page always goes to the same one.

    python examples/partitioned_counter.py

In Elixir: ``PartitionSupervisor``, and ``{:via, PartitionSupervisor, {"counters", page}}`` as the
address. There is one server four times, each with a part of the keys. A message is routed by its
key without asking anybody, so what belongs to one key is in one place and in order, while the
others do not wait for it. A partition that crashes loses what it held, and nobody else does.

Take it when one server is the bottleneck because it waits, for a database or a service, and its
state can be split by key. Do not take it for work that keeps the processor busy: all partitions
share one thread, and ``to_process`` is what helps there. When each key deserves a process of its
own, with its own life, that is a ``DynamicSupervisor`` and a ``Registry``: ``workflows.py``.

The number of partitions is by default that of the cores. What waits for a database wants as many
as that has connections for us. It is better chosen once: a key may be led elsewhere by another
number, and what is counted stays where it was.
"""

from collections import Counter

import trio

from runtime import Call, Cast, GenServer, handles, kill, via, wait_exit
from supervisors import PartitionSupervisor, PartitionSupervisorRef, open_supervisor


class Visit(Cast):
    """Somebody has looked at a page."""

    page: str


class Visits(Call[dict[str, int]]):
    """Reply with the visits of this partition's pages."""


class Counters(GenServer):
    def __init__(self) -> None:
        self.visits: Counter[str] = Counter()

    @handles(Visit)
    def visit(self, message: Visit) -> None:
        self.visits[message.page] += 1

    @handles(Visits)
    def tell(self, request: Visits) -> dict[str, int]:
        return dict(sorted(self.visits.items()))


children = [
    PartitionSupervisor.child_spec(Counters.child_spec(), partitions=4).replace(name="counters"),
]
counters = PartitionSupervisorRef("counters")


def visit(page: str) -> None:
    via("counters", page).cast(Visit(page))


async def show() -> None:
    for index in range(counters.partitions()):
        print(f"{index}: {await via('counters', index).call(Visits())}")  # an int is its own index


async def main() -> None:
    async with open_supervisor(children, instruments=[]):  # without crash reports
        for page in ("/", "/help", "/", "/shop", "/news", "/cart", "/", "/shop"):
            visit(page)
        await show()

        crashed = via("counters", "/shop").pid
        print(f"partition {counters.partition_of('/shop')} is killed")
        kill(crashed)
        await wait_exit(crashed)
        await counters.which_children()  # answered when it has been restarted
        visit("/shop")
        await show()


if __name__ == "__main__":
    trio.run(main)
