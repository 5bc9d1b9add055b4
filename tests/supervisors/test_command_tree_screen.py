"""The tree, drawn from plain values."""

from __future__ import annotations

from supervisors.command.tree_screen import tree_rows, tree_screen
from tests.supervisors.seen import ALARM, ROOT, SNAPSHOT, drawn, process, snapshot

FAMILY = [
    process(1, 0, name="shop"),
    process(2, 1, name="left"),
    process(4, 2),
    process(5, 2),
    process(3, 1, name="right"),
    process(6, 3),
]


def test_the_branches_lead_from_parents_to_children() -> None:
    rows = [(row.branch, row.process and row.process.pid) for row in tree_rows(FAMILY, None)]
    assert rows == [
        ("", 1),
        ("├── ", 2),
        ("│   ├── ", 4),
        ("│   └── ", 5),
        ("└── ", 3),
        ("    └── ", 6),
    ]


def test_who_has_no_parent_here_is_at_the_top() -> None:
    rows = [(row.branch, row.process and row.process.pid) for row in tree_rows(FAMILY[2:], None)]
    assert rows == [("", 4), ("", 5), ("", 3), ("└── ", 6)]


def test_of_many_siblings_the_last_are_put_together() -> None:
    many = [ROOT, *(process(n) for n in range(2, 8)), process(20, 7), process(21, 20)]
    rows = list(tree_rows(many, 3))
    assert [row.process and row.process.pid for row in rows] == [1, 2, 3, 4, None]
    assert [(row.branch, row.more) for row in rows[-2:]] == [("├── ", 0), ("└── ", 5)]


def test_one_more_is_shown_rather_than_counted() -> None:
    rows = list(tree_rows([ROOT, *(process(n) for n in range(2, 6))], 3))
    assert [row.process and row.process.pid for row in rows] == [1, 2, 3, 4, 5]


def test_a_tree_may_be_very_deep() -> None:
    deep = [process(n, n - 1) for n in range(1, 3000)]
    assert [row.process and row.process.pid for row in tree_rows(deep, None)] == list(
        range(1, 3000)
    )


def test_the_screen() -> None:
    assert drawn(tree_screen(SNAPSHOT, "shop")) == (
        "shop  2 processes  up 1m05\n"
        "\n"
        "process      pid  what        status   mailbox  handled  restarts      up\n"
        "shop           1  Supervisor  running        0    1,234         0  12.3 s\n"
        "└── counter    3  Counter     running        0    1,234         0  12.3 s"
    )


def test_a_narrow_screen_goes_without_columns_and_cuts_no_name() -> None:
    assert drawn(tree_screen(SNAPSHOT, "shop"), width=68).splitlines()[2:4] == [
        "process      pid  what        status   mailbox  restarts      up",
        "shop           1  Supervisor  running        0         0  12.3 s",
    ]
    assert drawn(tree_screen(SNAPSHOT, "shop"), width=36).splitlines()[2:] == [
        "process      pid  mailbox  restarts",
        "shop           1        0         0",
        "└── counter    3        0         0",
    ]


def test_a_long_behaviour_is_cut_before_a_column_goes() -> None:
    long = process(2, name="tables", behaviour="DynamicSupervisor")
    assert drawn(tree_screen(snapshot(long), "shop"), width=71).splitlines()[2:] == [
        "process  pid  what          status   mailbox  handled  restarts      up",
        "tables     2  DynamicSupe…  running        0    1,234         0  12.3 s",
    ]


def test_alarms_and_what_is_left_out_are_on_the_screen() -> None:
    node = snapshot(ROOT, *(process(n) for n in range(2, 6)), alarms=(ALARM,))
    assert drawn(tree_screen(node, "shop", 2)).splitlines() == [
        "shop  5 processes  up 1m05",
        "! MailboxLong Counter <3>: 10,001 messages wait (10.0 s ago)",
        "",
        "process           pid  what        status   mailbox  handled  restarts      up",
        "shop                1  Supervisor  running        0    1,234         0  12.3 s",
        "├── Counter         2  Counter     running        0    1,234         0  12.3 s",
        "├── Counter         3  Counter     running        0    1,234         0  12.3 s",
        "└── … and 2 more",
    ]


def test_an_alarm_of_nobody_and_one_process() -> None:
    alarm = type(ALARM)(kind="LoopStalled", since=200.0, pid=None, text="stuck")
    shown = drawn(tree_screen(snapshot(ROOT, alarms=(alarm,)), "shop")).splitlines()
    assert shown[:2] == ["shop  1 process  up 1m05", "! LoopStalled: stuck (0 ms ago)"]
