"""``console.texts``: views as columns of text, without a node."""

from __future__ import annotations

import time

import pytest
from msgspec import structs

from runtime.console.frames import InfoView, StackView
from runtime.console.texts import (
    Shown,
    crash_text,
    crashes_text,
    info_text,
    stack_text,
    top_text,
    tree_text,
)
from runtime.inspection.views import AlarmView, CrashView, ProcessView, Snapshot

ROOT = ProcessView(
    pid=1, parent=0, behaviour="Supervisor", name="shop", label=None, status="running", up=61.0,
    mailbox=0, handled=3, dropped=0, restarts=0,
)  # fmt: skip
COUNTER = structs.replace(
    ROOT, pid=2, parent=1, behaviour="Counter", name="counter", status="suspended", mailbox=7,
    restarts=2, handling="Add(by=1)", busy=1.25, oldest=3.0, rate=41.6, dropped=4, links=(1, 3),
    monitors=(4,), monitored_by=(5,),
)  # fmt: skip
WORKER = structs.replace(ROOT, pid=3, parent=1, behaviour="work", name=None, label="reader")
CRASH = CrashView(
    at=0.0, pid=9, behaviour="Counter", name="counter", reason="Crashed(Boom())",
    traceback="Traceback\n  Boom", last_message="Add()", ancestors=("shop",), then="restart it",
)  # fmt: skip
AT = time.strftime("%H:%M:%S", time.localtime(0.0))


@pytest.fixture
def snapshot() -> Snapshot:
    alarm = AlarmView(kind="MailboxLong", since=0.0, pid=2, text="7 messages wait")
    processes = (ROOT, COUNTER, WORKER)
    return Snapshot(at=0.0, up=1.0, total=3, processes=processes, alarms=(alarm,))


def test_text_is_shown_as_it_is() -> None:
    assert repr(Shown("a'b")) == "a'b"
    assert Shown("a") + "b" == "ab"


def test_the_tree(snapshot: Snapshot) -> None:
    root = structs.replace(ROOT, facts={"strategy": "one_for_one"})
    counter = structs.replace(COUNTER, up=7_500.0)
    below = structs.replace(WORKER, parent=2, up=260_000.0)
    beside = structs.replace(WORKER, pid=4, up=9.4)
    tree = structs.replace(snapshot, processes=(root, counter, below, beside))
    assert tree_text(tree).splitlines() == [
        "shop  Supervisor  <1>  one_for_one  up 1m",
        (
            "|-- counter  Counter  <2>  q=7  handled=3  restarts=2  suspended  up 2h  "
            "handling Add(by=1)"
        ),
        "|   `-- reader  work  <3>  q=0  handled=3  up 3d",
        "`-- reader  work  <4>  q=0  handled=3  up 9s",
        "! 7 messages wait (MailboxLong, process 2)",
    ]


def test_of_many_siblings_the_first_are_shown(snapshot: Snapshot) -> None:
    many = [structs.replace(WORKER, pid=pid, parent=1) for pid in range(2, 7)]
    tree = structs.replace(snapshot, processes=(ROOT, *many), alarms=())
    said = tree_text(tree, siblings=2).splitlines()
    assert [line.partition("<")[0].rstrip() for line in said] == [
        "shop  Supervisor", "|-- reader  work", "|-- reader  work", "`-- ... and 3 more",
    ]  # fmt: skip
    roots = structs.replace(tree, processes=(ROOT, structs.replace(ROOT, pid=2)))
    assert tree_text(roots, siblings=1).splitlines()[1] == "... and 1 more"


def test_the_table(snapshot: Snapshot) -> None:
    assert top_text(snapshot).splitlines() == [
        "PID  NAME     STATUS     MAILBOX  OLDEST  RATE  HANDLED  RESTARTS  HANDLING",
        "1    shop     running    0                      3        0",
        "2    counter  suspended  7        3.0 s   42    3        2         Add(by=1)",
        "3    reader   running    0                      3        0",
    ]


def test_one_process() -> None:
    info = InfoView(
        process=COUNTER, ancestors=("shop", "<Pid 1 x>"), state="n=3", waiting=("Add()",),
        stack=("a.py:3 work",), crashes=(CRASH,), facts={"size": 3},
    )  # fmt: skip
    assert info_text(info).splitlines() == [
        "pid           2",
        "name          counter",
        "behaviour     Counter",
        "status        suspended",
        "up            61.0 s",
        "handling      Add(by=1), for 1.2 s",
        "handled       3",
        "mailbox       7",
        "dropped       4",
        "restarts      2",
        "ancestors     shop, <Pid 1 x>",
        "links         1, 3",
        "monitors      4",
        "monitored by  5",
        "state         n=3",
        "size          3",
        "waiting:",
        "  Add()",
        "stack:",
        "  a.py:3 work",
        "crashes:",
        f"  {AT} counter (9) Crashed(Boom()), then: restart it",
    ]


def test_what_there_is_nothing_of_is_left_out() -> None:
    info = InfoView(WORKER, (), None, (), (), (), {})
    assert [line.split()[0] for line in info_text(info).splitlines()] == (
        "pid behaviour label status up handled mailbox".split()
    )


def test_where_the_loop_is() -> None:
    view = StackView(2, "Counter", None, "add", ("a.py:1 add", "a.py:9 slow"), 0.1)
    assert stack_text(view) == "the loop runs Counter (2)\nstack:\n  a.py:1 add\n  a.py:9 slow"
    nobody = StackView(None, None, None, None, (), 0.0)
    assert stack_text(nobody) == "the loop runs nobody"


def test_crashes() -> None:
    alone = structs.replace(CRASH, name=None, then=None, last_message=None, ancestors=())
    assert crashes_text([]) == "nothing has crashed"
    assert crashes_text([CRASH, alone]).splitlines() == [
        f"  -2  {AT} counter (9) Crashed(Boom()), then: restart it",
        f"  -1  {AT} Counter (9) Crashed(Boom())",
    ]
    assert crash_text(CRASH).splitlines() == [
        f"{AT} counter (9) Crashed(Boom()), then: restart it",
        "last message: Add()",
        "ancestors: shop",
        "Traceback",
        "  Boom",
    ]
    assert crash_text(structs.replace(alone, traceback="")).splitlines() == [
        f"{AT} Counter (9) Crashed(Boom())",
        "ancestors: none",
    ]
