"""When a backlog is worth an alarm, as a table: what is seen one look after the other."""

from __future__ import annotations

import math

import pytest

from runtime import Event, MailboxLong, MessageOld, Pid, WatchdogLimits
from runtime.watchdogs.alarms import AT_ONCE, Backlog, Key, judge

LIMITS = WatchdogLimits(mailbox=100, oldest=10.0)
SHOP = Pid(1, "shop")
LONG: Key = ("MailboxLong", SHOP)
OLD: Key = ("MessageOld", SHOP)


def looks(backlogs: list[tuple[int, float | None] | None], limits: WatchdogLimits) -> list[str]:
    """For each look ``+`` for what is raised and ``=`` for what goes on to hold."""
    said: list[str] = []
    held: set[Key] = set()
    for one in backlogs:
        found = [] if one is None else [Backlog(SHOP, "shop", *one)]
        verdict = judge(found, held, limits)
        raised = {type(event).__name__ for event in verdict.raised}
        said.append(" ".join(
            f"{'+' if kind in raised else '='}{'long' if kind == 'MailboxLong' else 'old'}"
            for kind, _ in verdict.holding
        ))  # fmt: skip
        held = set(verdict.holding)
    return said


TABLE: dict[str, tuple[list[tuple[int, float | None] | None], list[str]]] = {
    "below the watermark": ([(99, 0.0)], [""]),
    "at the watermark": ([(100, 0.0)], ["+long"]),
    "told once while it is above": ([(100, 0.0), (500, 0.0)], ["+long", "=long"]),
    "it hovers": ([(100, 0.0), (51, 0.0), (100, 0.0)], ["+long", "=long", "=long"]),
    "half is the end of it": ([(100, 0.0), (50, 0.0), (99, 0.0)], ["+long", "", ""]),
    "again after that": ([(100, 0.0), (50, 0.0), (100, 0.0)], ["+long", "", "+long"]),
    "empty is the end of it": ([(100, 0.0), None, (100, 0.0)], ["+long", "", "+long"]),
    "below the age": ([(1, 9.9)], [""]),
    "at the age": ([(1, 10.0)], ["+old"]),
    "told once for a backlog": ([(1, 10.0), (3, 12.0), (2, 5.1)], ["+old", "=old", "=old"]),
    "half the age is the end": ([(1, 10.0), (1, 5.0), (1, 9.0)], ["+old", "", ""]),
    "an age nobody knows": ([(1, None)], [""]),
    "an age nobody knows any more": ([(1, 10.0), (1, None)], ["+old", ""]),
    "both": ([(100, 10.0), (60, 4.0), (10, 6.0)], ["+long +old", "=long", ""]),
}  # fmt: skip


@pytest.mark.parametrize("case", TABLE)
def test_what_is_seen_and_what_is_said(case: str) -> None:
    seen, said = TABLE[case]
    assert looks(seen, LIMITS) == said


def test_what_has_no_limit_is_never_told() -> None:
    limits = WatchdogLimits(mailbox=math.inf, oldest=math.inf)
    assert looks([(10**9, 1e9), (10**9, 1e9)], limits) == ["", ""]


def test_the_events_and_the_texts() -> None:
    other = Pid(2, "other")
    verdict = judge([Backlog(SHOP, "shop", 120, 3.0), Backlog(other, None, 2, 12.345)], (), LIMITS)
    expected: tuple[Event, ...] = (
        MailboxLong(SHOP, "shop", 120, 100), MessageOld(other, None, 12.345, 2),
    )  # fmt: skip
    assert verdict.raised == expected
    assert verdict.holding == {
        ("MailboxLong", SHOP): "120 messages wait, the watermark is 100",
        ("MessageOld", other): "the oldest of 2 messages has waited for 12.3 s",
    }


def test_what_one_process_has_is_nothing_to_another() -> None:
    other = Pid(2, "other")
    verdict = judge([Backlog(other, None, 60, 6.0)], {LONG, OLD}, LIMITS)
    assert verdict.holding == {}


def test_when_everything_backs_up_it_is_told_in_portions() -> None:
    backlogs = [Backlog(Pid(number, "shop"), None, 100, 10.0) for number in range(AT_ONCE)]
    first = judge(backlogs, (), LIMITS)
    assert len(first.raised) == len(first.holding) == AT_ONCE
    second = judge(backlogs, first.holding, LIMITS)
    assert len(second.raised) == AT_ONCE
    assert second.holding.keys() > first.holding.keys()
    third = judge(backlogs, second.holding, LIMITS)
    assert third.raised == ()
    assert third.holding == second.holding
