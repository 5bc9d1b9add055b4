"""What a test expects: a class, several of them, a predicate, or the value itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, cast

from runtime.containment import short_repr

Pattern: TypeAlias = object
"""A class or a tuple of classes (an instance is expected), a function (a predicate), any other
value (an equal one of the same class is expected)."""


def predicate_of(pattern: Pattern) -> Callable[[object], bool]:
    """Whether a value is what the pattern expects."""
    if isinstance(pattern, type):
        return lambda value: isinstance(value, pattern)
    if _is_classes(pattern):
        classes = cast("tuple[type, ...]", pattern)
        return lambda value: isinstance(value, classes)
    if callable(pattern):
        return cast("Callable[[object], bool]", pattern)
    return lambda value: type(value) is type(pattern) and value == pattern


def _is_classes(pattern: Pattern) -> bool:
    if not isinstance(pattern, tuple):
        return False
    several = cast("tuple[object, ...]", pattern)
    return bool(several) and all(isinstance(one, type) for one in several)


def describe(pattern: Pattern) -> str:
    """The pattern as a failed assertion names it."""
    if isinstance(pattern, type):
        return pattern.__name__
    if _is_classes(pattern):
        return " or ".join(one.__name__ for one in cast("tuple[type, ...]", pattern))
    if callable(pattern):
        name = getattr(pattern, "__qualname__", None) or short_repr(pattern)
        return f"what {name} accepts"
    return short_repr(pattern)
