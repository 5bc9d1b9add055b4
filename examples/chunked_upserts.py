"""Many rows into a database: in chunks that fit into one statement, a few of them at once.

    python examples/chunked_upserts.py

In Elixir: ``Enum.chunk_every``, ``Task.Supervisor.async_stream_nolink`` and ``Repo.insert_all``
with ``on_conflict``. One statement for many rows is far faster than one for each, but a statement
may have only so many parameters. An upsert makes it safe to write a chunk once more, and so to run
the whole import again after half of it has failed. Chunks end in any order, so a key must not be
in two of them.

Take it for imports, and whatever else comes by the thousand. A chunk is made only when there is a
free slot for it, so the source may be as long as it likes.

Two limits. The rows of a chunk: the parameters that the database allows, divided by the columns.
SQLite says how many, 32,766 or 250,000 as a rule; PostgreSQL allows 65,535. And the chunks at once:
as many as the database has writers. SQLite has one, so 2: the second makes its rows ready and waits
for the lock while the first commits.
"""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import trio

from runtime import Crashed, Exited, Ok, to_thread
from supervisors import TaskSupervisor, TaskSupervisorRef, open_supervisor

CHUNKS_AT_ONCE = 2
PARAMETERS = 50  # for the show: SQLite's own limit would take all of it in one statement


class Reading(NamedTuple):
    sensor: int
    hour: int
    value: float


SCHEMA = """
CREATE TABLE readings (
    sensor INTEGER, hour INTEGER, value REAL NOT NULL, PRIMARY KEY (sensor, hour)
)
"""
UPSERT = """
INSERT INTO readings (sensor, hour, value) VALUES {rows}
ON CONFLICT (sensor, hour) DO UPDATE SET value = excluded.value
"""


class Database:
    """Plain functions for worker threads; each opens a connection of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=5.0)
        connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, PARAMETERS)
        return connection

    def rows_at_once(self) -> int:
        with closing(self.connect()) as connection:
            parameters = connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER)
        return parameters // len(Reading._fields)

    def upsert(self, rows: list[Reading]) -> int:
        """Write all of them, or none; returns how many they were."""
        one = f"({', '.join('?' * len(Reading._fields))})"
        values = [value for row in rows for value in row]
        with closing(self.connect()) as connection, connection:
            connection.execute(UPSERT.format(rows=", ".join([one] * len(rows))), values)
        return len(rows)

    def totals(self) -> tuple[int, float]:
        with closing(self.connect()) as connection:
            ((count, total),) = connection.execute("SELECT count(*), sum(value) FROM readings")
        return count, total


def chunks(rows: list[Reading], size: int) -> Iterator[list[Reading]]:
    for at in range(0, len(rows), size):
        yield rows[at : at + size]


tasks = TaskSupervisorRef("imports")


async def write(database: Database, rows: list[Reading], size: int) -> None:
    """One import. A chunk that cannot be written is reported, and the others are written."""
    written = 0
    async with tasks.async_stream_nolink(
        chunks(rows, size),
        to_thread(database.upsert),
        max_concurrency=CHUNKS_AT_ONCE,
        timeout=60.0,  # a thread cannot be stopped; SQLite's own time-out of 5 s comes first
        ordered=False,
        zip_input_on_exit=True,
    ) as results:
        async for result in results:
            match result:
                case Ok(count):
                    written += count
                case Exited(Crashed(error), list(failed)):
                    print(f"{len(failed)} rows from {failed[0][:2]} on: {error}")
                case Exited(reason):
                    print(reason)
    print(f"{written} of {len(rows)} rows written, {size} in a chunk")


async def main(path: Path) -> None:
    database = Database(path)
    with closing(database.connect()) as connection:
        connection.execute(SCHEMA)
    rows = [Reading(sensor, hour, value=1.0) for sensor in range(10) for hour in range(10)]
    corrected = [row._replace(value=3.0) for row in rows[:30]]  # known already
    size = await to_thread(database.rows_at_once)()

    children = [TaskSupervisor.child_spec().replace(name="imports")]
    async with open_supervisor(children, instruments=[]):  # without crash reports
        print(f"{PARAMETERS} parameters, {len(Reading._fields)} for a row: {size} rows in a chunk")
        await write(database, rows, size=90)  # more than allowed, but for the last chunk
        await write(database, rows, size)
        await write(database, corrected, size)
        print("rows and their sum:", *await to_thread(database.totals)())


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        trio.run(main, Path(folder) / "readings.db")
