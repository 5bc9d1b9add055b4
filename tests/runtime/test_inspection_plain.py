"""Whatever users say of themselves becomes plain, and not too much of it."""

from __future__ import annotations

import math
from collections import OrderedDict
from types import MappingProxyType
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.inspection.plain import MAX_ITEMS, plain, plain_facts


class Word(str):
    """A string that shows itself otherwise."""

    __slots__ = ()

    def __str__(self) -> str:
        return "something else"


class Unhashable:
    """No plain value."""

    def __repr__(self) -> str:
        return "<odd>"


@pytest.mark.parametrize(
    ("value", "is_plain"),
    [
        (None, None),
        (True, True),
        (3, 3),
        (-(1 << 63), -(1 << 63)),
        (1 << 63, str(1 << 63)),
        (2.5, 2.5),
        ("é", "é"),
        ("\udc80", "\\udc80"),
        (Word("word"), "word"),
        (b"x", "b'x'"),
        ((1, 2), [1, 2]),
        ([1, [2]], [1, [2]]),
        ({"a": 1, 2: Unhashable()}, {"a": 1, "2": "<odd>"}),
        (OrderedDict(a=1), {"a": 1}),
        ({1}, "{1}"),
        ([[[[[1]]]]], [[[["[1]"]]]]),
        (list(range(MAX_ITEMS + 1)), list(range(MAX_ITEMS))),
    ],
)
def test_a_value_becomes_plain(value: object, is_plain: object) -> None:
    found = plain(value)
    assert (found, type(found)) == (is_plain, type(is_plain))


def test_a_dict_is_cut() -> None:
    assert plain(dict.fromkeys(range(MAX_ITEMS + 5), 0)) == {str(i): 0 for i in range(MAX_ITEMS)}


def test_what_contains_itself_ends() -> None:
    endless: list[Any] = []
    endless.append(endless)
    assert plain(endless) == [[[["[[...]]"]]]]


leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
values = st.recursive(
    leaves, lambda inner: st.lists(inner) | st.dictionaries(leaves, inner), max_leaves=20
)


@given(values)
def test_what_is_plain_can_be_encoded(value: object) -> None:
    msgspec.msgpack.encode(plain(value))
    msgspec.json.encode(plain(value))


def test_facts_are_a_mapping_with_plain_values() -> None:
    assert plain_facts(dict) == {}
    assert plain_facts(lambda: MappingProxyType({"a": (1,), 2: math.inf})) == {
        "a": [1],
        "2": math.inf,
    }
    many = dict.fromkeys(map(str, range(MAX_ITEMS + 5)), 1)
    assert len(plain_facts(lambda: many)) == MAX_ITEMS


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt(), SystemExit(3)])
def test_facts_that_raise_are_said_as_such(error: BaseException) -> None:
    def tell() -> object:
        raise error

    assert plain_facts(tell) == {"facts": f"raised {error!r}"}


def test_facts_that_are_no_mapping_are_said_as_such() -> None:
    assert plain_facts(lambda: [1]) == {
        "facts": "raised TypeError('facts: returned [1], allowed is a mapping')"
    }
