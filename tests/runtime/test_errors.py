"""Errors say whose fault it is, what was asked, and are caught by what they are."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

import runtime
from runtime import (
    AlreadyStarted,
    BadResult,
    Call,
    CallCycle,
    CallError,
    CallExit,
    CallTimeout,
    Crashed,
    Ignored,
    MailboxFull,
    NameTaken,
    NoNode,
    OutsideProcess,
    Pid,
    ProcessExit,
    ProcessNotFound,
    ReceiveTimeout,
    ReplyDropped,
    StartError,
    StartFailed,
    StartTimeout,
    UnhandledMessage,
    named,
)

PID = Pid(7, "counter")


class Login(Call[bool]):
    user: str
    password: str


SECRET = Login("ann", "hunter2")
TARGET = named("auth")

CALL_ERRORS: list[tuple[CallError, str]] = [
    (CallExit("boom", TARGET, SECRET), "Login to named('auth'): the server ended: 'boom'"),
    (CallTimeout(0.5, TARGET, SECRET), "Login to named('auth'): no reply within 0.5 s"),
    (
        CallCycle((PID, PID), TARGET, SECRET),
        "Login to named('auth') would wait for itself: <Pid 7 counter> -> <Pid 7 counter>",
    ),
    (
        ReplyDropped(TARGET, SECRET),
        "Login to named('auth'): the server dropped reply_to unanswered",
    ),
]


@pytest.mark.parametrize(("error", "text"), CALL_ERRORS)
def test_a_failed_call_says_what_was_called_and_keeps_the_fields_to_itself(
    error: CallError, text: str
) -> None:
    assert str(error) == text
    assert "hunter2" not in str(error)
    assert isinstance(error, CallError)
    assert (error.target, error.request) == (TARGET, SECRET)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (StartFailed("Counter", "boom"), "Counter did not start: 'boom'"),
        (StartTimeout("Counter", 2.5), "Counter was not up within 2.5 s and was killed"),
        (AlreadyStarted("counter", PID), "name 'counter' is held by <Pid 7 counter>"),
        (Ignored("said so"), "said so"),
    ],
)
def test_a_failed_start_says_why(error: StartError, text: str) -> None:
    assert str(error) == text
    assert isinstance(error, StartError)
    assert not isinstance(error, CallError)


def test_timeouts_are_timeout_errors() -> None:
    """So ``except TimeoutError`` catches each of them."""
    for error in (CallTimeout, StartTimeout, ReceiveTimeout):
        assert issubclass(error, TimeoutError)
    assert not issubclass(CallExit, TimeoutError)


@pytest.mark.parametrize(
    ("error", "base"),
    [
        (ProcessNotFound, LookupError),
        (NameTaken, ValueError),
        (BadResult, TypeError),
        (OutsideProcess, RuntimeError),
        (NoNode, RuntimeError),
        (MailboxFull, Exception),
        (UnhandledMessage, Exception),
    ],
)
def test_an_error_is_also_what_python_calls_it(
    error: type[Exception], base: type[Exception]
) -> None:
    assert issubclass(error, base)
    assert not issubclass(error, CallError | StartError)


def test_errors_have_what_they_are_about_as_attributes() -> None:
    taken = NameTaken("taken", "counter", PID)
    assert (str(taken), taken.name, taken.pid) == ("taken", "counter", PID)
    full = MailboxFull(PID, 3)
    assert (full.pid, full.limit) == (PID, 3)
    assert str(full) == "the mailbox of <Pid 7 counter> holds its limit of 3 messages"
    missing = ProcessNotFound(TARGET)
    assert missing.target == TARGET
    assert str(missing) == "there is no process named('auth')"
    assert BadResult("bad", 42).value == 42


def test_ending_a_process_is_no_exception_that_a_broad_except_catches() -> None:
    """Like SystemExit."""
    assert not issubclass(ProcessExit, Exception)
    with pytest.raises(ProcessExit) as caught:
        try:
            raise ProcessExit("done")
        except Exception:
            pytest.fail("an except Exception caught it")
    assert caught.value.reason == "done"


@pytest.mark.parametrize("junk", [None, ValueError("x"), runtime.Normal])
def test_ending_a_process_takes_a_reason(junk: Any) -> None:
    with pytest.raises(TypeError, match="reason: got"):
        ProcessExit(junk)


@pytest.mark.parametrize(
    "name",
    [name for name in runtime.__all__ if isinstance(getattr(runtime, name), type)],
)
def test_public_classes_show_their_public_path(name: str) -> None:
    """DESIGN 7: tracebacks say ``runtime.CallExit``; and such a class can be pickled by it."""
    public = getattr(runtime, name)
    if public.__module__ == "typing":
        return
    assert public.__module__ == "runtime"
    assert pickle.loads(pickle.dumps(public)) is public


def test_a_crash_keeps_the_exception_itself() -> None:
    exc = ValueError("boom")
    assert Crashed(exc).exception is exc
    assert CallExit(Crashed(exc), TARGET, SECRET).reason == Crashed(exc)
