"""Writes that must not be lost: a short queue, retry with backoff, and producers that wait.

    python examples/queue_and_retry.py

In Elixir: a ``GenServer`` that is called, not cast to, so that its callers feel how fast it is. An
order counts as saved when the call has returned, which is after the commit. Whatever comes between,
a full queue, a locked database, a server that is being restarted, ends in another try, or in an
error that the producer gets. A try too many does no harm: an order is written under its id.

Take it where dropping and logging, as in ``bounded_writes.py``, is not good enough, and producers
can wait: request handlers, or consumers that acknowledge afterwards. If an order must outlive this
program before it is written, no queue in memory will do; put it where it is durable first.

The limit: everything in the queue is somebody who waits for at most five seconds, the time-out of a
call. With 10 ms for a commit that would allow for hundreds; but a queue only evens out bursts, and
what is in it is as old as it is long. So take the usual burst; here 2, which is soon full. Whoever
finds it full comes back, later each time: that is the back-pressure.
"""

import sqlite3
import tempfile
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import stamina
import trio
from stamina.instrumentation import RetryDetails, set_on_retry_hooks

from runtime import Call, GenServer, MailboxLimit, handles, named, retryable
from supervisors import open_supervisor

SHOPS, ORDERS_OF_EACH, QUEUE = 6, 3, 2

# Seconds between two tries: twice as long each time, a random part, and a limit.
WAITS = {"wait_initial": 0.01, "wait_jitter": 0.01, "wait_max": 0.1}

SCHEMA = "CREATE TABLE orders (id TEXT PRIMARY KEY, cents INTEGER NOT NULL)"
SAVE = """
INSERT INTO orders (id, cents) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET cents = excluded.cents
"""


class Order(NamedTuple):
    id: str
    cents: int


class Save(Call[None]):
    """Write an order; the reply says that it is in the database."""

    order: Order


def is_locked(error: Exception) -> bool:
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY


class Writer(GenServer):
    """Its mailbox is the queue. While it tries again the others wait there, in their order."""

    def __init__(self, path: Path) -> None:
        self.path = path

    async def init(self) -> None:
        connection = await trio.to_thread.run_sync(self.connect)
        self.connection = await self.enter(closing(connection))

    def connect(self) -> sqlite3.Connection:
        # timeout=0: it waits here, where waiting can be cancelled, and not in SQLite
        return sqlite3.connect(self.path, timeout=0, isolation_level=None, check_same_thread=False)

    @handles(Save)
    @stamina.retry(on=is_locked, attempts=None, timeout=30.0, **WAITS)
    async def save(self, request: Save) -> None:
        await trio.to_thread.run_sync(self.connection.execute, SAVE, request.order)


@stamina.retry(on=retryable(), attempts=None, timeout=30.0, **WAITS)
async def save(order: Order) -> None:
    """What a producer calls. A full mailbox, a time-out, no server just now: again, a bit later."""
    await named("writer").call(Save(order))


class Shop:
    """A producer: it has its next order when the one before is saved."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.begun = self.saved = 0

    async def sell(self) -> None:
        for at in range(ORDERS_OF_EACH):
            self.begun += 1
            await save(Order(f"shop {self.number}, order {at}", cents=100 + at))
            self.saved += 1


async def main(path: Path) -> None:
    why: Counter[str] = Counter()
    seen_both = trio.Event()

    def on_retry(details: RetryDetails) -> None:
        why[type(details.caused_by).__name__] += 1
        if len(why) == 2:
            seen_both.set()

    set_on_retry_hooks([on_retry])
    shops = [Shop(number) for number in range(SHOPS)]
    writer = Writer.child_spec(path).replace(name="writer", mailbox=MailboxLimit(QUEUE))
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute(SCHEMA)
        async with open_supervisor([writer]), trio.open_nursery() as producers:
            other.execute("BEGIN IMMEDIATE")  # a second connection holds the lock
            for shop in shops:
                producers.start_soon(shop.sell)
            await seen_both.wait()
            report("database locked", shops)
            other.execute("COMMIT")
        report("all done", shops)
        ((orders,),) = other.execute("SELECT count(*) FROM orders")
        print(f"{orders} orders in the database")
        print(f"tried again after: {', '.join(sorted(why))}")


def report(when: str, shops: list[Shop]) -> None:
    begun, saved = sum(shop.begun for shop in shops), sum(shop.saved for shop in shops)
    print(f"{when}: {begun} orders handed over, {saved} saved")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        trio.run(main, Path(folder) / "orders.db")
