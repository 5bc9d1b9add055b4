"""A crash as text; see ``test_reports_tracebacks`` for whose frames are in it."""

from __future__ import annotations

from collections.abc import Callable

from runtime.containment import crash_of
from runtime.outcomes import check_seconds
from runtime.tracebacks import OWN_FILES, format_crash, last_frame


def inner(depth: int) -> int:
    return inner(depth - 1) if depth else [].pop()


def raised(hook: Callable[..., object], *args: object) -> BaseException:
    """What it raises, come through a frame of the runtime's own."""
    _, error = crash_of(hook, *args)
    assert error is not None
    return error


def test_the_last_frames_can_be_asked_for() -> None:
    error = raised(inner, 9)
    assert format_crash(error).count("in inner") == 3  # the others are "repeated 7 more times"
    assert format_crash(error, frames=2).count("in inner") == 2
    assert format_crash(error).startswith("Traceback (most recent call last):\n")
    assert format_crash(error).endswith("IndexError: pop from empty list")


def test_of_a_cause_too() -> None:
    cause, error = raised(inner, 1), ValueError("after")
    error.__cause__ = cause
    text = format_crash(error, frames=1)
    assert text.count("in inner") == 1
    assert "crash_of" not in text
    assert text.endswith("ValueError: after")


def test_the_last_frame_is_where_it_was_raised() -> None:
    line = inner.__code__.co_firstlineno + 1
    assert last_frame(raised(inner, 1)) == f"{__file__}:{line} inner"


def test_the_last_frame_of_the_users_own_if_there_is_one() -> None:
    def call() -> object:
        return check_seconds("timeout", "x")

    assert last_frame(raised(call)) == f"{__file__}:{call.__code__.co_firstlineno + 1} call"
    own = last_frame(raised(check_seconds, "timeout", "x"))
    assert own.startswith(OWN_FILES)
    assert own.endswith(" check_seconds")


def test_what_was_never_raised_has_none() -> None:
    assert last_frame(ValueError("no")) == ""
