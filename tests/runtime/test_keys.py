"""Keys: told apart exactly, hashed the same everywhere."""

from __future__ import annotations

import datetime as dt
import enum
import math
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime import Pid
from runtime.keys import check_key, exact_key, stable_hash

ROOT = Path(__file__).parents[2]
SETTINGS = settings(max_examples=200, deadline=None, derandomize=True)


class Colour(enum.Enum):
    RED = 1
    CRIMSON = RED


class Level(enum.IntEnum):
    LOW = 1


class Point(NamedTuple):
    x: Any


NOON = dt.datetime(2020, 1, 2, 12, tzinfo=dt.UTC)
EAST = dt.timezone(dt.timedelta(hours=2))
HOUR = dt.timedelta(hours=1)

plain = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from([0.0, -0.0, 1.0, -1.5, 2.0, math.inf]),
    st.sampled_from(["", "0", "1", "None", "True", "x", "\ud800"]),
    st.sampled_from([b"", b"0", b"1", b"x"]),
    st.sampled_from([Colour.RED, Level.LOW, uuid.UUID(int=1), dt.date(2020, 1, 2)]),
    st.sampled_from([NOON, NOON.astimezone(EAST), NOON.replace(tzinfo=None), NOON + HOUR]),
)
nested = st.recursive(
    plain,
    lambda inner: st.one_of(st.lists(inner, max_size=3).map(tuple), inner.map(Point)),
    max_leaves=5,
)


def same(one: Any, other: Any) -> bool:
    """Equal, and of the same types all the way down."""
    if isinstance(one, tuple) and type(one) is type(other):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and bool(one == other)


@SETTINGS
@given(nested, nested)
def test_keys_are_one_only_if_they_are_the_same_in_value_and_type(one: Any, other: Any) -> None:
    """REG-008."""
    assert (exact_key(one) == exact_key(other)) == same(one, other)
    if same(one, other):
        assert hash(exact_key(one)) == hash(exact_key(other))


@SETTINGS
@given(nested, nested)
def test_the_same_keys_hash_the_same_and_different_ones_differently(one: Any, other: Any) -> None:
    assert (stable_hash(one) == stable_hash(other)) == same(one, other)


@SETTINGS
@given(nested)
def test_a_hash_has_64_bits(key: Any) -> None:
    assert 0 <= stable_hash(key) < 2**64


def test_a_string_is_its_own_exact_key() -> None:
    key = str(1234567)
    assert exact_key(key) is key


def test_a_tuple_is_no_pair_of_a_type_and_a_value() -> None:
    keys: list[Any] = [(int, 1), 1, (1,), ((1,),), (tuple, 1), (tuple,), (), ((),), (str, "x"), "x"]
    assert len({exact_key(key) for key in keys}) == len(keys)


def test_a_dict_of_exact_keys_tells_the_three_ones_apart() -> None:
    """REG-008."""
    found = {exact_key(key): type(key) for key in (1, 1.0, True)}
    assert found == {exact_key(1): int, exact_key(1.0): float, exact_key(True): bool}
    assert len(found) == 3


# What each must hash to for ever: a change would send every key to another partition.
FIXED: list[tuple[Any, int]] = [
    ("x", 0xED18FE93C4C2B67C),
    ("", 0x25C905038459B1DB),
    (b"x", 0xA453A24237758FF9),
    (1, 0x68C6F228AE78CF44),
    (-1, 0xF50483959CFADFA4),
    (1.0, 0x451D6C6096CE2523),
    (1.5, 0xBB3B1BE6AC0AF1B1),
    (True, 0x9329D97E8A29BD18),
    (False, 0xF8CE487C03D7386E),
    (None, 0x977D0DE66814B164),
    ((), 0x9A8FDF89928D4FDB),
    (("x", 1), 0x89796E8746991C81),
    ((("x",), 1), 0x327E5A7568A38426),
    (Colour.RED, 0x5EE0AB34F6B7790B),
    (Level.LOW, 0xCA7CFAD86F115A91),
    (Pid(7, "any"), 0x52952E76F58127C7),
    (uuid.UUID(int=7), 0x59683AB641C2F3DF),
    (dt.date(2020, 1, 2), 0x02DC739D0A136158),
    (dt.datetime(2020, 1, 2, 3, 4), 0xBA79F172AD9871A8),
    (NOON, 0x7513B8CE018CE8DA),
    (Point(1), 0x98E82E5C3A7434E3),
    (10**20, 0xB52CECA63D7CA427),
    (-0.0, 0x1509166FF90E8EA2),
    (b"", 0x76D6F0D81B825868),
]


@pytest.mark.parametrize(("key", "number"), FIXED, ids=repr)
def test_a_hash_never_changes(key: Any, number: int) -> None:
    assert stable_hash(key) == number


PROGRAM = """
from tests.runtime.test_keys import FIXED
from runtime.keys import stable_hash

print(hash("x"))
print([stable_hash(key) for key, _ in FIXED])
"""


def test_another_run_has_the_same_numbers() -> None:
    """Python's own hashes are salted anew in each; these are not."""
    salted: set[str] = set()
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        salt, numbers = done.stdout.splitlines()
        salted.add(salt)
        assert numbers == str([number for _, number in FIXED])
    assert len(salted) == 2


def test_names_of_one_member_hash_the_same() -> None:
    assert stable_hash(Colour.RED) == stable_hash(Colour.CRIMSON)


def test_a_pid_counts_by_its_number() -> None:
    assert stable_hash(Pid(1, "a")) == stable_hash(Pid(1, "b")) != stable_hash(Pid(2, "a"))


class Word(str):
    """A text that may mean something else."""

    __slots__ = ()


REFUSED: list[Any] = [
    object(), frozenset({1}), ("x", object()), int, 1j, Word("x"), dt.time(1, 2), dt.timedelta(1),
]  # fmt: skip


@pytest.mark.parametrize("key", REFUSED)
def test_a_key_whose_bytes_are_not_defined_is_refused(key: Any) -> None:
    with pytest.raises(
        TypeError, match=r"^key: got .* \(\w+\), allowed are str, .*tuples of these$"
    ):
        stable_hash(key)


def test_two_keys_of_the_same_text_are_two() -> None:
    """Length and kind are part of what is hashed."""
    keys: list[Any] = [
        "1",
        1,
        b"1",
        1.0,
        ("1",),
        (("1",),),
        ("1", ""),
        ("", "1"),
        "str:1:1",
        None,
        "None",
        Point(1),
        (1,),
    ]
    assert len({stable_hash(key) for key in keys}) == len(keys)


def test_a_large_number_is_a_key_like_any_other() -> None:
    assert stable_hash(10**5000) != stable_hash(10**5000 + 1)


def test_check_key_is_the_exact_key_of_what_can_be_one() -> None:
    for key in ("x", 1, 1.0, (1, "x"), None):
        assert check_key(key) == exact_key(key)


@pytest.mark.parametrize("key", [[], ("x", []), set(), bytearray()])
def test_what_cannot_be_hashed_is_no_key(key: Any) -> None:
    with pytest.raises(TypeError, match=r"^key: got .*, allowed is anything hashable$"):
        check_key(key)


def test_keys_inside_other_containers_are_compared_as_python_does() -> None:
    assert exact_key(frozenset({1})) == exact_key(frozenset({True}))


class Autumn(dt.tzinfo):
    """Clocks that have just gone back an hour, without a time zone database."""

    def utcoffset(self, moment: dt.datetime | None) -> dt.timedelta:
        return dt.timedelta(hours=1 if moment is not None and moment.fold else 2)

    def dst(self, moment: dt.datetime | None) -> dt.timedelta:
        return dt.timedelta(0)

    def tzname(self, moment: dt.datetime | None) -> str:
        return "autumn"


def test_an_hour_that_comes_twice_is_one_key_and_the_end_of_time_is_one_too() -> None:
    """Python takes both hours for the same moment, so they must lead to the same place."""
    first = dt.datetime(2020, 10, 25, 2, 30, tzinfo=Autumn())
    second = first.replace(fold=1)
    assert exact_key(first) == exact_key(second)
    assert stable_hash(first) == stable_hash(second)
    last = dt.datetime.max.replace(tzinfo=dt.timezone(-dt.timedelta(hours=2)))
    assert stable_hash(last) != stable_hash(first)
