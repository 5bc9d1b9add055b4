"""Whether ``None`` is a proper reply for a ``Call`` class."""

from __future__ import annotations

import collections.abc
import typing
from typing import Annotated, Any, Generic, Literal, Optional, Protocol, TypeVar, Union

import msgspec
import pytest
from typing_extensions import TypedDict

from runtime import (
    BadResult,
    Call,
    CallExit,
    Crashed,
    GenServer,
    Node,
    NoReply,
    Reply,
    ReplyTo,
    start,
)
from runtime.reply_types import admits_none
from tests.support import Scripted

T = TypeVar("T")
U = TypeVar("U")


class Named(Protocol):
    def name(self) -> str: ...


class Row(TypedDict):
    id: int


class AnInt(Call[int]): ...


class AList(Call[list[int]]): ...


class AUnion(Call[int | str]): ...


class AnOldUnion(Call[Union[int, str]]): ...  # noqa: UP007  the old spelling is the case


class AnInheritedInt(AnInt): ...


class ATwiceInheritedInt(AnInheritedInt): ...


class AString(Call["int"]): ...


class AStringUnion(Call["int | str"]): ...


class AnAnnotatedInt(Call[Annotated[int, "pages"]]): ...


class Fetch(Call[T], Generic[T]): ...


class FetchInt(Fetch[int]): ...


class FetchIntAgain(FetchInt): ...


class Swapped(Call[U], Generic[T, U]): ...


class SwappedInt(Swapped[None, int]): ...


class Wrapped(Call[list[T]], Generic[T]): ...


class WrappedNone(Wrapped[None]): ...


class Paged(msgspec.Struct, Generic[T], frozen=True):
    page: T


class PagedInt(Paged[None], AnInt): ...


class ALiteral(Call[Literal["a", "b"]]): ...


class AProtocol(Call[Named]): ...


class ARow(Call[Row]): ...


class ACallable(Call[collections.abc.Callable[[], None]]): ...


class Nothing(Call[None]): ...


class AnOptional(Call[Optional[int]]): ...  # noqa: UP045  the old spelling is the case


class AUnionWithNone(Call[int | None]): ...


class AStringWithNone(Call["int | None"]): ...


class AnOptionalString(Call[Optional["int"]]): ...


class ANestedUnion(Call[Annotated["int | None", "pages"]]): ...


class AnyReply(Call[Any]): ...


class AnObject(Call[object]): ...


class Untyped(Call): ...  # type: ignore[type-arg]


class FetchNone(Fetch[None]): ...


class FetchOptional(Fetch[int | None]): ...


class MaybeFetch(Call[T | None], Generic[T]): ...


class MaybeFetchInt(MaybeFetch[int]): ...


class SwappedNone(Swapped[int, None]): ...


class ALiteralWithNone(Call[Literal["a", None]]): ...  # noqa: PYI061


class AProtocolOrNone(Call[Named | None]): ...


class ARowOrNone(Call[Row | None]): ...


class AHashable(Call[typing.Hashable]): ...


class ANewHashable(Call[collections.abc.Hashable]): ...


class Unresolvable(Call["NoSuchName"]): ...  # type: ignore[name-defined]


@pytest.mark.parametrize(
    "request_class",
    [
        AnInt, AList, AUnion, AnOldUnion, AnInheritedInt, ATwiceInheritedInt, AString,
        AStringUnion, AnAnnotatedInt, FetchInt, FetchIntAgain, SwappedInt, WrappedNone,
        PagedInt, ALiteral, AProtocol, ARow, ACallable,
    ],
)  # fmt: skip
def test_none_is_no_reply_where_the_type_says_otherwise(request_class: type[Call[object]]) -> None:
    assert not admits_none(request_class)


@pytest.mark.parametrize(
    "request_class",
    [
        Nothing, AnOptional, AUnionWithNone, AStringWithNone, AnOptionalString,
        ANestedUnion, AnyReply, AnObject, FetchNone, FetchOptional, MaybeFetchInt, SwappedNone,
        ALiteralWithNone, AProtocolOrNone, ARowOrNone, AHashable, ANewHashable,
    ],
)  # fmt: skip
def test_none_is_a_reply_where_the_type_admits_it(request_class: type[Call[object]]) -> None:
    assert admits_none(request_class)


@pytest.mark.parametrize("request_class", [Untyped, Fetch, Unresolvable])
def test_none_is_let_through_where_the_type_cannot_be_told(
    request_class: type[Call[object]],
) -> None:
    assert admits_none(request_class)


def test_a_local_class_in_a_string_cannot_be_told() -> None:
    class Local: ...

    class GetLocal(Call["Local"]): ...

    assert admits_none(GetLocal)


class FallsThrough(GenServer):
    """Its handlers forget to return, in every way there is."""

    def __init__(self, how: str) -> None:
        self.how = how

    def handle_call(self, request: object, reply_to: ReplyTo[Any]) -> Any:
        if self.how == "answered before":
            reply_to.reply(7)
        if self.how == "Reply(None)":
            return Reply(None)
        return None


class FallsThroughAsync(FallsThrough):
    async def handle_call(self, request: object, reply_to: ReplyTo[Any]) -> Any:
        return super().handle_call(request, reply_to)


@pytest.mark.parametrize("style", ["def", "async"])
@pytest.mark.parametrize("how", ["return", "Reply(None)"])
async def test_a_handler_that_falls_through_crashes_the_server(
    node: Node, style: str, how: str
) -> None:
    """GEN-044, for the one result that a Python function gives by accident."""
    spec = (FallsThrough if style == "def" else FallsThroughAsync).child_spec(how)
    server = await start(spec)
    with pytest.raises(CallExit) as caught:
        await server.call(AnInt())
    assert isinstance(caught.value.reason, Crashed)
    error = caught.value.__cause__
    assert isinstance(error, BadResult)
    assert error.value is None
    assert str(error) == (
        f"handle_call of {spec.behaviour} returned None for AnInt, whose reply type does "
        "not admit None: a branch without a return?"
    )


@pytest.mark.parametrize("style", ["def", "async"])
@pytest.mark.parametrize("how", ["return", "Reply(None)"])
@pytest.mark.parametrize("request_class", [AUnionWithNone, AProtocolOrNone, ARowOrNone])
async def test_none_reaches_the_caller_where_it_is_a_reply(
    node: Node, style: str, how: str, request_class: type[Call[object]]
) -> None:
    spec = (FallsThrough if style == "def" else FallsThroughAsync).child_spec(how)
    server = await start(spec)
    assert await server.call(request_class()) is None


async def test_returning_nothing_after_having_replied_is_fine(node: Node) -> None:
    server = await FallsThrough.start("answered before")
    assert await server.call(AnInt()) == 7
    assert await server.call(AnInt()) == 7, "and the server lives on"


async def test_a_deferred_none_is_a_bad_result_as_well(node: Node) -> None:
    """Whoever answers later makes the same slip; the caller still waits for an answer."""

    class Later(Scripted):
        def handle_call(self, request: object, reply_to: ReplyTo[Any]) -> Any:
            with pytest.raises(BadResult, match=r"reply_to.reply\(None\) for AnInt"):
                reply_to.reply(None)
            reply_to.reply(7)
            return NoReply()

    server = await Later.start()
    assert await server.call(AnInt()) == 7
