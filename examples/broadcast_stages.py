"""Readings that a journal and an alarm both need: every event to every consumer.

    python examples/broadcast_stages.py

In Elixir: ``GenStage`` with a ``BroadcastDispatcher``. A reading leaves when both have asked for
it, so the slower one sets the pace and neither is flooded. The alarm has a ``selector``: what that
rejects it is never sent, and need not ask for again.

The meter begins with ``demand = "accumulate"``, so the journal, which subscribes first, gets no
readings that the alarm would miss; ``set_demand`` lets it go on when both are there.

Take it when all consumers together are one unit of work, and must see the same. When they are
strangers that come and go, and a slow one must not hold up the others, that is ``pubsub.py``.
"""

import trio

from runtime import Stop, named, wait_exit
from runtime.exits import NORMAL
from runtime.stages import (
    BroadcastDispatcher,
    Consumer,
    Dispatcher,
    Producer,
    Subscription,
    set_demand,
    subscribe,
)
from supervisors import open_supervisor

READINGS = [18, 19, 31, 20, 35, 21, 22, 40, 20]


class Meter(Producer[int]):
    demand = "accumulate"

    def __init__(self) -> None:
        self.readings = list(READINGS)

    def make_dispatcher(self) -> Dispatcher[int]:
        return BroadcastDispatcher()

    def handle_demand(self, demand: int) -> list[int] | Stop:
        if not self.readings:
            return Stop(NORMAL)
        readings, self.readings = self.readings[:demand], self.readings[demand:]
        return readings


class Reader(Consumer[int]):
    def __init__(self, name: str, seconds: float) -> None:
        self.name, self.seconds = name, seconds

    async def handle_events(self, events: list[int], subscription: Subscription) -> None:
        await trio.sleep(self.seconds)
        print(f"{self.name}: {events}")


def is_hot(reading: int) -> bool:
    return reading > 30


async def main() -> None:
    children = [
        Meter.child_spec().replace(name="meter", restart="temporary"),
        Reader.child_spec("journal", 0.01).replace(name="journal", restart="temporary"),
        Reader.child_spec("alarm", 0.0).replace(name="alarm", restart="temporary"),
    ]
    async with open_supervisor(children):
        await subscribe("journal", "meter", max_demand=3, min_demand=0)
        await subscribe("alarm", "meter", max_demand=10, selector=is_hot)
        await set_demand("meter", "forward")
        await wait_exit(named("journal"))


if __name__ == "__main__":
    trio.run(main)
