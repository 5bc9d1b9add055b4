"""What a test expects: a class, several of them, a predicate, or the value itself."""

from __future__ import annotations

from collections.abc import Callable
from types import UnionType
from typing import NewType, TypeAlias, Union, cast, get_args, get_origin

from runtime.containment import attempt, short_repr
from runtime.plain_functions import check_plain_function, check_takes

Pattern: TypeAlias = object
"""A class, a tuple or a union of classes (an instance is expected), a function (a predicate), any
other value (an equal one is expected; a number also of the same class: ``1`` is not ``True``)."""


def predicate_of(pattern: Pattern, field: str = "pattern") -> Callable[[object], bool]:
    """Whether a value is what the pattern expects; ``field`` is the argument that it was given as.

    What could never be, or always, is refused with a ``TypeError``.
    """
    classes = classes_of(field, pattern)
    if classes:
        return lambda value: isinstance(value, classes)
    if callable(pattern):
        check_plain_function(field, pattern, "a predicate answers at once")
        check_takes(field, pattern, "value")
        return cast("Callable[[object], bool]", pattern)
    if isinstance(pattern, int | float | complex):
        return lambda value: type(value) is type(pattern) and value == pattern
    return lambda value: pattern == value  # in this order: it may be made to equal others


def classes_of(field: str, pattern: Pattern) -> tuple[type, ...]:
    """The classes of which an instance is expected; empty if something else is."""
    parts = _parts(pattern)
    if not all(map(_is_of_types, parts)):
        return ()
    for one in parts:
        _, unfit = attempt(isinstance, None, one)
        if unfit is not None:
            allowed = "allowed are classes that isinstance() takes"
            raise TypeError(f"{field}: got {pattern!r}, {allowed}") from unfit
    return cast("tuple[type, ...]", tuple(parts))


def _parts(pattern: Pattern) -> list[object]:
    """What a tuple or a union consists of, also one in the other; a pattern of one part if not."""
    if isinstance(pattern, tuple):
        several = cast("tuple[object, ...]", pattern)
    elif get_origin(pattern) in (Union, UnionType):
        several = get_args(pattern)
    else:
        return [pattern]
    return [one for part in several for one in _parts(part)]


def _is_of_types(pattern: Pattern) -> bool:
    """Whether it is meant as a type: a class, or what stands for one in annotations."""
    return isinstance(pattern, type | NewType) or get_origin(pattern) is not None


def describe(pattern: Pattern) -> str:
    """The pattern as a failed assertion names it."""
    parts = _parts(pattern)
    if parts and all(isinstance(one, type) for one in parts):
        return " or ".join(one.__name__ for one in cast("list[type]", parts))
    if callable(pattern):
        name = getattr(pattern, "__qualname__", None) or short_repr(pattern)
        return f"what {name} accepts"
    return short_repr(pattern)
