"""What a callback has returned, and what is said of slips."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from runtime import (
    Call,
    Continue,
    Idle,
    Ignore,
    Node,
    NoReply,
    Normal,
    Reply,
    Stop,
)
from runtime.callback_results import CallHandler, is_outcome_class, is_plain_reply
from tests.runtime.inlining import Doer, GetInt, Run, in_both_modes, what_comes_of


class Anything(Call[Any]):
    pass


class Number(Call[int]):
    pass


class Point(msgspec.Struct, frozen=True):
    x: int = 0


class Stubborn:
    """Raises when it is asked what it is."""

    @property  # type: ignore[misc]
    def __class__(self) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        raise LookupError("no class")


class Meta(type):
    """A class that cannot be hashed."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(cls, other: object) -> bool:
        raise LookupError("not comparable")


class Unhashable(metaclass=Meta):
    pass


PLAIN = [1, True, 1.5, "text", b"", (), [], {}, set[int](), Point(), object(), int, Unhashable()]


@pytest.mark.parametrize("value", PLAIN, ids=lambda value: type(value).__name__)
def test_a_value_is_a_reply(value: object) -> None:
    assert is_plain_reply(Number(), value)


def test_none_is_one_where_the_call_admits_it() -> None:
    assert is_plain_reply(Anything(), None)
    assert not is_plain_reply(Number(), None)


OUTCOMES = [Reply(1), NoReply(), Stop(), Continue(), Idle(1), Ignore(), NoReply, Stop, Reply]


@pytest.mark.parametrize("value", OUTCOMES, ids=str)
def test_an_outcome_and_the_class_of_one_are_none(value: object) -> None:
    assert not is_plain_reply(Anything(), value)
    assert is_outcome_class(value) is isinstance(value, type)


async def test_a_coroutine_is_none() -> None:
    async def later() -> None:
        pass

    coroutine = later()
    assert not is_plain_reply(Anything(), coroutine)
    await coroutine


class Pretender:
    """It may say that it is anything."""

    says: Any = str

    @property  # type: ignore[misc]
    def __class__(self) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        return self.says


def test_the_class_of_a_reply_is_remembered_unless_its_values_can_pretend() -> None:
    handler = CallHandler("get", wants_reply_to=False, plain=True)
    assert handler.has_replied(Number(), 1)
    assert handler.reply_kind is int
    assert handler.has_replied(Number(), Pretender())
    assert handler.reply_kind is int
    pretender = Pretender()
    pretender.says = Stop
    assert not handler.has_replied(Number(), pretender)


def test_what_cannot_be_asked_is_none() -> None:
    assert not is_plain_reply(Anything(), Stubborn())


class TestInBothModes:
    pytestmark = in_both_modes

    async def test_what_cannot_be_asked_is_the_servers_crash(self, node: Node) -> None:
        doer = await Doer.start()
        assert await what_comes_of(doer, Run(lambda _: Stubborn())) == ("CallExit", "Crashed")

    async def test_none_where_a_value_was_meant_is_the_servers_crash(self, node: Node) -> None:
        doer = await Doer.start()
        assert await what_comes_of(doer, GetInt(lambda _: None)) == ("CallExit", "Crashed")

    @pytest.mark.parametrize("result", [Continue(), Idle(1), Ignore(), NoReply, Stop], ids=str)
    async def test_so_is_an_outcome_that_no_call_may_have(self, node: Node, result: object) -> None:
        doer = await Doer.start()
        assert await what_comes_of(doer, Run(lambda _: result)) == ("CallExit", "Crashed")

    async def test_a_stop_is_none(self, node: Node) -> None:
        doer = await Doer.start()
        assert await what_comes_of(doer, Run(lambda _: Stop(Normal()))) == ("CallExit", "Normal")
