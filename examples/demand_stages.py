"""Rows to be enriched by whoever has time: one source, a fast worker and a slow one.

    python examples/demand_stages.py

In Elixir: ``GenStage`` with its default ``DemandDispatcher``. ``Rows`` reads a row only when a
worker has asked for it, so it is never ahead of them by more than they have asked for, however long
the table is. Each row goes to the worker that wants most: the fast one asks more often, gets more.

``cancel`` is left at ``"permanent"``: when the source ends, so do its workers, each after its last
row. That they are ``"transient"`` children says that this is no reason to start them again.

Take it when any consumer may handle any event. When each must see all: ``broadcast_stages.py``.
When those of one key must stay together, and in order: ``partition_stages.py``. Inside one function
a Trio memory channel does, but it is filled before anybody asks.
"""

from collections.abc import Iterable
from itertools import islice

import trio

from runtime import Stop, named, wait_exit
from runtime.exits import NORMAL
from runtime.stages import Consumer, Producer, Subscription
from supervisors import open_supervisor

ROWS = 40


class Rows(Producer[int]):
    def __init__(self, table: Iterable[int]) -> None:
        self.table = iter(table)
        self.read = 0

    def handle_demand(self, demand: int) -> list[int] | Stop:
        rows = list(islice(self.table, demand))
        self.read += len(rows)
        print(f"{demand} wanted, {self.read} read")
        if len(rows) == demand:
            return rows
        self.emit(rows)
        return Stop(NORMAL)


class Worker(Consumer[int]):
    def __init__(self, seconds: float, done: list[int]) -> None:
        self.seconds, self.done = seconds, done

    def init(self) -> None:
        self.subscribe("rows", max_demand=4, min_demand=2)

    async def handle_events(self, events: list[int], subscription: Subscription) -> None:
        for row in events:
            await trio.sleep(self.seconds)  # a look-up elsewhere
            self.done.append(row)


async def main() -> None:
    fast: list[int] = []
    slow: list[int] = []
    children = [
        Rows.child_spec(range(ROWS)).replace(name="rows", restart="transient"),
        Worker.child_spec(0.001, fast).replace(name="fast", restart="transient"),
        Worker.child_spec(0.02, slow).replace(name="slow", restart="transient"),
    ]
    async with open_supervisor(children, strategy="rest_for_one"):
        for worker in ("fast", "slow"):
            await wait_exit(named(worker))
    print(
        f"fast {len(fast)}, slow {len(slow)}, all of them: {sorted(fast + slow) == [*range(ROWS)]}"
    )


if __name__ == "__main__":
    trio.run(main)
