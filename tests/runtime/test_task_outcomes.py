from __future__ import annotations

import pytest

from runtime import Crashed, Exited, Killed, Ok, TimedOut
from runtime.task_outcomes import check_on_timeout


def test_outcomes_are_plain_values() -> None:
    """differs: ``Ok`` and ``Exited`` stand for OTP's ``{:ok, value}`` and ``{:exit, reason}``."""
    assert Ok(5) == Ok(5)
    assert Ok(5) != Ok(6)
    assert Exited("bad") == Exited("bad", None)
    assert Exited("bad", 1) != Exited("bad", 2)
    assert hash(Ok(5)) == hash(Ok(5))
    assert TimedOut(2.0).seconds == 2.0


def test_they_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Ok(5).value = 6  # type: ignore[misc]
    with pytest.raises(AttributeError):
        Exited("bad").reason = "good"  # type: ignore[misc]


def test_they_can_be_matched() -> None:
    def say(outcome: Ok[int] | Exited[str] | None) -> str:
        match outcome:
            case Ok(value):
                return f"value {value}"
            case Exited(reason=Crashed(exception)):
                return f"crashed: {exception}"
            case Exited(TimedOut(seconds), item):
                return f"{item} took more than {seconds}"
            case Exited(reason):
                return f"ended: {reason}"
            case None:
                return "runs"

    assert say(Ok(5)) == "value 5"
    assert say(Exited(Crashed(ValueError("no")))) == "crashed: no"
    assert say(Exited(TimedOut(1.5), "x")) == "x took more than 1.5"
    assert say(Exited(Killed())) == "ended: Killed()"
    assert say(None) == "runs"


@pytest.mark.parametrize("allowed", ["exit", "kill_task"])
def test_what_a_stream_does_about_a_slow_task(allowed: str) -> None:
    check_on_timeout(allowed)


@pytest.mark.parametrize("wrong", ["kill", None, 5])
def test_anything_else_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match=r"on_timeout: got .* allowed are 'exit', 'kill_task'"):
        check_on_timeout(wrong)
