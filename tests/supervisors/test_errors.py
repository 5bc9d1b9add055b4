"""What a supervisor refuses: errors that say which child, in words and as attributes."""

from __future__ import annotations

from runtime import Normal, Shutdown, StartError
from runtime.pid import Pid
from supervisors import (
    AlreadyPresent,
    ChildError,
    ChildNotFound,
    ChildRestarting,
    ChildRunning,
    FailedToStartChild,
    GaveUp,
    SupervisorGaveUp,
)


def test_each_names_the_child() -> None:
    pid = Pid(7, "a")
    errors: list[tuple[ChildError, str]] = [
        (ChildNotFound("a"), "there is no child 'a'"),
        (ChildRunning("a", pid), "child 'a' is running as <Pid 7 a>"),
        (ChildRestarting("a"), "child 'a' is being restarted"),
        (AlreadyPresent("a"), "child 'a' is present but stopped: restart it or delete it"),
    ]
    for error, text in errors:
        assert (str(error), error.child_id) == (text, "a")


def test_a_running_child_comes_with_its_pid() -> None:
    pid = Pid(7, "a")
    assert ChildRunning("a", pid).pid is pid


def test_a_child_that_is_present_is_also_an_error_of_the_start() -> None:
    assert isinstance(AlreadyPresent("a"), StartError)


def test_giving_up_tells_its_history_line_by_line() -> None:
    reason = Shutdown(GaveUp(("-1.000 s  a", "+0.000 s  b"), None))
    error = SupervisorGaveUp("shop ran out of restarts:", reason, ("-1.000 s  a", "+0.000 s  b"))
    assert str(error) == "shop ran out of restarts:\n  -1.000 s  a\n  +0.000 s  b"
    assert error.reason is reason
    assert error.history == ("-1.000 s  a", "+0.000 s  b")


def test_the_details_of_a_shutdown_are_plain_values() -> None:
    assert FailedToStartChild("a", Normal()) == FailedToStartChild("a", Normal())
    assert GaveUp((), None) == GaveUp((), None)


def test_the_names_in_tracebacks_are_the_public_ones() -> None:
    for error in (ChildNotFound, SupervisorGaveUp, AlreadyPresent, FailedToStartChild):
        assert error.__module__ == "supervisors"
