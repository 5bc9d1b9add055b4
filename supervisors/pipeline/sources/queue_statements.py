"""What is done to the tables of a durable queue. Each function is a part of a transaction.

``due_at`` is when a message may be taken: since it was put, after a delay, or, while it is leased,
when its lease ends. So a lease that ends needs nobody to end it, and a message that waits and one
that was left behind by a crash are found by the same query. An attempt is counted when a message is
leased: one that takes its program down has used it up.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterable
from typing import Final

from runtime.containment import short_repr
from supervisors.pipeline.sources.queue_values import (
    Failure,
    Lease,
    Leased,
    QueueStatistics,
    StoredLetter,
)
from supervisors.pipeline.sources.sqlite_file import Kind

QUEUE: Final = Kind(
    name="a queue",
    application_id=0x71756575,  # "queu"
    version=1,
    schema="""
CREATE TABLE messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT,
    data BLOB NOT NULL,
    put_at REAL NOT NULL,
    due_at REAL NOT NULL,
    leased INTEGER NOT NULL DEFAULT 0,
    delivery INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    reason TEXT
);
CREATE INDEX messages_due ON messages (due_at, id, leased, put_at);
CREATE TABLE dead (
    id INTEGER PRIMARY KEY,
    key TEXT,
    data BLOB NOT NULL,
    put_at REAL NOT NULL,
    died_at REAL NOT NULL,
    delivery INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    reason TEXT NOT NULL
);
CREATE TABLE keys (key TEXT PRIMARY KEY, until REAL) WITHOUT ROWID;
CREATE INDEX keys_until ON keys (until) WHERE until IS NOT NULL
""",
)

HELD: Final = "id = ? AND delivery = ? AND leased = 1"
_FORGOTTEN_AT_ONCE: Final = 100
"""How many keys whose time is over a put clears away, so that no put has to clear them all."""


def check_items(items: Iterable[tuple[object, object]]) -> None:
    """Refuse what can be no message with its key."""
    for data, key in items:
        if not isinstance(data, bytes):
            raise TypeError(f"data: got a {type(data).__name__}, allowed are bytes")
        if not (key is None or isinstance(key, str)):
            raise TypeError(f"key: got {short_repr(key)}, allowed are a string and None")


def put(
    db: sqlite3.Connection, items: Iterable[tuple[bytes, str | None]], now: float, delay: float
) -> int:
    """Add messages but those whose key is known; how many were added."""
    added = 0
    for data, key in items:
        if key is not None and not _take_key(db, key, now):
            continue
        db.execute(
            "INSERT INTO messages (key, data, put_at, due_at) VALUES (?, ?, ?, ?)",
            (key, data, now, now + delay),
        )
        added += 1
    db.execute(
        "DELETE FROM keys WHERE key IN (SELECT key FROM keys WHERE until <= ? LIMIT ?)",
        (now, _FORGOTTEN_AT_ONCE),
    )
    return added


def _take_key(db: sqlite3.Connection, key: str, now: float) -> bool:
    taken = db.execute(
        "INSERT INTO keys (key) VALUES (?)"
        " ON CONFLICT (key) DO UPDATE SET until = NULL WHERE until <= ?",
        (key, now),
    )
    return taken.rowcount > 0


def is_due(db: sqlite3.Connection, now: float) -> bool:
    """Whether there is anything to lease."""
    return db.execute("SELECT 1 FROM messages WHERE due_at <= ?", (now,)).fetchone() is not None


def next_due(db: sqlite3.Connection) -> float | None:
    """When the first message may be taken, or was; ``None`` if there is none."""
    (due_at,) = db.execute("SELECT min(due_at) FROM messages").fetchone()
    return None if due_at is None else float(due_at)


def lease(
    db: sqlite3.Connection, count: int, now: float, until: float, max_attempts: int
) -> list[Leased]:
    """Take up to so many; those that have used up their attempts become dead letters."""
    until = max(until, math.nextafter(now, math.inf))  # no message twice in one lot
    taken: list[Leased] = []
    while len(taken) < count:
        rows = db.execute(
            "SELECT id, delivery, data, key, attempts, put_at, reason FROM messages"
            " WHERE due_at <= ? ORDER BY due_at, id LIMIT ?",
            (now, count - len(taken)),
        ).fetchall()
        for id_, delivery, data, key, attempts, put_at, reason in rows:
            if attempts >= max_attempts:
                _bury(db, id_, now, _unanswered(attempts, reason))
                continue
            db.execute(
                "UPDATE messages SET leased = 1, delivery = delivery + 1, attempts = attempts + 1,"
                " due_at = ? WHERE id = ?",
                (until, id_),
            )
            leased = Lease(id_, delivery + 1)
            taken.append(Leased(leased, data, key, attempts + 1, put_at, until, reason))
        if not rows:
            break
    return taken


def _unanswered(attempts: int, reason: str | None) -> str:
    before = "" if reason is None else f"; before that: {reason}"
    return f"attempt {attempts} was never answered: its lease ended{before}"


def acknowledge(
    db: sqlite3.Connection, leases: Iterable[Lease], now: float, remember_keys: float
) -> int:
    """They are done; how many of these leases were still held."""
    done = 0
    for held in leases:
        db.execute(
            f"UPDATE keys SET until = ? WHERE key = (SELECT key FROM messages WHERE {HELD})",
            (now + remember_keys, *held),
        )
        done += db.execute(f"DELETE FROM messages WHERE {HELD}", held).rowcount
    return done


def fail(db: sqlite3.Connection, failures: Iterable[Failure], now: float, max_attempts: int) -> int:
    """They come again, or become dead letters; how many of these leases were still held."""
    found = 0
    for failed in failures:
        row = db.execute(f"SELECT attempts FROM messages WHERE {HELD}", failed.lease).fetchone()
        if row is None:
            continue
        found += 1
        if failed.delay is None or row[0] >= max_attempts:
            _bury(db, failed.lease.message, now, failed.reason)
        else:
            db.execute(
                "UPDATE messages SET leased = 0, due_at = ?, reason = ? WHERE id = ?",
                (now + failed.delay, failed.reason, failed.lease.message),
            )
    return found


def give_back(db: sqlite3.Connection, leases: Iterable[Lease], now: float) -> int:
    """As if they had not been leased, at their old place; how many of these were still held."""
    return sum(
        db.execute(
            "UPDATE messages SET leased = 0, due_at = min(put_at, ?), attempts = attempts - 1"
            f" WHERE {HELD}",
            (now, *held),
        ).rowcount
        for held in leases
    )


def extend(db: sqlite3.Connection, leases: Iterable[Lease], until: float) -> list[Lease]:
    """Hold them for longer, and which of them are still held: also one that has just run out."""
    return [
        held
        for held in leases
        if db.execute(f"UPDATE messages SET due_at = ? WHERE {HELD}", (until, *held)).rowcount
    ]


# ---------------------------------------------------------------------- dead letters


def _bury(db: sqlite3.Connection, message: int, now: float, reason: str) -> None:
    db.execute(
        "INSERT INTO dead (id, key, data, put_at, died_at, delivery, attempts, reason)"
        " SELECT id, key, data, put_at, ?, delivery, attempts, ? FROM messages WHERE id = ?",
        (now, reason, message),
    )
    db.execute("DELETE FROM messages WHERE id = ?", (message,))


def dead_letters(db: sqlite3.Connection, limit: int, after: int) -> list[StoredLetter]:
    """Those with a greater id, in the order of their ids."""
    rows = db.execute(
        "SELECT id, data, key, attempts, put_at, died_at, reason FROM dead"
        " WHERE id > ? ORDER BY id LIMIT ?",
        (after, limit),
    )
    return [StoredLetter(*row) for row in rows]


def _dead_ids(db: sqlite3.Connection) -> list[int]:
    return [id_ for (id_,) in db.execute("SELECT id FROM dead ORDER BY id")]


def revive(db: sqlite3.Connection, ids: Iterable[int] | None, now: float) -> int:
    """Dead letters that are to be tried anew, without ``ids`` all; how many there were."""
    revived = 0
    for id_ in _dead_ids(db) if ids is None else ids:
        db.execute(
            "INSERT INTO messages (id, key, data, put_at, due_at, delivery, reason)"
            " SELECT id, key, data, put_at, ?, delivery, reason FROM dead WHERE id = ?",
            (now, id_),
        )
        revived += _forget(db, id_)
    return revived


def discard(
    db: sqlite3.Connection, ids: Iterable[int] | None, now: float, remember_keys: float
) -> int:
    """Dead letters that nobody wants, without ``ids`` all; how many there were."""
    discarded = 0
    for id_ in _dead_ids(db) if ids is None else ids:
        db.execute(
            "UPDATE keys SET until = ? WHERE key = (SELECT key FROM dead WHERE id = ?)",
            (now + remember_keys, id_),
        )
        discarded += _forget(db, id_)
    return discarded


def _forget(db: sqlite3.Connection, id_: int) -> int:
    return db.execute("DELETE FROM dead WHERE id = ?", (id_,)).rowcount


def statistics(db: sqlite3.Connection, now: float) -> QueueStatistics:
    """The numbers of this moment."""
    row = db.execute(
        "SELECT coalesce(sum(due_at <= :now), 0),"
        " coalesce(sum(due_at > :now AND NOT leased), 0),"
        " coalesce(sum(due_at > :now AND leased), 0),"
        " (SELECT count(*) FROM dead),"
        " max(:now - coalesce(min(put_at), :now), 0.0)"
        " FROM messages",
        {"now": now},
    ).fetchone()
    return QueueStatistics(*row)
