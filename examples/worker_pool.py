"""A few SQLite connections for many clients: each is lent to one client at a time.

    python examples/worker_pool.py

A transaction takes several statements, so a client keeps its connection for the length of a block.
A client that dies in the middle of one takes its connection with it; another takes its place.
"""

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import trio

from runtime import Call, GenServer, Ref, Shutdown, exit, handles, spawn, wait_exit
from supervisors import Pool, PoolRef, open_supervisor


class Run(Call[list[tuple[int, ...]]]):
    """Run one statement and reply with its rows."""

    sql: str
    values: tuple[int, ...] = ()


class Connection(GenServer):
    """One connection to the database. SQLite blocks, so all of it happens in worker threads."""

    def __init__(self, path: Path) -> None:
        self.path = path

    async def init(self) -> None:
        connection = await trio.to_thread.run_sync(self.connect)
        self.connection = await self.enter(closing(connection))  # closed however it ends

    def connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)

    @handles(Run)
    async def run(self, request: Run) -> list[tuple[int, ...]]:
        return await trio.to_thread.run_sync(self.execute, request)

    def execute(self, request: Run) -> list[tuple[int, ...]]:
        return self.connection.execute(request.sql, request.values).fetchall()


ACCOUNTS, EACH = 4, 100
TAKE = "UPDATE accounts SET money = money - 1 WHERE id = ?"
GIVE = "UPDATE accounts SET money = money + 1 WHERE id = ?"


async def create(db: Ref) -> None:
    await db.call(Run("CREATE TABLE accounts (id INTEGER PRIMARY KEY, money INTEGER)"))
    for account in range(ACCOUNTS):
        await db.call(Run("INSERT INTO accounts VALUES (?, ?)", (account, EACH)))


async def transfer(db: Ref, giver: int, taker: int) -> None:
    """Several statements on one connection, which nobody else can use meanwhile."""
    await db.call(Run("BEGIN IMMEDIATE"))
    await db.call(Run(TAKE, (giver,)))
    await db.call(Run(GIVE, (taker,)))
    await db.call(Run("COMMIT"))


async def client(giver: int) -> None:
    await PoolRef("db").transaction(transfer, giver, (giver + 1) % ACCOUNTS)


async def total(db: Ref) -> int:
    ((money,),) = await db.call(Run("SELECT sum(money) FROM accounts"))
    return money


async def die_halfway(taken: trio.Event) -> None:
    """Takes and never gives: the transaction is open when the process dies."""
    async with PoolRef("db").checkout() as db:
        await db.call(Run("BEGIN IMMEDIATE"))
        await db.call(Run(TAKE, (0,)))
        taken.set()
        await trio.sleep_forever()


async def main(path: Path) -> None:
    connections = Pool.child_spec(Connection.child_spec(path), size=2, max_overflow=1)
    async with open_supervisor([connections.replace(name="db")]):
        pool = PoolRef("db")
        await pool.transaction(create)
        print("connections:", (await pool.status()).idle)

        async with trio.open_nursery() as nursery:
            for number in range(20):
                nursery.start_soon(client, number % ACCOUNTS)
        print("after 20 transfers:", await pool.transaction(total))

        taken = trio.Event()
        dying = spawn(die_halfway, taken)
        await taken.wait()
        exit(dying, Shutdown())
        await wait_exit(dying)
        # its connection is closed, which rolls back what was open, and another one takes its place
        await pool.transaction(transfer, 0, 1)
        print("after a death halfway:", await pool.transaction(total))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        trio.run(main, Path(folder) / "accounts.db")
