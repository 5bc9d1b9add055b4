"""The screen of ``otp top``, drawn from plain values."""

from __future__ import annotations

from runtime.console.frames import StackView
from supervisors.command.top_keys import Do, Look
from supervisors.command.top_screen import Seen, top_screen, window
from tests.supervisors.seen import ALARM, INFO, ROOT, SNAPSHOT, drawn, process, snapshot

BUSY = process(
    7, name="busy", mailbox=12_345, oldest=1.5, rate=99.0, cpu=0.5, restarts=2, busy=0.25,
    handling="Add(by=1)",
)  # fmt: skip


def screen(seen: Seen, look: Look | None = None, height: int = 10, width: int = 130) -> list[str]:
    text = drawn(top_screen(seen, look or Look(), height, width), width, height)
    return text.splitlines()


def test_the_list() -> None:
    lines = screen(Seen("shop", snapshot(BUSY, ROOT)))
    assert lines[0] == "shop  2 processes  up 1m05"
    assert lines[2].split() == (
        "pid process what status mailbox oldest rate cpu restarts busy handling".split()
    )
    assert lines[3].split() == (
        "7 busy Counter running 12,345 1.5 s 99.0 50.0 % 2 250 ms Add(by=1)".split()
    )
    assert lines[4].split() == "1 shop Supervisor running 0 - - - 0 - -".split()
    assert lines[9].startswith("sort: m mailbox  r rate")
    assert len(lines) == 10


def test_alarms_find_and_pause_are_above() -> None:
    lines = screen(Seen("shop", snapshot(alarms=(ALARM,))), Look(find="cou", paused=True))
    assert lines[:4] == [
        "shop  0 processes  up 1m05  find: cou  paused",
        "! MailboxLong <3>: 10,001 messages wait (10.0 s ago)",
        "",
        "nothing found",
    ]
    assert screen(Seen("shop", snapshot()))[2] == "no processes"


def test_a_narrow_screen_stays_one_line_for_each_process() -> None:
    lines = screen(Seen("shop", snapshot(BUSY, ROOT)), width=60)
    assert lines[2].split() == "pid process mailbox oldest rate cpu busy".split()
    assert lines[3].split() == "7 busy 12,345 1.5 s 99.0 50.0 % 250 ms".split()
    assert lines[4].split() == "1 shop 0 - - - -".split()
    assert lines[9] == "sort: m r c s n  / find  enter detail  k kill  q quit"


def test_on_a_screen_of_eighty_columns_every_word_is_whole() -> None:
    lines = screen(Seen("shop", snapshot(BUSY, ROOT)), width=80)
    assert lines[2].split() == ("pid process what mailbox oldest rate cpu restarts busy".split())
    assert lines[4].split() == "1 shop Supervisor 0 - - - 0 -".split()
    assert lines[9] == "sort: m r c s n  / find  enter detail  p pause  k kill  R restart  q quit"


def test_the_column_that_is_sorted_by_is_never_left_out() -> None:
    lines = screen(Seen("shop", snapshot(BUSY, ROOT)), Look(sort="restarts"), width=60)
    assert lines[2].split() == "pid process mailbox rate cpu restarts busy".split()


def test_the_list_moves_with_the_cursor() -> None:
    many = [process(n) for n in range(20)]
    assert window(many, None, 5) == many[:5]
    assert window(many, many[4], 5) == many[:5]
    assert window(many, many[5], 5) == many[1:6]
    assert window(many, many[19], 5) == many[15:]
    assert window(many, many[3], -1) == [many[3]]
    shown = screen(Seen("shop", snapshot(*many)), Look(cursor=19), height=10)
    assert [line.split()[0] for line in shown[3:9]] == ["14", "15", "16", "17", "18", "19"]


def test_one_process_in_detail() -> None:
    lines = screen(Seen("shop", SNAPSHOT, INFO), Look(mode="detail", cursor=3), height=30)
    assert lines[2] == "counter <3>"
    assert "  {'count': 1}" in lines
    assert lines[-1] == "t trace  k kill  R restart  p pause  q back"


def test_one_that_has_ended() -> None:
    assert screen(Seen("shop", SNAPSHOT), Look(mode="detail", cursor=9))[2] == (
        "this process has ended"
    )


def test_what_is_traced_is_below() -> None:
    seen = Seen("shop", SNAPSHOT, INFO, traced=tuple(f"in {n}" for n in range(20)))
    lines = screen(seen, Look(mode="detail", cursor=3, traced=3), height=30)
    assert lines[16:] == [
        "trace", *(f"  in {n}" for n in range(8, 20)),
        "t trace  k kill  R restart  p pause  q back",
    ]  # fmt: skip


def test_a_loop_that_does_not_turn_is_seen_instead() -> None:
    stack = StackView(3, "Counter", "counter", "Counter.add", ("a.py:1 f",), 4.5)
    assert screen(Seen("shop", SNAPSHOT, stack=stack))[:6] == [
        "shop  2 processes  up 1m05",
        "! the loop has not turned for 4.5 s",
        "",
        "counter <3>  Counter  in Counter.add",
        "the loop last turned 4.5 s ago",
        "  a.py:1 f",
    ]


def test_the_last_line_asks_finds_and_notes() -> None:
    seen = Seen("shop", SNAPSHOT, INFO)
    asked = Look(mode="sure", asked=Do("kill", 3, "counter"))
    assert screen(seen, asked)[-1] == "kill counter <3>? y or n"
    after_detail = Look(mode="sure", asked=Do("kill", 3, "counter"), after="detail")
    assert screen(seen, after_detail)[2] == "counter <3>"
    assert screen(seen, Look(mode="find", find="x"))[-1].startswith("find: x")
    assert screen(seen, Look(note="killed <3>"))[-1] == "killed <3>"
    assert screen(seen, Look(mode="sure"))[-1] == "?"
