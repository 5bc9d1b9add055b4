"""Outcomes refuse what they could not mean, where they are made."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest

from runtime import (
    Continue,
    Crashed,
    Idle,
    Ignore,
    Killed,
    NoReply,
    Normal,
    Reply,
    Shutdown,
    Stop,
)
from runtime.outcomes import Outcome, check_seconds


@pytest.mark.parametrize(
    ("field", "value", "error", "message"),
    [
        ("a", True, TypeError, "a: got True, allowed is a number of seconds or math.inf"),
        ("a", "5", TypeError, "a: got '5', allowed is a number of seconds or math.inf"),
        ("a", None, TypeError, "a: got None, allowed is a number of seconds or math.inf"),
        pytest.param(
            "a",
            10**400,
            ValueError,
            f"a: got {10**400!r}, allowed is 0 or more seconds",
            id="too large for a float",
        ),
        ("b", -1, ValueError, "b: got -1, allowed is 0 or more seconds"),
        ("b", math.nan, ValueError, "b: got nan, allowed is 0 or more seconds"),
        ("b", -math.inf, ValueError, "b: got -inf, allowed is 0 or more seconds"),
    ],
)
def test_what_is_no_number_of_seconds_is_refused(
    field: str, value: object, error: type[Exception], message: str
) -> None:
    """DESIGN 3.9: the field, what was given, what is allowed."""
    with pytest.raises(error) as caught:
        check_seconds(field, value)
    assert str(caught.value) == message


@pytest.mark.parametrize("value", [0, 0.0, 1, 2.5, math.inf, 10**9])
def test_seconds_come_back_as_a_float(value: float) -> None:
    assert check_seconds("a", value) == value
    assert isinstance(check_seconds("a", value), float)


def test_the_least_number_of_seconds_can_be_another() -> None:
    assert check_seconds("at", -5, minimum=-math.inf) == -5
    with pytest.raises(ValueError, match="allowed is 1 or more seconds"):
        check_seconds("at", 0.5, minimum=1)


@pytest.mark.parametrize("junk", [-1, math.nan, "5", None, True])
def test_idle_takes_seconds(junk: Any) -> None:
    with pytest.raises((TypeError, ValueError), match=r"Idle\.seconds: got"):
        Idle(junk)


@pytest.mark.parametrize("junk", [5, "continue", Stop(), NoReply(), Ignore(), Continue, Reply(1)])
def test_only_continue_and_idle_can_come_after_a_reply(junk: Any) -> None:
    with pytest.raises(TypeError, match=r"Reply\.then: got .*, allowed are Continue\(\.\.\.\)"):
        Reply(1, then=junk)
    with pytest.raises(TypeError, match=r"NoReply\.then: got"):
        NoReply(then=junk)


@pytest.mark.parametrize("junk", [None, ValueError("x"), Normal, Shutdown, Killed, Crashed])
def test_stop_takes_a_reason(junk: Any) -> None:
    with pytest.raises(TypeError, match=r"Stop\.reason: got"):
        Stop(junk)


@pytest.mark.parametrize("reason", [Normal(), Shutdown("x"), Killed(), "own", 0, False, ("a", 1)])
def test_a_reason_may_be_any_value_of_the_users_own(reason: object) -> None:
    assert Stop(reason).reason == reason


def test_what_they_stand_for_by_default() -> None:
    assert Stop() == Stop(Normal(), reply=msgspec.UNSET)
    assert Stop(reply=None) != Stop(), "None is a reply"
    assert Reply(None).then is None
    assert NoReply() == NoReply(then=None)
    assert Continue() == Continue(None)


@pytest.mark.parametrize("outcome", [Reply(1), NoReply(), Stop(), Continue(), Idle(1), Ignore()])
def test_an_outcome_is_a_frozen_value(outcome: Any) -> None:
    assert isinstance(outcome, Outcome)
    assert outcome == type(outcome)(*(getattr(outcome, one) for one in outcome.__struct_fields__))
    with pytest.raises(AttributeError):
        setattr(outcome, "then", 5)  # noqa: B010  not every outcome has it
