"""Hooks of others that raise do not hurt the caller."""

from __future__ import annotations

import sys
from types import TracebackType

import pytest

from runtime import ProcessExit
from runtime.containment import attempt, contain, crash_of, short_repr, show

Reported = list[BaseException]


@pytest.fixture
def reported(monkeypatch: pytest.MonkeyPatch) -> Reported:
    """What went to ``sys.excepthook``."""
    seen: Reported = []

    def hook(_kind: type[BaseException], exc: BaseException, _tb: TracebackType | None) -> None:
        seen.append(exc)

    monkeypatch.setattr(sys, "excepthook", hook)
    return seen


class Unprintable:
    def __init__(self, exc: BaseException) -> None:
        self.exc = exc

    def __repr__(self) -> str:
        raise self.exc


def test_attempt_gives_the_result_or_what_was_raised() -> None:
    error = ValueError("x")

    def fail() -> None:
        raise error

    assert attempt(max, 1, 2) == (2, None)
    assert attempt(fail) == (None, error)


def test_contain_gives_the_result_and_reports_nothing(reported: Reported) -> None:
    assert contain(0, max, 1, 2) == 2
    assert reported == []


def test_contain_gives_the_fallback_and_reports_what_was_raised(reported: Reported) -> None:
    error = ValueError("x")
    assert contain("<not shown>", repr, Unprintable(error)) == "<not shown>"
    assert reported == [error]
    assert error.__traceback__ is not None


def what_escapes(error: BaseException) -> BaseException | None:
    """What ``contain`` lets through; never raised here, where it would end the test run."""
    try:
        assert contain("fallback", repr, Unprintable(error)) == "fallback"
    except BaseException as exc:
        return exc
    return None


@pytest.mark.parametrize("error", [SystemExit(3), ProcessExit("x"), KeyboardInterrupt()])
def test_contain_lets_nothing_through(reported: Reported, error: BaseException) -> None:
    """Also what is no ``Exception``: it would reach a nursery and cancel others."""
    assert what_escapes(error) is None
    assert reported == [error]


def test_an_excepthook_that_raises_does_not_hurt_the_caller(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def hook(*_details: object) -> None:
        raise OSError("standard error is closed")

    monkeypatch.setattr(sys, "excepthook", hook)
    assert what_escapes(ValueError()) is None


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt(), SystemExit(3)], ids=repr)
def test_crash_of_gives_back_whatever_is_raised(error: BaseException, reported: Reported) -> None:
    def fail(_: int) -> None:
        raise error

    assert crash_of(fail, 1) == (None, error)
    assert crash_of(divmod, 7, 2) == ((3, 1), None)
    assert reported == [], "it is somebody else's to raise"


def test_short_repr_is_repr_up_to_the_limit() -> None:
    assert short_repr("abc") == "'abc'"
    assert short_repr("x" * 8, limit=10) == "'xxxxxxxx'"


def test_short_repr_cuts_and_says_how_long_it_was() -> None:
    assert short_repr("x" * 9, limit=10) == "'xxxxxxxxx... (11 characters)"


def test_short_repr_of_what_cannot_be_shown_names_the_class(reported: Reported) -> None:
    error = ValueError("x")
    assert short_repr(Unprintable(error)) == "<Unprintable whose repr raises>"
    assert reported == [error]


def test_show_gives_a_string_as_it_is_and_anything_else_as_its_repr(reported: Reported) -> None:
    class Text(str):
        """A string of the user's own, whose repr may do anything."""

        __slots__ = ()

        def __repr__(self) -> str:
            raise ValueError

    assert show("a name") == "a name"
    assert show(("a", 1)) == "('a', 1)"
    assert show(Text("x")) == "<Text whose repr raises>"
    assert len(reported) == 1
