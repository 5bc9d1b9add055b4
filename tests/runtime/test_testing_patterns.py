"""What a pattern matches, and how a failed assertion names it."""

from __future__ import annotations

import pytest

from runtime import Cast, Shutdown
from runtime.testing.patterns import describe, predicate_of


class Add(Cast):
    by: int = 1


def is_add(message: object) -> bool:
    return isinstance(message, Add)


@pytest.mark.parametrize(
    ("pattern", "match", "other"),
    [
        (Add, Add(2), 2),
        ((Add, int), 7, "7"),
        (is_add, Add(), None),
        (Add(2), Add(2), Add(3)),
        (1, 1, True),
        (1, 1, 1.0),
        (None, None, 0),
        ((), (), (1,)),
        ((1, 2), (1, 2), (1, 3)),
        (Shutdown(), Shutdown(), Shutdown("bye")),
    ],
)
def test_a_pattern_is_a_class_several_a_predicate_or_the_value(
    pattern: object, match: object, other: object
) -> None:
    matches = predicate_of(pattern)
    assert matches(match)
    assert not matches(other)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (Add, "Add"),
        ((Add, int), "Add or int"),
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
