"""``console.completion``: what might follow, without running anything of the user's."""

from __future__ import annotations

import math
import os
from functools import cached_property
from typing import Any

import pytest

from runtime.console.completion import completions, last_word


class Slotted:
    __slots__ = ("empty", "inner")

    def __init__(self, inner: object) -> None:
        self.inner = inner


class Thing:
    kind = "class"

    def __init__(self) -> None:
        self.counter = Slotted("text")
        self._hidden = 1

    @property
    def computed(self) -> Any:
        raise AssertionError("a property was computed")

    @cached_property
    def cached(self) -> Any:
        raise AssertionError("a property was computed")

    @staticmethod
    def made() -> None: ...

    def __getattr__(self, name: str) -> Any:
        raise AssertionError("__getattr__ was asked")

    def __dir__(self) -> Any:
        raise AssertionError("__dir__ was asked")


NAMES: dict[str, object] = {
    "thing": Thing(), "Thing": Thing, "there": 1, "math": math, "os": os, "_own": 1,
}  # fmt: skip

CASES = {
    "": (),
    "the": ("there",),
    "x = thi": ("thing",),
    "whil": ("while",),
    "isinst": ("isinstance",),
    "_o": ("_own",),
    "thing.cou": ("thing.counter",),
    "f(thing.counter.inn": ("thing.counter.inner",),
    "thing.counter.inner.uppe": ("thing.counter.inner.upper",),
    "thing.comp": ("thing.computed",),
    "thing.computed.": (),
    "thing.cached.": (),
    "thing.counter.empty.": (),
    "thing.nothing.": (),
    "thing._h": ("thing._hidden",),
    "Thing.kin": ("Thing.kind",),
    "Thing.made.__nam": ("Thing.made.__name__",),
    "math.fsu": ("math.fsum",),
    "os.path.isab": ("os.path.isabs",),
    "nobody.": (),
    "int.from_b": ("int.from_bytes",),
    'named("co': ("counter", "counts"),
    "named('coun": ("counter", "counts"),
    "state('x', \"counte": ("counter",),
    "state('x').": (),
}


@pytest.mark.parametrize("text", CASES)
def test_completions(text: str) -> None:
    assert completions(text, NAMES, ["counter", "counts", "other"]) == CASES[text]


def test_the_last_word_is_what_is_replaced() -> None:
    cases = ["", "x = thi", "f(a.b.c", 'named("co', "named('a b", "'x', y", "x +"]
    words = ["", "thi", "a.b.c", "co", "a b", "y", ""]
    assert [last_word(text) for text in cases] == words


def test_private_names_come_when_they_are_begun() -> None:
    assert not any(word.startswith("thing._") for word in completions("thing.", NAMES, ()))


def test_there_are_not_too_many() -> None:
    assert len(completions("x('", {}, map(str, range(10_000)))) == 500
