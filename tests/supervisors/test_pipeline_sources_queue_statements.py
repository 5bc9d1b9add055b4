"""What is done to the tables of a queue: that it costs no look at every message."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from supervisors.pipeline.sources import queue_statements as statements
from supervisors.pipeline.sources.queue_values import Failure, QueueStatistics
from supervisors.pipeline.sources.sqlite_file import SqliteFile


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with SqliteFile(tmp_path / "queue", statements.QUEUE).writing() as db:
        yield db


def run(db: sqlite3.Connection) -> None:
    """Everything that is done while messages go through."""
    statements.put(db, [(b"a", "k"), (b"b", None), (b"c", None)], 1.0, 0.0)
    assert statements.is_due(db, 1.0)
    one, other, third = statements.lease(db, 3, 1.0, 30.0, 5)
    statements.extend(db, [one.lease], 40.0)
    statements.give_back(db, [other.lease], 2.0)
    statements.fail(db, [Failure(third.lease, "no", None)], 2.0, 5)
    statements.acknowledge(db, [one.lease], 2.0, 10.0)
    statements.revive(db, [third.lease.message], 2.0)
    assert statements.next_due(db) == 1.0


def test_whatever_happens_to_a_message_no_table_is_gone_through(db: sqlite3.Connection) -> None:
    done: list[str] = []
    db.set_trace_callback(done.append)
    run(db)
    db.set_trace_callback(None)
    statements_seen = {one for one in done if one.split()[0] in ("SELECT", "UPDATE", "DELETE")}
    assert len(statements_seen) > 10
    plans = {one: [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {one}")] for one in done}
    scans = {one: plan for one, plan in plans.items() if any("SCAN" in step for step in plan)}
    assert scans == {}


def test_the_numbers_are_read_from_an_index_alone(db: sqlite3.Connection) -> None:
    seen: list[str] = []
    db.set_trace_callback(seen.append)
    assert statements.statistics(db, 1.0) == QueueStatistics(0, 0, 0, 0, 0.0)
    db.set_trace_callback(None)
    plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {seen[0]}")]
    assert "SCAN messages USING COVERING INDEX messages_due" in plan


def test_what_is_taken_for_no_time_is_taken_once(db: sqlite3.Connection) -> None:
    statements.put(db, [(b"a", None), (b"b", None)], 1.0, 0.0)
    taken = statements.lease(db, 5, 1.0, 1.0, 5)
    assert [one.data for one in taken] == [b"a", b"b"]
    assert all(one.until > 1.0 for one in taken)


def test_what_is_no_message_is_refused() -> None:
    statements.check_items([(b"a", "k"), (b"b", None)])
    with pytest.raises(TypeError, match="data: got a str"):
        statements.check_items([("a", None)])
    with pytest.raises(TypeError, match="key: got b'k'"):
        statements.check_items([(b"a", b"k")])
