"""Bounded database writes: ten at once, one more is dropped and the log says so.

    python examples/bounded_writes.py

In Elixir: a ``Task.Supervisor`` with ``max_children``, and ``start_child`` for each event. Whoever
has an event hands it over and goes on. When ten writes are under way the eleventh is refused at
once, before anything of it has started: no queue grows, no memory fills up, nobody waits.

Take it for what may be lost: clicks, page views, samples. What must not be lost wants a queue and
back-pressure instead: ``queue_and_retry.py``. What is worth reading is what was refused, so count
that; more than a few in a day says that the limit or the database is too small.

The limit: SQLite writes one transaction after the other, each here in well under 100 ms. So ten is
what the database does in a second, and a second is as late as a click may reach it. With a database
that has many writers, take the number of connections it gives you.
"""

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import structlog
import trio

from runtime import trap_exits
from supervisors import MaxChildren, TaskSupervisor, TaskSupervisorRef, open_supervisor

LIMIT = 10
LOCK_TIMEOUT = 5.0  # how long a write waits for other programs

log = structlog.get_logger()


class Event(NamedTuple):
    id: int
    user: str


SCHEMA = """
CREATE TABLE events (id INTEGER PRIMARY KEY, user TEXT NOT NULL);
CREATE TABLE users (name TEXT PRIMARY KEY, events INTEGER NOT NULL);
"""
ADD_EVENT = "INSERT INTO events (id, user) VALUES (?, ?)"
COUNT_IT = """
INSERT INTO users (name, events) VALUES (?, 1)
ON CONFLICT (name) DO UPDATE SET events = events + 1
"""


def store(path: Path, event: Event) -> None:
    """The event and its user, both or neither; in a worker thread, since SQLite blocks."""
    with closing(sqlite3.connect(path, timeout=LOCK_TIMEOUT)) as connection, connection:
        connection.execute(ADD_EVENT, event)
        connection.execute(COUNT_IT, (event.user,))


one_writer = trio.CapacityLimiter(1)  # the others wait here and not in a thread for SQLite's lock


async def write(path: Path, event: Event) -> None:
    """One task. What was accepted is written: a shutdown waits for it, within the budget."""
    trap_exits()  # before the first await, so before `start_child` has said yes
    await trio.to_thread.run_sync(store, path, event, limiter=one_writer)


children = [TaskSupervisor.child_spec(max_children=LIMIT).replace(name="writes")]
writes = TaskSupervisorRef("writes", shutdown=LIMIT * (LOCK_TIMEOUT + 1.0))


async def hand_over(path: Path, event: Event) -> bool:
    """Whether it will be written; this does not wait for the write."""
    try:
        await writes.start_child(write, path, event)
    except MaxChildren as full:
        log.warning("event dropped", id=event.id, user=event.user, limit=full.limit)
        return False
    return True


async def main(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.executescript(SCHEMA)
        async with open_supervisor(children):
            other.execute("BEGIN IMMEDIATE")  # somebody else is at the database
            events = [Event(number, "ann bob cyd".split()[number % 3]) for number in range(14)]
            accepted = [await hand_over(path, event) for event in events]
            other.execute("COMMIT")
        # the tree is down, which took until the last write was done
        report(accepted, other)


def report(accepted: list[bool], database: sqlite3.Connection) -> None:
    yes, no = accepted.count(True), accepted.count(False)
    print(f"{len(accepted)} handed over, {yes} accepted, {no} dropped")
    ((events,),) = database.execute("SELECT count(*) FROM events")
    print(f"{events} events in the database")
    for name, count in database.execute("SELECT name, events FROM users ORDER BY name"):
        print(f"{name}: {count}")


if __name__ == "__main__":
    shown = structlog.processors.KeyValueRenderer(key_order=["level", "event"])
    structlog.configure([structlog.processors.add_log_level, shown])
    with tempfile.TemporaryDirectory() as folder:
        trio.run(main, Path(folder) / "events.db")
