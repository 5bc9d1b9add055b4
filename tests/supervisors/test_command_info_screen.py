"""One process, a stack and crashes, drawn from plain values."""

from __future__ import annotations

import msgspec

from runtime.console.frames import StackView
from supervisors.command.info_screen import crashes_screen, info_screen, stack_screen
from supervisors.command.wording import moment
from tests.supervisors.seen import CRASH, INFO, drawn, process


def test_a_process_in_detail() -> None:
    full = msgspec.structs.replace(
        INFO,
        process=process(
            3, name="counter", label="counts", status="suspended", mailbox=2, oldest=1.5, rate=12.0,
            handling="Add(by=1)", busy=0.25, cpu=0.5, links=(4, 5), monitors=(6,),
            monitored_by=(7,), facts={"children": 3}, dropped=1, restarts=2,
        ),
        crashes=(CRASH,),
        facts={"max_children": None},
    )  # fmt: skip
    assert drawn(info_screen(full)).splitlines() == [
        "counter <3>",
        "  what          Counter",
        "  label         counts",
        "  status        suspended",
        "  up            12.3 s",
        "  handled       1,234, 12.0 per second",
        "  handling      Add(by=1), for 250 ms",
        "  waiting       2, the oldest for 1.5 s",
        "  dropped       1",
        "  restarts      2",
        "  cpu           50.0 %",
        "  links         <4>, <5>",
        "  monitors      <6>",
        "  monitored by  <7>",
        "  below         <1> shop",
        "  children      3",
        "  max_children  -",
        "",
        "state",
        "  {'count': 1}",
        "",
        "mailbox, 2",
        "  Add(by=2)",
        "",
        "stack",
        "  counter.py:12 add",
        "",
        "crashes",
        f"  {moment(0.0)}  counter <3>  ValueError: no",
    ]


def test_a_process_of_which_little_is_known() -> None:
    bare = msgspec.structs.replace(
        INFO, process=process(3), ancestors=(), state=None, waiting=(), stack=()
    )
    assert drawn(info_screen(bare)).splitlines() == [
        "Counter <3>",
        "  what      Counter",
        "  status    running",
        "  up        12.3 s",
        "  handled   1,234",
        "  handling  -",
        "  waiting   0",
        "  dropped   0",
        "  restarts  0",
        "  cpu       -",
    ]


def test_what_is_in_hand_since_nobody_knows_when() -> None:
    shown = drawn(info_screen(msgspec.structs.replace(INFO, process=process(3, handling="Add"))))
    assert "  handling  Add\n" in shown


def test_the_stack_of_a_loop_that_is_stuck() -> None:
    stack = StackView(3, "Counter", "counter", "Counter.add", ("a.py:1 f", "b.py:2 g"), 4.5)
    assert drawn(stack_screen(stack)).splitlines() == [
        "counter <3>  Counter  in Counter.add",
        "the loop last turned 4.5 s ago",
        "  a.py:1 f",
        "  b.py:2 g",
    ]


def test_the_stack_of_a_process_without_a_name() -> None:
    assert drawn(stack_screen(StackView(3, "Counter", None, None, (), 0.0))).splitlines() == [
        "Counter <3>",
        "the loop last turned 0 ms ago",
    ]
    assert drawn(stack_screen(StackView(None, "the node", None, None, (), 0.0))).startswith(
        "the node\n"
    )


def test_a_loop_that_nobody_has() -> None:
    assert drawn(stack_screen(StackView(None, None, None, None, (), 0.001))).splitlines() == [
        "no process has the loop",
        "the loop last turned 1 ms ago",
    ]


def test_crashes_with_all_there_is() -> None:
    bare = msgspec.structs.replace(CRASH, name=None, last_message=None, ancestors=(), then=None)
    assert drawn(crashes_screen([CRASH, bare])).splitlines() == [
        f"{moment(0.0)}  counter <3>  ValueError: no",
        "  on Add(by=1)",
        "  below <1> shop",
        "  then restarted",
        "    Traceback:",
        "      line",
        "    ValueError: no",
        "",
        f"{moment(0.0)}  Counter <3>  ValueError: no",
        "    Traceback:",
        "      line",
        "    ValueError: no",
    ]


def test_no_crashes() -> None:
    assert drawn(crashes_screen([])) == "no crashes"
