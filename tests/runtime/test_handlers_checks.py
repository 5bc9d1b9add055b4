"""What ``@handles`` refuses when the class is made. DESIGN 3.9."""

# No `from __future__ import annotations`: here annotations are values, unless they are quoted.

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, Generic, Optional, Protocol, TypeVar, Union

import msgspec
import pytest

from runtime import Call, Cast, GenServer, handles

T = TypeVar("T")


class Get(Call[int]):
    """The count."""


class GetTwice(Get):
    """A subclass of a message."""


class Add(Cast):
    by: int = 1


class Tick(msgspec.Struct, frozen=True):
    """An info."""


class Fetch(Call[T], Generic[T]):
    key: T


class Named(Protocol):
    name: str


def make(message: type, method: Callable[..., Any]) -> type:
    vars(method).clear()  # it may have been the handler of another message before
    return type("Made", (GenServer,), {"method": handles(message)(method)})


def too_few(self: Any) -> Any: ...
def too_many(self: Any, a: Any, b: Any, c: Any) -> Any: ...
def two(self: Any, a: Any, b: Any) -> Any: ...


@pytest.mark.parametrize(
    ("message", "method", "text"),
    [
        (
            Get,
            too_few,
            "takes 0 arguments, allowed is (self, request) or (self, request, reply_to)",
        ),
        (Get, too_many, "takes 3 arguments, allowed is (self, request) or (self, request, "),
        (Add, too_few, "takes 0 arguments, allowed is (self, message)"),
        (Add, two, "takes 2 arguments, allowed is (self, message)"),
        (Tick, two, "takes 2 arguments, allowed is (self, message)"),
    ],
)
def test_a_method_with_the_wrong_number_of_arguments(
    message: type, method: Callable[..., Any], text: str
) -> None:
    with pytest.raises(TypeError) as caught:
        make(message, method)
    where = f"Made.method for @handles({message.__name__}): "
    assert str(caught.value).startswith(where + text)


def takes_add(self: Any, message: Add) -> Any: ...
def takes_subclass(self: Any, message: GetTwice) -> Any: ...
def takes_union(self: Any, message: Add | Tick) -> Any: ...
def takes_old_union(self: Any, message: Union[Add, Tick]) -> Any: ...  # noqa: UP007
def takes_generic(self: Any, message: Fetch[int]) -> Any: ...


@pytest.mark.parametrize(
    "method", [takes_add, takes_subclass, takes_union, takes_old_union, takes_generic]
)
def test_a_method_whose_argument_is_annotated_with_another_message(
    method: Callable[..., Any],
) -> None:
    with pytest.raises(TypeError, match=r"its argument is annotated .*, allowed is Get$"):
        make(Get, method)


def bare(self, message): ...  # type: ignore[no-untyped-def]  # pyright: ignore[reportMissingParameterType]
def takes_get(self: Any, message: Get) -> Any: ...
def takes_call(self: Any, message: Call[int]) -> Any: ...
def takes_object(self: Any, message: object) -> Any: ...
def takes_any(self: Any, message: Any) -> Any: ...
def takes_get_or_add(self: Any, message: Get | Add) -> Any: ...
def takes_optional(self: Any, message: Optional[Get]) -> Any: ...  # noqa: UP045
def takes_annotated(self: Any, message: Annotated[Get, "note"]) -> Any: ...
def takes_variable(self: Any, message: T) -> T: ...  # type: ignore[empty-body]
def takes_protocol(self: Any, message: Named) -> Any: ...
def takes_string(self: Any, message: "Get") -> Any: ...
def takes_unknown(self: Any, message: "elsewhere.Get") -> Any: ...  # type: ignore[name-defined]  # noqa: F821  # pyright: ignore[reportUndefinedVariable]
def takes_expression(self: Any, message: "Get | Add") -> Any: ...
def takes_all(self: Any, *args: Any) -> Any: ...


@pytest.mark.parametrize(
    "method",
    [
        bare, takes_get, takes_call, takes_object, takes_any, takes_get_or_add, takes_optional,
        takes_annotated, takes_variable, takes_protocol, takes_string, takes_unknown,
        takes_expression, takes_all,
    ],
)  # fmt: skip
def test_a_method_whose_annotation_admits_the_message_or_cannot_be_told(
    method: Callable[..., Any],
) -> None:
    make(Get, method)


def takes_other_string(self: Any, message: "Add") -> Any: ...
def takes_other_unknown(self: Any, message: "elsewhere.Add") -> Any: ...  # type: ignore[name-defined]  # noqa: F821  # pyright: ignore[reportUndefinedVariable]


@pytest.mark.parametrize("method", [takes_other_string, takes_other_unknown])
def test_a_string_annotation_that_names_another_message(method: Callable[..., Any]) -> None:
    with pytest.raises(TypeError, match="its argument is annotated"):
        make(Get, method)


ONE_CLASS = (
    "allowed is one message class: write a method for each, which may call another, "
    "or handle a base class that they share"
)


@pytest.mark.parametrize(
    ("messages", "got"),
    [
        ((Add, Tick), f"{Add!r}, {Tick!r}"),
        ((Get, None), f"{Get!r}, None"),
        ((Add | Tick,), f"{Add | Tick!r}"),
        ((Union[Add, Tick],), f"{Union[Add, Tick]!r}"),  # noqa: UP007
    ],
)
def test_several_messages_are_refused_with_what_to_write(messages: Any, got: str) -> None:
    with pytest.raises(TypeError) as caught:
        handles(*messages)
    assert str(caught.value) == f"handles: got {got}, {ONE_CLASS}"


def test_a_second_message_for_one_method_is_refused() -> None:
    def method(self: Any, message: object) -> None: ...

    handles(Tick)(method)
    with pytest.raises(TypeError) as caught:
        handles(Add)(method)
    name = "test_a_second_message_for_one_method_is_refused.<locals>.method"
    assert str(caught.value) == f"@handles(Add): {name} handles Tick already, {ONE_CLASS}"
    assert handles(Tick)(method) is method


def test_two_methods_of_one_class_for_one_message() -> None:
    methods = {name: handles(Get)(lambda self, request: 1) for name in ("one", "two")}
    with pytest.raises(TypeError, match="Twice: one and two both handle Get"):
        type("Twice", (GenServer,), methods)


@pytest.mark.parametrize("junk", [None, Get(), "Get", 5, Fetch[int]])
def test_only_a_class_can_be_handled(junk: Any) -> None:
    with pytest.raises(TypeError, match=r"handles: got .*, allowed is a message class"):
        handles(junk)


@pytest.mark.parametrize("junk", [None, 5, "method", len, partial(takes_get), GenServer, object()])
def test_only_a_method_can_handle(junk: Any) -> None:
    with pytest.raises(TypeError, match=r"@handles\(Get\): got .*, allowed is a method"):
        handles(Get)(junk)
    with pytest.raises(TypeError, match=r"@handles\(Add\): got .*, allowed is a method"):
        handles(Add)(junk)


def test_the_decorator_gives_the_method_back() -> None:
    def method(self: Any, request: Get) -> int:
        return 1

    assert handles(Get)(method) is method
