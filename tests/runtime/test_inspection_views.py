"""The plain values: they encode as they are, and small ones cost nothing they do not say."""

from __future__ import annotations

import gc

import msgspec

from runtime import AlarmView, CrashView, ProcessView, Snapshot, TraceEvent

PROCESS = ProcessView(
    pid=7,
    parent=0,
    behaviour="Counter",
    name="counter",
    label=None,
    status="running",
    up=1.5,
    mailbox=3,
    handled=4,
    dropped=0,
    restarts=1,
    facts={"rows": {"a": [1, 2.5, None, True]}},
)
CRASH = CrashView(
    at=1.0,
    pid=7,
    behaviour="Counter",
    name=None,
    reason="Killed()",
    traceback="",
    last_message=None,
    ancestors=("top",),
    then=None,
)
ALARM = AlarmView(kind="MailboxLong", since=2.0, pid=7, text="long")
SNAPSHOT = Snapshot(at=1.0, up=2.0, total=1, processes=(PROCESS,), alarms=(ALARM,))
TRACE = TraceEvent(at=1.0, pid=7, what="call", text="Get()")


def test_each_comes_back_as_it_was() -> None:
    for value in (PROCESS, CRASH, ALARM, SNAPSHOT, TRACE):
        kind = type(value)
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(value), type=kind) == value
        assert msgspec.json.decode(msgspec.json.encode(value), type=kind) == value


def test_the_collector_need_not_look_at_thousands_of_them() -> None:
    assert not gc.is_tracked(PROCESS)
