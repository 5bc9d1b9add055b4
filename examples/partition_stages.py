"""Bookings that must reach their account in order, many accounts at a time.

    python examples/partition_stages.py

In Elixir: ``GenStage`` with a ``PartitionDispatcher``. All bookings of an account go to the same
consumer, in order. ``partition_of`` says to which, the same in every run; Python's own ``hash``
would not. ``NO_PARTITION`` is for a booking that nobody is to get.

What a partition has not asked for yet is kept for it, at most ``max_queued``. A source that just
stopped would lose it: this one stops when all that was before its ``queue_info`` has gone.

Take it when the order of a key counts, else ``demand_stages.py``; for calls that are led by a key
there is ``partitioned_counter.py``.
"""

from collections import Counter
from itertools import islice

import trio

from runtime import Stop, named, wait_exit
from runtime.exits import NORMAL
from runtime.stages import (
    NO_PARTITION,
    Consumer,
    PartitionDispatcher,
    Producer,
    Subscription,
    partition_of,
)
from supervisors import open_supervisor

Booking = tuple[str, int]
ACCOUNTS = ["ann", "bob", "ann", "test", "cyd", "bob", "ann", "test", "ann", "cyd"]


def account_of(booking: Booking) -> object:
    return NO_PARTITION if booking[0] == "test" else partition_of(booking[0], 3)


class Ledger(Producer[Booking]):
    def __init__(self) -> None:
        self.bookings = zip(ACCOUNTS, range(10, 110, 10), strict=True)

    def make_dispatcher(self) -> PartitionDispatcher[Booking]:
        return PartitionDispatcher(3, hash=account_of, max_queued=2)

    def handle_demand(self, demand: int) -> None:
        self.emit(bookings := list(islice(self.bookings, demand)))
        if len(bookings) < demand:
            self.queue_info("no more")

    def handle_info(self, message: object) -> Stop:
        return Stop(NORMAL)


class Accounts(Consumer[Booking]):
    def __init__(self, partition: int) -> None:
        self.partition, self.balances = partition, Counter[str]()

    def init(self) -> None:
        self.subscribe("ledger", partition=self.partition, max_demand=2, min_demand=1)

    def handle_events(self, events: list[Booking], subscription: Subscription) -> None:
        for account, amount in events:
            self.balances[account] += amount
            print(f"partition {self.partition}: {account} +{amount} = {self.balances[account]}")


async def main() -> None:
    children = [Ledger.child_spec().replace(name="ledger")]
    children += [Accounts.child_spec(n).replace(name=f"{n}") for n in range(3)]
    once = [child.replace(restart="transient") for child in children]
    async with open_supervisor(once, strategy="rest_for_one"):
        for n in range(3):
            await wait_exit(named(f"{n}"))


if __name__ == "__main__":
    trio.run(main)
