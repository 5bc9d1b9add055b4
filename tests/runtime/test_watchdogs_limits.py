"""What the watchdog puts up with, and what is refused."""

from __future__ import annotations

import math

import pytest

from runtime import WatchdogLimits


def test_the_defaults() -> None:
    limits = WatchdogLimits()
    assert (limits.stall, limits.mailbox, limits.oldest) == (0.2, 10_000, 10.0)
    assert (limits.after_kill, limits.every, limits.shown) == (1.0, 1.0, 60.0)


def test_anything_can_be_put_up_with_for_ever() -> None:
    limits = WatchdogLimits(stall=math.inf, mailbox=math.inf, oldest=math.inf, after_kill=math.inf)
    assert limits.mailbox == math.inf


BAD: list[tuple[str, object, str]] = [
    ("stall", 0.001, "WatchdogLimits.stall: got 0.001, allowed is 0.01 or more seconds"),
    ("stall", "1", "WatchdogLimits.stall: got '1', allowed is a number of seconds or math.inf"),
    ("oldest", -1, "WatchdogLimits.oldest: got -1, allowed is 0 or more seconds"),
    ("after_kill", math.nan, "WatchdogLimits.after_kill: got nan, allowed is 0 or more seconds"),
    ("shown", None, "WatchdogLimits.shown: got None, allowed is a number of seconds or math.inf"),
    ("every", 0, "WatchdogLimits.every: got 0, allowed is 0.01 or more seconds"),
    ("every", math.inf, "WatchdogLimits.every: got inf, allowed is a finite number of seconds"),
    ("mailbox", 0, "WatchdogLimits.mailbox: got 0, allowed are an int >= 1 and math.inf"),
    ("mailbox", 1.5, "WatchdogLimits.mailbox: got 1.5, allowed are an int >= 1 and math.inf"),
    ("mailbox", True, "WatchdogLimits.mailbox: got True, allowed are an int >= 1 and math.inf"),
    ("mailbox", "9", "WatchdogLimits.mailbox: got '9', allowed are an int >= 1 and math.inf"),
    ("mailbox", -5, "WatchdogLimits.mailbox: got -5, allowed are an int >= 1 and math.inf"),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value", "text"), BAD)
def test_what_is_no_limit_is_refused(field: str, value: object, text: str) -> None:
    with pytest.raises((TypeError, ValueError)) as refused:
        WatchdogLimits(**{field: value})  # type: ignore[arg-type]
    assert str(refused.value) == text
