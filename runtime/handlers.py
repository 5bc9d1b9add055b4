"""``@handles``: a method per message type, checked when the class is made.

The decorator is an object generic in the reply, so that mypy and pyright hold a handler's return
to the ``R`` of its ``Call[R]``. That the request's annotation is the decorated message no checker
can express; ``collect_handlers`` checks it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from types import UnionType
from typing import (
    Annotated,
    Any,
    Generic,
    TypeAlias,
    TypeVar,
    Union,
    get_args,
    get_origin,
    overload,
)

import msgspec

from runtime.annotations import UNKNOWN, resolve
from runtime.containment import short_repr
from runtime.messages import Call, is_call_class
from runtime.outcomes import CastResult, NoReply, Reply, Stop
from runtime.pending_calls import ReplyTo

S = TypeVar("S")
M = TypeVar("M")
R = TypeVar("R")

_MARK = "__handles__"
_ONE_CLASS = (
    "allowed is one message class: write a method for each, which may call another, "
    "or handle a base class that they share"
)

_Coro: TypeAlias = Coroutine[Any, Any, M]


class HandlesCall(Generic[R]):
    """Marks a method as the handler of one ``Call[R]`` class."""

    def __init__(self, message: type[Call[R]]) -> None:
        self._message = message

    @overload
    def __call__(
        self, method: Callable[[S, M], _Coro[R | Reply[R] | NoReply | Stop]], /
    ) -> Callable[[S, M], _Coro[R | Reply[R] | NoReply | Stop]]: ...
    @overload
    def __call__(
        self, method: Callable[[S, M, ReplyTo[R]], _Coro[R | Reply[R] | NoReply | Stop]], /
    ) -> Callable[[S, M, ReplyTo[R]], _Coro[R | Reply[R] | NoReply | Stop]]: ...
    @overload
    def __call__(
        self, method: Callable[[S, M], R | Reply[R] | NoReply | Stop], /
    ) -> Callable[[S, M], R | Reply[R] | NoReply | Stop]: ...
    @overload
    def __call__(
        self, method: Callable[[S, M, ReplyTo[R]], R | Reply[R] | NoReply | Stop], /
    ) -> Callable[[S, M, ReplyTo[R]], R | Reply[R] | NoReply | Stop]: ...

    def __call__(self, method: Any, /) -> Any:
        """The method, marked."""
        return _mark(method, self._message)


class HandlesMessage(Generic[M]):
    """Marks a method as the handler of one class of casts or infos."""

    def __init__(self, message: type[M]) -> None:
        self._message = message

    @overload
    def __call__(
        self, method: Callable[[S, M], _Coro[CastResult]], /
    ) -> Callable[[S, M], _Coro[CastResult]]: ...
    @overload
    def __call__(self, method: Callable[[S, M], CastResult], /) -> Callable[[S, M], CastResult]: ...

    def __call__(self, method: Any, /) -> Any:
        """The method, marked."""
        return _mark(method, self._message)


# a Call class is also just a class: the first overload that fits is the one meant
@overload
def handles(  # type: ignore[overload-overlap]
    message: type[Call[R]], /
) -> HandlesCall[R]: ...  # pyright: ignore[reportOverlappingOverload]
@overload
def handles(message: type[M], /) -> HandlesMessage[M]: ...


def handles(message: Any, /, *more: object) -> Any:
    """Mark a method as the handler of a message class: ``@handles(Get)``.

    For a ``Call[R]`` the method takes ``(self, request)`` or ``(self, request, reply_to)`` and
    returns an ``R``, ``Reply``, ``NoReply`` or ``Stop``; for a cast or any other message it takes
    ``(self, message)`` and returns what ``handle_cast`` may. ``def`` or ``async def``. A subclass
    of the message goes to the same handler, unless it has its own. One class for one method: what
    is done for several is done by a method of each, or for a base class that they share.
    """
    if more or get_origin(message) in (Union, UnionType):
        got = ", ".join(map(short_repr, (message, *more)))
        raise TypeError(f"handles: got {got}, {_ONE_CLASS}")
    if not isinstance(message, type):
        raise TypeError(f"handles: got {message!r}, allowed is a message class")
    marked: type[Any] = message
    call: type[Call[Any]] = message
    return HandlesCall(call) if is_call_class(marked) else HandlesMessage(marked)


def _mark(method: Any, message: type) -> Any:
    if not inspect.isfunction(method):
        raise TypeError(f"@handles({message.__name__}): got {method!r}, allowed is a method")
    marked = getattr(method, _MARK, message)
    if marked is not message:
        name = f"@handles({message.__name__}): {method.__qualname__}"
        raise TypeError(f"{name} handles {marked.__name__} already, {_ONE_CLASS}")
    setattr(method, _MARK, message)
    return method


class Handler(msgspec.Struct, frozen=True):
    """One handler: the method's name, so that overriding the method works as usual."""

    name: str
    wants_reply_to: bool


class HandlerTable:
    """Which method of a class takes which message class; nearest base class first."""

    def __init__(self, by_message: dict[type, Handler]) -> None:
        self.by_message = by_message
        self._found: dict[type, Handler | None] = dict(by_message)

    def find(self, message: type) -> Handler | None:
        """The handler for a message of exactly this class."""
        try:
            return self._found[message]
        except KeyError:
            bases = (self.by_message.get(base) for base in message.__mro__)
            handler = self._found[message] = next(filter(None, bases), None)
            return handler

    def message_names(self) -> list[str]:
        """The names of the message classes, sorted, for error messages."""
        return sorted(message.__name__ for message in self.by_message)


def collect_handlers(cls: type) -> HandlerTable:
    """The handlers of a class and its bases; refuses what could never work."""
    by_message: dict[type, Handler] = {}
    for base in reversed(cls.__mro__):
        own: dict[type, str] = {}
        for name, method in vars(base).items():
            message = getattr(method, _MARK, None)
            if not isinstance(message, type):
                continue
            if message in own:
                raise TypeError(
                    f"{base.__name__}: {own[message]} and {name} both handle {message.__name__}"
                )
            own[message] = name
            by_message[message] = Handler(name, _wants_reply_to(base, name, method, message))
    return HandlerTable(by_message)


def _wants_reply_to(cls: type, name: str, method: Callable[..., object], message: type) -> bool:
    where = f"{cls.__name__}.{name} for @handles({message.__name__})"
    parameters = list(inspect.signature(method).parameters.values())[1:]
    most = 2 if is_call_class(message) else 1
    if not 1 <= len(parameters) <= most:
        allowed = "(self, request) or (self, request, reply_to)" if most == 2 else "(self, message)"
        raise TypeError(f"{where}: takes {len(parameters)} arguments, allowed is {allowed}")
    annotation: object = parameters[0].annotation
    if annotation is not inspect.Parameter.empty and not _admits(annotation, message, method):
        raise TypeError(
            f"{where}: its argument is annotated {annotation!r}, allowed is {message.__name__}"
        )
    return len(parameters) == 2


def _admits(annotation: object, message: type, method: Callable[..., object]) -> bool:
    """Whether a value of ``message`` fits the annotation, as far as that can be told."""
    if isinstance(annotation, str):
        text, annotation = annotation, resolve(annotation, getattr(method, "__globals__", {}))
        if annotation is UNKNOWN:
            name = text.rpartition(".")[2]
            return not name.isidentifier() or name in (base.__name__ for base in message.__mro__)
    if get_origin(annotation) is Annotated:
        return _admits(get_args(annotation)[0], message, method)
    if get_origin(annotation) in (Union, UnionType):
        return any(_admits(arg, message, method) for arg in get_args(annotation))
    origin: object = get_origin(annotation) or annotation
    if annotation is Any or not isinstance(origin, type):
        return True
    try:
        return issubclass(message, origin)
    except TypeError:  # a protocol that cannot be asked
        return True
