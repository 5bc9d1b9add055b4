"""What the checkers know about messages, outcomes and reasons: frozen, with typed fields."""

from __future__ import annotations

from typing import assert_type

import msgspec

from runtime import (
    Call,
    Cast,
    Continue,
    Crashed,
    Down,
    Exit,
    Idle,
    Killed,
    MonitorRef,
    NoReply,
    Normal,
    Pid,
    Reply,
    Shutdown,
    Stop,
)


class Get(Call[int]):
    """No fields."""


class Add(Cast):
    """A field with a default."""

    by: int = 1


class Move(Cast):
    """Fields that must be given."""

    x: int
    y: int
    note: str = ""


class Batch(Cast):
    """A default that is made anew."""

    items: list[int] = msgspec.field(default_factory=list)


class Jump(Move):
    """One field more than its base."""

    height: float = 0.0


def constructors_are_typed() -> None:
    Get()
    Add()
    Add(2)
    Add(by=2)
    Move(1, 2)
    Move(x=1, y=2, note="there")
    Jump(1, 2, "there", 3.5)
    Batch()
    Batch(items=[1])
    Get(1)  # pyright: ignore[reportCallIssue]
    Add(by="2")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Add(to=2)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Add(1, 2)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Move(1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Jump(1, 2, height="high")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Batch(items=["1"])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]


def fields_are_typed(add: Add, move: Move) -> None:
    assert_type(add.by, int)
    assert_type(move.note, str)
    print(add.to)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]


def messages_are_frozen(add: Add, jump: Jump, down: Down, stop: Stop, shutdown: Shutdown) -> None:
    add.by = 3  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    jump.x = 3  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    down.pid = None  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    stop.reason = Normal()  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    shutdown.detail = 1  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]


def a_match_knows_the_fields(message: Get | Add | Move) -> int:
    match message:
        case Get():
            return 1
        case Add(by):
            assert_type(by, int)
            return by
        case Move(x=x, note=note):
            assert_type(note, str)
            return x


def a_match_that_forgets_a_message_is_seen(message: Get | Add) -> int:  # type: ignore[return]  # pyright: ignore[reportReturnType]
    match message:  # pyright: ignore[reportMatchNotExhaustive]
        case Get():
            return 1


def what_the_runtime_sends_is_typed(down: Down, signal: Exit) -> None:
    assert_type(down.ref, MonitorRef)
    assert_type(down.pid, Pid | None)
    assert_type(down.name, str | None)
    assert_type(signal.pid, Pid | None)
    match down.reason:
        case Crashed(exception):
            assert_type(exception, BaseException)
        case Shutdown() | Normal() | Killed():
            pass
        case _:
            pass


def outcomes_are_typed() -> None:
    assert_type(Reply(1), Reply[int])
    Reply("x", then=Continue())
    Reply("x", then=Idle(5))
    NoReply()
    NoReply(then=Continue("later"))
    Stop()
    Stop("disk full")
    Stop(reply=5)
    Continue()
    Reply()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Reply(1, then=Stop())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    NoReply(then=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    NoReply(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Idle()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Idle("5")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Crashed("boom")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Killed(5)  # pyright: ignore[reportCallIssue]


def a_reply_of_less_is_a_reply_of_more(reply: Reply[int]) -> None:
    wide: Reply[float] = reply
    other: Reply[str] = reply  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    print(wide, other)
