"""What a pattern matches, and how a failed assertion names it."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from functools import partial
from typing import Any, List, NewType, Optional, Protocol, Union  # noqa: UP035
from unittest import mock

import pytest

from runtime import Call, Cast, Shutdown
from runtime.testing.patterns import classes_of, describe, predicate_of


class Add(Cast):
    by: int = 1


class Size(IntEnum):
    SMALL = 1


class Unwilling:
    """Is equal to nothing, not even to what stands for anything."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return False


def is_add(message: object) -> bool:
    return isinstance(message, Add)


@pytest.mark.parametrize(
    ("pattern", "match", "other"),
    [
        (Add, Add(2), 2),
        ((Add, int), 7, "7"),
        (Add | int, 7, "7"),
        (Union[Add, int], 7, "7"),  # noqa: UP007
        (Optional[int], None, "7"),  # noqa: UP045
        ((Add, int | str), "7", 7.0),
        ((Add, (int, str)), "7", 7.0),
        ("x".startswith, "", "y"),
        (partial(isinstance, 1), int, str),
        (is_add, Add(), None),
        (Add(2), Add(2), Add(3)),
        (1, 1, True),
        (1, 1, 1.0),
        (1.0, 1.0, 1),
        (1, 1, Size.SMALL),
        (Size.SMALL, Size.SMALL, 1),
        (1j, 1j, 0),
        (True, True, 1),
        (pytest.approx(5), 5, 6),
        (pytest.approx(5), 5.0000001, "5"),
        (Add(mock.ANY), Add(7), 7),
        (None, None, 0),
        ((), (), (1,)),
        ((1, 2), (1, 2), (1, 3)),
        ((int, 2), (int, 2), 2),
        (Shutdown(), Shutdown(), Shutdown("bye")),
    ],
)
def test_a_pattern_is_a_class_several_a_predicate_or_the_value(
    pattern: object, match: object, other: object
) -> None:
    matches = predicate_of(pattern)
    assert matches(match)
    assert not matches(other)


@pytest.mark.parametrize("value", [5, None, "x", Add(1), Unwilling()])
def test_what_is_made_to_equal_anything_matches_anything(value: object) -> None:
    assert predicate_of(mock.ANY)(value)


async def never(message: object) -> bool:
    return False


class Get(Call[int]):
    """A generic class by its base."""


class Sized(Protocol):
    size: int


@pytest.mark.parametrize(
    "pattern",
    [
        list[int],
        List[int],  # noqa: UP006
        Callable[[int], bool],
        Call[int],
        int | list[int],
        (int, list[int]),
        (object, list[int]),
        Any,
        Sized,
        NewType("UserId", int),
    ],
)
def test_a_type_that_nothing_can_be_an_instance_of_is_refused(pattern: object) -> None:
    with pytest.raises(
        TypeError, match=r"^reason: got .+, allowed are classes that isinstance\(\) takes$"
    ):
        predicate_of(pattern, "reason")


def test_a_predicate_is_a_plain_function_of_one_argument() -> None:
    with pytest.raises(
        TypeError, match=r"^pattern: got .+, an async function; a predicate answers at once$"
    ):
        predicate_of(never)
    for wrong in (lambda: True, lambda one, two: True):
        with pytest.raises(
            TypeError, match=r"^pattern: got .+, allowed is a function of \(value\)"
        ):
            predicate_of(wrong)


@pytest.mark.parametrize(
    ("pattern", "classes"),
    [
        (int, (int,)),
        ((int, (str, Add | None)), (int, str, Add, type(None))),
        ((), ()),
        (is_add, ()),
    ],
)
def test_the_classes_of_a_pattern(pattern: object, classes: tuple[type, ...]) -> None:
    assert classes_of("pattern", pattern) == classes


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (Add, "Add"),
        ((Add, int), "Add or int"),
        (Add | int, "Add or int"),
        ((Add, int | str), "Add or int or str"),
        ((), "()"),
        ((1, int), "(1, <class 'int'>)"),
        (is_add, "what is_add accepts"),
        (Add(2), "Add(by=2)"),
        ("tick", "'tick'"),
    ],
)
def test_a_pattern_is_named_as_it_was_written(pattern: object, text: str) -> None:
    assert describe(pattern) == text


def test_a_callable_without_a_name_is_shown() -> None:
    class Odd:
        def __call__(self, message: object) -> bool:
            return False

        def __repr__(self) -> str:
            return "Odd()"

    assert describe(Odd()) == "what Odd() accepts"
