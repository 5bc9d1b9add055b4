"""A batch in which some items fail: what came out, and what did not, each with its input.

    python examples/batch_processor.py

Orders are priced against a database. A stream makes a result of every end: a value, or the reason
why there is none, together with the item. So nothing is lost, nothing is done twice, and one bad
order stops nobody; what failed can be corrected and run again as a batch of its own. The database
is SQLite, asked in worker threads.
"""

import sqlite3
import tempfile
from collections.abc import Awaitable, Callable, Iterable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

import trio

from runtime import (
    Crashed,
    Exited,
    ExitReason,
    Ok,
    TimedOut,
    async_stream_nolink,
    open_node,
    to_thread,
)

I = TypeVar("I")  # noqa: E741
R = TypeVar("R")

STOCK = [("apple", 40), ("pear", 55), ("melon", 310)]
ORDERS = ["3 apple", "2 pear", "some pear", "1 melon", "5 quince", "1 forever", "10 apple"]


class Failure(NamedTuple, Generic[I]):
    """An item that has no result, and why."""

    item: I
    reason: ExitReason


class Batch(NamedTuple, Generic[I, R]):
    """What became of every item, in order."""

    done: list[R]
    failed: list[Failure[I]]


async def process(
    items: Iterable[I],
    fn: Callable[[I], Awaitable[R]],
    *,
    at_once: int = 4,
    timeout: float = 5.0,
) -> Batch[I, R]:
    """Run ``fn`` on every item, and keep successes and failures apart."""
    batch: Batch[I, R] = Batch([], [])
    stream = async_stream_nolink(
        items, fn, max_concurrency=at_once, timeout=timeout, on_timeout="kill_task",
        zip_input_on_exit=True,
    )  # fmt: skip
    async with stream as results:
        async for result in results:
            match result:
                case Ok(value):
                    batch.done.append(value)
                case Exited(reason, item):
                    assert item is not None
                    batch.failed.append(Failure(item, reason))
    return batch


# ---------------------------------------------------------------------- the work


class Priced(NamedTuple):
    """An order that can be paid."""

    order: str
    cents: int


async def price(database: Path, order: str) -> Priced:
    """What an order costs."""
    count, _, article = order.partition(" ")
    if article == "forever":
        await trio.sleep_forever()
    cents = await to_thread(price_of)(database, article)
    return Priced(order, int(count) * cents)


def price_of(database: Path, article: str) -> int:
    with closing(sqlite3.connect(database)) as connection:
        row = connection.execute("SELECT cents FROM stock WHERE article = ?", [article]).fetchone()
    if row is None:
        raise LookupError(f"there is no {article}")
    return int(row[0])


def create(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("CREATE TABLE stock (article TEXT PRIMARY KEY, cents INTEGER)")
        connection.executemany("INSERT INTO stock VALUES (?, ?)", STOCK)


def why(reason: ExitReason) -> str:
    match reason:
        case TimedOut(seconds):
            return f"not done within {seconds:g} s"
        case Crashed(error):
            return f"{type(error).__name__}: {error}"
        case _:
            return repr(reason)


async def price_all(orders: list[str]) -> Batch[str, Priced]:
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "stock.db"
        await to_thread(create)(database)
        return await process(orders, partial(price, database), timeout=1)


async def main() -> None:
    async with open_node(instruments=[]):  # without crash reports
        batch = await price_all(ORDERS)
        for priced in batch.done:
            print(f"{priced.order}: {priced.cents / 100:.2f}")
        print(
            f"{len(batch.done)} orders are worth {sum(one.cents for one in batch.done) / 100:.2f}"
        )
        for failure in batch.failed:
            print(f"not priced: {failure.item} ({why(failure.reason)})")


if __name__ == "__main__":
    trio.run(main)
